"""Running the cells that are ours: test cells, and the prepared cells that they need. Trusted processes only."""

import ast
import builtins
import contextlib
import linecache
import re
import symtable
import traceback
from functools import lru_cache
from types import CodeType

from course_utils.marking.output import FirstCharacters
from course_utils.marking.results import MOST_OUTPUT, CellResult, clamped


@lru_cache(maxsize=1024)
def _compiled(source: str, name: str) -> tuple[CodeType, CodeType | None]:
    """The cell, and its last line where that is an expression: its value is the points."""
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return compile(tree, name, "exec"), None
    tree.body.pop()
    return compile(tree, name, "exec"), compile(ast.Expression(last.value), name, "eval")


def run_test(source: str, grade_id: str, points: float, namespace: dict) -> CellResult:
    """Run a test cell in ``namespace`` and return what it gives. Nothing that it does makes this raise."""
    printed = FirstCharacters(MOST_OUTPUT)
    name = f"<test {grade_id}>"
    # Messages name the student's line, never one of the test cell: an empty entry hides its text.
    linecache.cache[name] = (0, None, [], name)
    value: object = None
    with contextlib.redirect_stdout(printed):
        try:
            body, last = _compiled(source, name)
            exec(body, namespace)
            value = eval(last, namespace) if last else None
        except BaseException as error:
            value = 0.0
            print(traceback.format_exception_only(error)[-1].strip())
    return CellResult(grade_id, points, clamped(value, points), printed.getvalue())


def run_setup(source: str, namespace: dict) -> None:
    """Run a prepared cell of the assignment; what only IPython understands, or fails, is left out."""
    try:
        code = compile(source, "<prepared>", "exec")
    except SyntaxError:
        return
    with contextlib.redirect_stdout(FirstCharacters(0)), contextlib.suppress(Exception):
        exec(code, namespace)


BY_NAME = re.compile(r'given\(globals\(\), "(\w+)"\)')  # how a quiz asks for an answer that may not be there


@lru_cache(maxsize=1024)
def names_needed(source: str) -> frozenset[str]:
    """The global names that a cell reads and does not define itself; also those of the answers that it lends."""
    try:
        table = symtable.symtable(source, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    found, tables = set(BY_NAME.findall(source)), [table]
    while tables:
        current = tables.pop()
        tables += current.get_children()
        found |= {
            s.get_name() for s in current.get_symbols() if s.is_global() or (current is table and s.is_referenced())
        }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "lend":
            found |= names_needed(ast.literal_eval(node.args[1]))
    return frozenset(found - names_defined(source) - set(dir(builtins)))


@lru_cache(maxsize=1024)
def names_defined(source: str) -> frozenset[str]:
    """The names that the top level of a cell binds."""
    try:
        symbols = symtable.symtable(source, "<cell>", "exec").get_symbols()
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    return frozenset(s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace())
