"""Submissions that test the graders: right and wrong answers to every assignment, each with the score it deserves.

They lie in ``exercises/answers/<assignment>/``, one small file each. Comment lines at the top say what the answer is
and, as YAML, what it must score and which sentences its feedback must hold; then come the cells it changes, by name:

    # Reads model.fc, whatever the model calls its head.
    #
    # score: {find_head: 1, replace_head: 1.5}
    # feedback:
    #   - "'VGG' object has no attribute 'fc'"

    # %% find_head
    def find_head(model):
        return "fc", model.fc

``score`` is the total, or the points of each test cell by its name. Cells that a file does not mention hold the
reference solution of the source notebook, or, with ``unchanged: true``, what was released. In a quiz ``"<right>"`` and
``"<wrong>"`` stand for letters or numbers, which the question bank decides.
"""

import copy
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from nbformat import NotebookNode


@dataclass(frozen=True)
class Answer:
    """One submission: its name, what it must score, what its feedback must say, and the cells that it changes."""

    name: str
    title: str
    score: float
    points: dict[str, float] = field(default_factory=dict)  # of single test cells
    feedback: tuple[str, ...] = ()
    unchanged: bool = False
    cells: dict[str, str] = field(default_factory=dict)


def read_answers(folder: Path) -> list[Answer]:
    """Return every answer of an assignment, in the order of the file names. Raises ValueError for an odd file."""
    return [read_answer(path) for path in sorted(folder.glob("*.py"))]


def read_answer(path: Path) -> Answer:
    """Read one answer file. Raises ValueError that names the file and what is wrong with it."""
    head, *parts = re.split(r"^# %% *(.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    comment = "\n".join(line.removeprefix("#").removeprefix(" ") for line in head.splitlines())
    title, _, expected = comment.partition("\n\n")
    try:
        fields = yaml.safe_load(expected)
        points = fields.pop("score")
        points = points if isinstance(points, dict) else {"": points}
        answer = Answer(
            name=path.stem,
            title=" ".join(title.split()),
            score=float(sum(points.values())),
            points={name: float(value) for name, value in points.items() if name},
            feedback=tuple(fields.pop("feedback", ())),
            unchanged=fields.pop("unchanged", False),
            cells={name.strip(): text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)},
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        form = "its first comment should be a title, an empty line, and `score:`"
        raise ValueError(f"{path.name}: {form} ({type(error).__name__}: {error})") from error
    if fields:
        raise ValueError(f"{path.name}: unknown {', '.join(fields)}; known are score, feedback and unchanged")
    return answer


def fill_in(released: NotebookNode, source: NotebookNode, answer: Answer) -> NotebookNode:
    """Return the released notebook as a student with this answer would hand it in.

    Raises ValueError when the answer names a cell that the assignment does not have.
    """
    solutions = {cell.id: solution(cell.source) for cell in source.cells if is_answer(cell)}
    if strangers := answer.cells.keys() - solutions.keys():
        raise ValueError(f"{answer.name}: the assignment has no answer cell {', '.join(sorted(strangers))}")
    submission = copy.deepcopy(released)
    for cell in submission.cells:
        if cell.id in answer.cells:
            cell.source = _with_letters(answer.cells[cell.id], solutions[cell.id])
        elif is_answer(cell) and not answer.unchanged:
            cell.source = solutions[cell.id]
    return submission


def is_answer(cell: NotebookNode) -> bool:
    """Say whether the cell is one that the student fills in."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def solution(source: str) -> str:
    """Return the text of an answer cell of a source notebook without the marks around the solution."""
    return "\n".join(line for line in source.splitlines() if not line.strip().startswith("### "))


def _with_letters(text: str, right_answer: str) -> str:
    if "<right>" not in text and "<wrong>" not in text:
        return text
    right = right_answer.strip().splitlines()[-1].partition(" = ")[2].strip('"')
    return text.replace("<right>", right).replace("<wrong>", _wrong(right))


def _wrong(right: str) -> str:
    """An answer of the same form that is not right."""
    if not right.isalpha():
        return "1" if right != "1" else "2"  # a number or a line
    if len(right) == 1:
        return "a" if right != "a" else "b"
    if sorted(right) == list(right):
        return right[1:]  # several right letters, which come sorted: one of them is missing
    return right[::-1]  # steps, which are never shown in their right order
