"""The submission doctor: lays a student's cells beside the assignment's, and says what it found and repaired.

The original file is never touched. The result is a program in the order of the assignment: every locked and test cell
with the assignment's own text, every answer cell with the student's, and the student's further cells where they stood.
"""

import ast
import difflib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.marking.reader import Cell, Notebook, UnreadableNotebook, read_notebook

STUB = "# YOUR ANSWER HERE"


class UnknownAssignment(CourseError):
    """There is no such assignment in the course folder; the message names those that there are."""


@dataclass(frozen=True)
class Part:
    """A cell that the assignment consists of. `points` is None where it grades nothing."""

    grade_id: str
    kind: str
    source: str
    is_answer: bool
    is_locked: bool
    points: float | None

    @property
    def maximum(self) -> float:
        """The points that can be earned; 0 where it grades nothing."""
        return self.points or 0.0


@dataclass(frozen=True)
class Assignment:
    """The source notebook of an assignment: all of its cells, and the parts that grading needs, in order."""

    name: str
    cells: tuple[Cell, ...]
    parts: tuple[Part, ...]
    sha256: str

    @property
    def tests(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.points is not None)


@dataclass(frozen=True)
class Step:
    """One cell of the marked notebook: ``part`` is None for a cell that the student added."""

    kind: str
    source: str
    part: Part | None = None

    @property
    def is_students(self) -> bool:
        return self.part is None or self.part.is_answer


@dataclass(frozen=True)
class Submission:
    """A student's notebook, mended: its steps in order, what the doctor has to say, and the hash of the file."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    sha256: str
    found: int  # answer and test cells that were there; 0 for the notebook of another assignment


def read_assignment(path: Path) -> Assignment:
    """Read the source (or released) notebook of an assignment. Raises UnreadableNotebook."""
    notebook = read_notebook(path)
    parts = []
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader")
        if not cell.grade_id or not isinstance(about, dict):
            continue
        points = about.get("points") if about.get("grade") else None
        parts.append(
            Part(
                grade_id=cell.grade_id,
                kind=cell.kind,
                source=cell.source,
                is_answer=bool(about.get("solution")),
                is_locked=bool(about.get("locked")),
                points=None if points is None else float(points),
            )
        )
    return Assignment(path.stem, notebook.cells, tuple(parts), notebook.sha256)


def mended(notebook: Notebook, assignment: Assignment) -> Submission:
    """Match the student's cells with the assignment's."""
    notes = list(notebook.notes)
    places = _by_name(notebook.cells, assignment, notes)
    places |= _by_likeness(notebook.cells, assignment, places, notes)
    found = [part.grade_id for part in assignment.parts if part.grade_id in places]
    in_order = sorted(found, key=places.__getitem__)
    if in_order != found:
        moved = [name for name, other in zip(found, in_order, strict=True) if name != other]
        notes.append(f"Cells are in another order than in the assignment ({_list(moved)}); they were put back.")
    for part in assignment.parts:
        if part.grade_id not in places:
            what = "answer" if part.is_answer else "test" if part.points is not None else "prepared"
            if part.points is not None or part.is_answer:
                notes.append(f"The {what} cell {part.grade_id} is not there; {_consequence(part)}.")
        elif notebook.cells[places[part.grade_id]].kind != part.kind:
            notes.append(f"Cell {part.grade_id} had become a {notebook.cells[places[part.grade_id]].kind} cell again.")
    graded = [part for part in assignment.parts if part.is_answer or part.points is not None]
    count = 0 if _is_another(notebook.cells, assignment) else sum(part.grade_id in places for part in graded)
    return Submission(_steps(notebook.cells, assignment, places), tuple(notes), notebook.sha256, count)


def _is_another(cells: tuple[Cell, ...], assignment: Assignment) -> bool:
    """Whether this is another assignment's notebook: two quizzes share the names of cells, not their questions."""
    texts = {cell.source.strip() for cell in assignment.cells if cell.kind == "markdown" and cell.source.strip()}
    theirs = {cell.source.strip() for cell in cells if cell.kind == "markdown" and cell.source.strip()}
    return len(theirs) > len(texts) / 2 and len(texts & theirs) < 0.3 * len(texts)


def _consequence(part: Part) -> str:
    return "it counts as not answered" if part.is_answer else "it was added again and counts"


def _by_name(cells: tuple[Cell, ...], assignment: Assignment, notes: list[str]) -> dict[str, int]:
    """Place of each part whose cell still has its name, in nbgrader's metadata or as the id of the cell."""
    parts = {part.grade_id: part for part in assignment.parts}
    named = [cell.grade_id if cell.grade_id in parts else "" for cell in cells]
    without = set(parts) - set(named)
    by_id = [cell.id if not name and cell.id in without else name for cell, name in zip(cells, named, strict=True)]
    if lost := [name for name, before in zip(by_id, named, strict=True) if name and not before]:
        notes.append(f"{len(lost)} cells have lost nbgrader's metadata ({_list(lost)}); their ids tell which they are.")
    places: dict[str, int] = {}
    for place, name in enumerate(by_id):
        if name:
            places[name] = place  # of several cells with one name the last one counts
    for name, count in Counter(name for name in by_id if name).items():
        if count > 1 and not (parts[name].is_locked and not parts[name].is_answer):
            notes.append(f"There are {count} cells {name}; all of them run, and the last one counts as the answer.")
        elif count > 1:
            notes.append(f"There are {count} cells {name}; the assignment's own runs, once.")
    return places


