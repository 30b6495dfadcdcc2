"""One spelling: prose is British, as most of the lessons are; names in code keep the spelling of torch and Pillow."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from course_utils.files import PACKAGE, ROOT

AMERICAN = re.compile(
    r"\b(?:behavior|color|center|neighbor|favor(?:ite)?|honor|labeled|labeling|modeling|traveled|catalog\b|judgment"
    r"|(?:recogn|normal|initial|quant|organ|general|standard|visual|summar|memor|special|minim|maxim)iz|analyz)\w*",
    re.IGNORECASE,
)
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("exercises/*.md")]
MODULES = [*PACKAGE.rglob("*.py")]


def prose_of_code(source: str) -> str:
    """Return the docstrings and comments."""
    places = (ast.Module, ast.ClassDef, ast.FunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(source)) if isinstance(node, places)]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "\n".join([*texts, *(token.string for token in tokens if token.type == tokenize.COMMENT)])


def american_words(prose: str) -> list[str]:
    """Return the American spellings outside of code, addresses and titles in quotation marks."""
    return AMERICAN.findall(re.sub(r'```.*?```|``.*?``|`[^`]*`|https?://\S+|"[^"]*"', "", prose, flags=re.DOTALL))


@pytest.mark.parametrize("path", [*PAGES, *MODULES], ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_is_british(path: Path):
    text = path.read_text(encoding="utf-8")
    assert american_words(prose_of_code(text) if path.suffix == ".py" else text) == []


def test_names_in_code_keep_their_own_spelling():
    source = 'def normalize(colors):\n    """Normalise `colors`, see ``color``."""\n    return colors  # the centre\n'
    assert american_words(prose_of_code(source)) == []
    assert american_words(prose_of_code(source.replace("centre", "center"))) == ["center"]
    assert american_words(prose_of_code(source.replace("Normalise", "Normalize"))) == ["Normalize"]
