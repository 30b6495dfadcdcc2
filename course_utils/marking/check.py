"""``python -m course_utils check FILE``: what the submission doctor says about a notebook, before it is handed in.

It needs no nbgrader and runs nothing of the notebook. It says whether answers are there, not whether they are right.
"""

import argparse
import sys
from pathlib import Path

from course_utils.files import PACKAGE, ROOT
from course_utils.marking.reader import Notebook, UnreadableNotebook, read_notebook
from course_utils.marking.submission import Assignment, mended, read_assignment

# Where the released notebooks lie: in the repository, or in the installed package.
RELEASED = (ROOT / "exercises" / "release", PACKAGE / "release")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the notebook that you want to hand in")


def run(args: argparse.Namespace) -> int:
    """Print the report; return 0 when nothing was found, 1 when something was, 2 when the file cannot be read."""
    try:
        notebook = read_notebook(args.file)
    except UnreadableNotebook as error:
        print(f"{args.file.name}: {error}", file=sys.stderr)
        return 2
    assignment = assignment_of(notebook)
    if assignment is None:
        print(
            f"{args.file.name} is not one of the course's assignments: none of their cells are in it.", file=sys.stderr
        )
        return 2
    notes, open_answers = report(notebook, assignment)
    if args.file.name != f"{assignment.name}.ipynb":
        notes = (f"The file should be called {assignment.name}.ipynb.", *notes)
    print(f"{args.file.name} is {assignment.name}.")
    for note in notes:
        print(f"- {note}")
    if open_answers:
        print(f"- Not answered yet: {', '.join(open_answers)}.")
    if not notes and not open_answers:
        print("All cells are there, and every answer cell has been filled in. It can be handed in.")
    return int(bool(notes or open_answers))


def report(notebook: Notebook, assignment: Assignment) -> tuple[tuple[str, ...], list[str]]:
    """What the doctor found, and the names of the answer cells that still hold what was released."""
    submission = mended(notebook, assignment)
    untouched = [
        step.part.grade_id
        for step in submission.steps
        if step.part and step.part.is_answer and step.source.strip() in ("", step.part.source.strip())
    ]
    return submission.notes, untouched


def assignment_of(notebook: Notebook) -> Assignment | None:
    """The released assignment that most of the notebook's cells belong to."""
    best, most = None, 0
    for folder in RELEASED:
        for path in sorted(folder.glob("*/*.ipynb")):
            assignment = read_assignment(path)
            graded = {part.grade_id for part in assignment.parts if part.is_answer or part.points is not None}
            # quizzes share the names of their cells; the title and the questions do not
            texts = {cell.source.strip() for cell in assignment.cells if cell.kind == "markdown"}
            found = sum(cell.grade_id in graded or cell.id in graded for cell in notebook.cells)
            found += 2 * sum(cell.source.strip() in texts for cell in notebook.cells if cell.kind == "markdown")
            found = found or mended(notebook, assignment).found
            if found > most:
                best, most = assignment, found
        if best is not None:
            break
    return best