def _by_likeness(
    cells: tuple[Cell, ...], assignment: Assignment, known: dict[str, int], notes: list[str]
) -> dict[str, int]:
    """Place of each part that has no name any more, found by what it defines, or by its text."""
    missing = [part for part in assignment.parts if part.grade_id not in known]
    free = {place for place, cell in enumerate(cells) if place not in known.values() and cell.source.strip()}
    free -= {place for place in free if cells[place].grade_id in known}
    found: dict[str, int] = {}
    for part in missing:
        alike = [(score, place) for place in free if (score := _likeness(part, cells[place])) > 0]
        if alike:
            best = max(alike)[1]  # the last one of several that are equally alike
            found[part.grade_id] = best
            free.discard(best)
    answers = [part.grade_id for part in missing if part.grade_id in found]
    if answers:
        notes.append(f"{len(answers)} cells have lost their names ({_list(answers)}); they were found by their text.")
    return found


def _likeness(part: Part, cell: Cell) -> float:
    """How much a cell looks like a part, 0 for not at all; 2 for an answer that defines the right name."""
    if part.is_answer:
        wanted = defined_names(part.source)
        defines = defined_names(cell.source) if wanted else frozenset()
        return 1 + len(wanted & defines) / len(wanted) if wanted & defines else 0.0
    if cell.source.strip() == part.source.strip():
        return 2.0
    if part.points is None and not part.source.strip():
        return 0.0
    visible = _without_hidden(part.source)
    ratio = difflib.SequenceMatcher(None, visible[:2000], cell.source[:2000], autojunk=False)
    if ratio.real_quick_ratio() < 0.9 or ratio.quick_ratio() < 0.9:
        return 0.0
    return ratio.ratio() if ratio.ratio() >= 0.9 else 0.0


def _without_hidden(source: str) -> str:
    return re.sub(r"[^\n]*### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", "", source, flags=re.DOTALL)


def defined_names(source: str) -> frozenset[str]:
    """The names that the top level of a cell defines, from its syntax, or by eye where it has an error."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        lines = re.findall(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=[^=]", source, flags=re.MULTILINE)
        return frozenset(name for pair in lines for name in pair if name)
    names = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return frozenset(names)


def _steps(cells: tuple[Cell, ...], assignment: Assignment, places: dict[str, int]) -> tuple[Step, ...]:
    """The assignment's parts in its own order, each followed by what stood behind it in the student's file."""
    taken = {place: name for name, place in places.items()}
    # Copies of a locked or test cell are the assignment's text or a forgery: they do not run.
    locked = {part.grade_id for part in assignment.parts if part.is_locked and not part.is_answer}
    behind: dict[str, list[Step]] = {"": []}
    latest = ""
    for place, cell in enumerate(cells):
        if place in taken:
            latest = taken[place]
            behind.setdefault(latest, [])
        elif cell.grade_id not in locked:
            behind[latest].append(Step(cell.kind, cell.source))
    steps = behind[""]
    for part in assignment.parts:
        place = places.get(part.grade_id)
        source = part.source
        if part.is_answer:
            source = cells[place].source if place is not None else ""
        steps.append(Step(part.kind, source, part))
        steps += behind.get(part.grade_id, [])
    return tuple(steps)


def _list(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def choose_notebook(folder: Path, assignment: Assignment) -> tuple[Notebook, list[str]]:
    """Read the notebook that a student handed in, from ``submitted/<student>/<assignment>``, and note what is odd.

    A file under the assignment's name comes first; failing that, the one that looks most like the assignment.
    Raises FileNotFoundError when there is no notebook, UnreadableNotebook when there is one and it cannot be read.
    """
    for part in (folder.parent, folder):
        if part.is_symlink():
            raise UnreadableNotebook(f"{part.name} is a link to another folder. Hand in the notebook itself.")
    wanted = f"{assignment.name}.ipynb"
    try:
        names = sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(folder) from None
    books = [name for name in names if name.lower().endswith(".ipynb")]
    notes = []
    if others := [name for name in names if name not in books and name != "timestamp.txt" and not name.startswith(".")]:
        notes.append(f"Other files were handed in ({_list(others)}); only the notebook is read.")
    if wanted in books:
        if len(books) > 1:
            notes.append(f"There are {len(books)} notebooks; {wanted} counts.")
        notebook = read_notebook(folder / wanted)
        if _is_another(notebook.cells, assignment):
            raise UnreadableNotebook(f"{wanted} holds the notebook of another assignment.")
        return notebook, notes
    if not books:
        raise FileNotFoundError(folder)
    best, problems = None, []
    for name in books:
        try:
            notebook = read_notebook(folder / name)
        except UnreadableNotebook as error:
            problems.append(error)
            continue
        found = mended(notebook, assignment).found
        if best is None or found > best[0]:
            best = found, name, notebook
    if best is None:
        raise problems[0]
    found, name, notebook = best
    if not found:
        raise UnreadableNotebook(f"{name} is not the notebook of {assignment.name}: none of its cells are there.")
    notes.append(f"The notebook is called {name} instead of {wanted}; it was taken all the same.")
    return notebook, notes
