"""The hints of the problem sets: written beside their step in ``exercises/problems/``, given on request by `hint`.

    # %% [markdown] hint="ps1.2"
    # One hint for step 2 of problem set 1. A second cell like this is its second hint.

Such cells stay out of the notebook. In the place of a step's first one comes a small cell that asks for them, and the
build gathers all of them in ``course_utils/quiz/hints.json``, which is part of the package. So they can be read with
the keyboard alone, in Colab too, and nobody sees one who did not ask.
"""

import json
from pathlib import Path

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course_utils.files import ROOT
from course_utils.quiz.hints import HINTS_FILE


def all_hints(root: Path) -> dict[str, list[str]]:
    """Return the hints of every step of every problem script, in the order in which they are written."""
    hints: dict[str, list[str]] = {}
    for script in sorted((root / "exercises" / "problems").glob("*.py")):
        for cell in jupytext.read(script, fmt="py:percent").cells:
            if step := cell.metadata.get("hint"):
                hints.setdefault(step, []).append(_unwrapped(cell.source))
    return hints


def _unwrapped(text: str) -> str:
    """Each paragraph in one line; code blocks as they are."""
    parts = text.strip().split("\n\n")
    return "\n\n".join(part if part.startswith("```") else " ".join(part.split()) for part in parts)


def with_requests(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Return the cells with one request in the place of the hints of each step."""
    steps = [cell.metadata.get("hint") for cell in cells]
    kept = []
    for number, (cell, step) in enumerate(zip(cells, steps, strict=True)):
        if step is None:
            kept.append(cell)
        elif step not in steps[:number]:
            kept.append(_request(step, steps.count(step)))
    return kept


def _request(step: str, count: int) -> NotebookNode:
    text = (
        "from course_utils import hint\n\n"
        f"# Stuck? Take the # out of the next line and run this cell, again for the next hint. Hints: {count}.\n"
        f'# hint("{step}")'
    )
    return new_code_cell(text, metadata={"hint": step})


def hints_file(root: Path) -> Path:
    """Return where the gathered hints lie in a repository."""
    return root / HINTS_FILE.relative_to(ROOT)


def hints_text(root: Path) -> str:
    """Return what belongs into that file."""
    return json.dumps(all_hints(root), indent=1, ensure_ascii=False) + "\n"
