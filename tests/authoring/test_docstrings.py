"""Docstrings in one style: a public function begins with what it does, as an order; a property with what it is."""

import ast
from collections.abc import Iterator

import pytest

from course_utils.authoring.architecture import FLOOR, modules, room_of

NOUNS = {"A", "All", "An", "Both", "Each", "How", "One", "The", "What", "Where", "Whether"}
# Rooms whose docstrings follow the style. The others are on their way; a room is never taken out.
HELD = {"pretraining", "authoring"}
MODULES = {name: path for name, path in modules().items() if room_of(name) in {FLOOR, *HELD}}


def public_functions(source: str) -> Iterator[ast.FunctionDef]:
    """Yield functions and methods, no properties and nothing inside a function."""
    waiting = list(ast.parse(source).body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            waiting += node.body
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = {decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)}
            if "property" not in decorators:
                yield node


def astray(source: str) -> list[str]:
    """Return the functions whose docstring is missing, begins with a noun, or with a verb in the third person."""
    found = []
    for function in public_functions(source):
        first = (ast.get_docstring(function) or "").split(" ")[0].strip(",:`")
        third_person = first.endswith("s") and first not in {"Pass", "Press", "Process", "Address", "Express"}
        if not first[:1].isupper() or first in NOUNS or third_person:
            found.append(f"{function.name}: {first or 'nothing'}")
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_public_function_says_what_it_does(name):
    assert astray(MODULES[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("docstring", ["", "Returns a tensor.", "The tensor.", "`x` is doubled."])
def test_another_style_is_noticed(docstring):
    text = f'    """{docstring}"""\n' if docstring else ""
    assert len(astray(f"def double(x):\n{text}    return 2 * x\n")) == 1


def test_a_property_is_a_thing():
    assert astray('class Head:\n    @property\n    def size(self):\n        """How many."""\n') == []
