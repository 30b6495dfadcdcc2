"""Answers that are literals, read from the text of a notebook: `q1 = "b"`. Nothing of the student's runs.

`bindings` follows the cells of a quiz as Python would, as long as they only bind literals, or hold scratch code that
cannot touch an answer. Everything else is left to the sandbox.
"""

import ast
import warnings

MOST_CHARACTERS = 10_000  # of a cell whose answer is taken from its text

# Names through which code can bind a name that it does not mention.
_INDIRECT = {
    *("exec", "eval", "compile", "globals", "locals", "vars", "setattr", "getattr", "delattr", "__import__"),
    *("get_ipython", "sys", "gc", "inspect", "builtins", "__builtins__", "__main__", "importlib", "ctypes"),
}


class NotLiteral(Exception):
    """This cell has to be run to know what it binds."""


def apply(source: str, names: dict[str, object], answers: frozenset[str]) -> bool:
    """Bind in ``names`` what the cell binds, and return whether it would end without an error.

    ``answers`` are the names that matter. Raises NotLiteral when only running the cell can tell.
    """
    if len(source) > MOST_CHARACTERS:
        raise NotLiteral
    body = _parsed(source)
    if body is None:
        return False  # a syntax error: Python runs nothing of the cell
    if not _touches(body, answers):
        return True
    for statement in body:
        if isinstance(statement, ast.Pass) or _is_constant(statement):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Name):
            if statement.value.id not in answers:
                raise NotLiteral
            if statement.value.id not in names:
                return False  # a NameError: the rest of the cell does not run
            continue
        bound, value = _assigned(statement)
        literal = _literal(value)
        names.update(dict.fromkeys(bound, literal))
    return True


def _assigned(statement: ast.stmt) -> tuple[list[str], ast.expr]:
    """The names that `a = b = value` or `a: int = value` binds, and the value. Raises NotLiteral for all else."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            bound = [target.id for target in targets if isinstance(target, ast.Name)]
            if len(bound) == len(targets):
                return bound, value
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(), value=ast.expr() as value):
            return [name], value
    raise NotLiteral


def _parsed(source: str) -> list[ast.stmt] | None:
    special = any(
        line.lstrip().startswith(("%", "!", "?", "/", ",", ";")) or line.rstrip().endswith("?")
        for line in source.splitlines()
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source).body
    except SyntaxError:
        # What only IPython understands, `%time` for example, or an indented cell, which it forgives.
        if special or source[:1].isspace() or "await" in source or "!" in source or "%" in source:
            raise NotLiteral from None
        return None
    except (ValueError, RecursionError, MemoryError):
        raise NotLiteral from None


def _touches(body: list[ast.stmt], answers: frozenset[str]) -> bool:
    """Whether the code binds an answer, or might without saying so."""
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, ast.Name) and (node.id in answers or node.id in _INDIRECT):
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in answers:
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name in answers:
            return True
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            if bound & (answers | _INDIRECT | {"*"}):
                return True
        if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name in answers:
            return True
        if isinstance(node, ast.MatchMapping) and node.rest in answers:
            return True
        if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            return True
    return False


def _is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _literal(node: ast.expr) -> object:
    try:
        value = ast.literal_eval(node)
        hash(repr(value)[:1])  # a number of 5000 digits has no text
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise NotLiteral from None
    return value
