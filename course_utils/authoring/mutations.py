"""Small mistakes made by program: each mutation of a piece of code is what somebody might have written instead.

The operators are few, on Python's own `ast`, and made for the mistakes of this course: a forgotten `clone`, `eval` or
`no_grad`, two arguments that changed places, validation taken for training. Libraries for mutation testing change
files on disk and start a test run for each; what they would add here is many dependencies.
"""

import ast
import copy
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

# Of each pair, one is written where the other belongs.
COMPARISONS = {
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = [
    ("train", "validation"),
    ("validation", "test"),
    ("features", "validation_features"),
    ("labels", "validation_labels"),
    ("scaled", "scaled_validation"),
    ("mean", "std"),
    ("width", "height"),
    ("found", "missed"),
    ("called", "actual"),
    ("precision", "recall"),
    ("max", "min"),
    ("any", "all"),
    ("argmax", "argmin"),
    ("median", "mean"),
    ("cpu", "cuda"),
]
OTHER_NAMES = {one: [b if one == a else a for a, b in NAMES if one in (a, b)] for pair in NAMES for one in pair}


@dataclass(frozen=True)
class Mutant:
    """Code with one mistake in it, and the line that is another: "old line -> new line"."""

    code: str
    change: str


def mutants(code: str) -> list[Mutant]:
    """Return every mutant of the code, each once, in the order of the lines."""
    tree = ast.parse(code)
    original = ast.unparse(tree)
    found = {}
    for position, node in enumerate(ast.walk(tree)):
        for other in _others(node):
            mutated = _exchanged(tree, position, other)
            if mutated != original:
                found.setdefault(mutated, Mutant(mutated, _change(original, mutated)))
    return sorted(found.values(), key=lambda mutant: original.find(mutant.change.split(" -> ")[0]))


def _exchanged(tree: ast.Module, position: int, other: ast.AST | list[ast.stmt]) -> str:
    """The code of the tree with another node, or list of statements, at this position of the walk."""
    tree = copy.deepcopy(tree)
    wanted = list(ast.walk(tree))[position]

    class Exchange(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
            return other if node is wanted else self.generic_visit(node)

    Exchange().visit(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def _change(before: str, after: str) -> str:
    lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
    old, new = (" / ".join(line[2:].strip() for line in lines if line[0] == mark) for mark in "-+")
    return f"{old} -> {new}"


def _others(node: ast.AST) -> Iterator[ast.AST | list[ast.stmt]]:
    """What may stand in the place of the node."""
    if isinstance(node, ast.stmt):
        yield from _other_statements(node)
    elif isinstance(node, ast.expr):
        yield from _other_expressions(node)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield _with(node, ifs=[])


def _other_statements(node: ast.stmt) -> Iterator[ast.AST | list[ast.stmt]]:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Pass) and not is_text:
        yield ast.Pass()  # the line is forgotten
    if isinstance(node, ast.With):
        yield node.body  # without no_grad
    if isinstance(node, ast.If):
        yield node.body
        yield node.orelse or ast.Pass()


def _other_expressions(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[operator]):
            for other in COMPARISONS.get(type(operator), ()):
                yield _with(node, ops=[other()])
        case ast.BinOp():
            if other := ARITHMETIC.get(type(node.op)):
                yield _with(node, op=other())
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
            yield from node.values
        case ast.UnaryOp():
            yield node.operand
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int(number)):
            yield ast.Constant(number + 1)
            yield ast.Constant(number - 1)
        case ast.Constant(value=float(number)):
            yield ast.Constant(number * 2)
        case ast.Call():
            yield from _other_calls(node)
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) if len(node.elts) > 1:
            yield _with(node, elts=[node.elts[1], node.elts[0], *node.elts[2:]])
            for place in range(len(node.elts)):
                yield _with(node, elts=node.elts[:place] + node.elts[place + 1 :])
        case ast.Dict() if len(node.values) > 1:
            yield _with(node, values=[node.values[1], node.values[0], *node.values[2:]])
        case ast.DictComp(value=ast.Call(func=ast.Attribute() as method)):
            yield _with(node, value=method.value)
        case ast.Name(ctx=ast.Load()):
            for other in OTHER_NAMES.get(node.id, ()):
                yield _with(node, id=other)
        case ast.Attribute():
            for other in OTHER_NAMES.get(node.attr, ()):
                yield _with(node, attr=other)


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    """A call that is forgotten, so that only what it worked on is left; without an argument; with two exchanged."""
    if isinstance(node.func, ast.Attribute):
        yield node.func.value
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
    if len(node.args) > 1:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    for place in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:place] + node.keywords[place + 1 :])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of the node with other fields."""
    return type(node)(**{name: getattr(node, name, None) for name in node._fields} | fields)
