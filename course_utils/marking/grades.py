"""``python -m course_utils grades ASSIGNMENT``: the marks of nbgrader's gradebook in the table of a learning platform.

python -m course_utils grades quiz-1 --moodle worksheet.csv --out grades.csv
python -m course_utils grades quiz-1 --canvas gradebook.csv --out grades.csv
"""

import argparse
from pathlib import Path
from typing import Any

from course_utils.errors import shown
from course_utils.marking.command import CannotMark, course_folder
from course_utils.marking.lms import CANVAS, MOODLE, Filled, Grade, fill_in, student_names
from course_utils.marking.spreadsheet import read_table, write_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("assignment", help="its name, for example ps1-heads")
    table = parser.add_mutually_exclusive_group(required=True)
    table.add_argument("--moodle", type=Path, metavar="FILE", help="Moodle's grading worksheet, or its grade export")
    table.add_argument("--canvas", type=Path, metavar="FILE", help="Canvas's exported gradebook")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the table with grades, to import there"
    )
    parser.add_argument("--column", default="", metavar="TITLE", help="the grade's column, where it has another name")
    parser.add_argument("--scale", action="store_true", help="convert to the maximum that the platform has")
    parser.add_argument("--course", type=Path, metavar="DIR", help="the folder with submitted/ (default: exercises/)")


def run(args: argparse.Namespace) -> int:
    """Write the table, say what is not in it, and return 0, or 1 when somebody has to look."""
    platform, template = (MOODLE, args.moodle) if args.moodle else (CANVAS, args.canvas)
    if args.out.exists() and template.exists() and args.out.samefile(template):
        raise CannotMark("--out names the exported table itself. Choose another name, so that the export stays.")
    table = read_table(template)
    grades, maximum = marked_grades(course_folder(args.course), args.assignment)
    filled = fill_in(table, platform, args.assignment, grades, maximum, args.column, args.scale)
    write_table(args.out, filled.table)
    print(report(filled, args.out))
    return int(bool(filled.ungraded or filled.unmatched))


def report(filled: Filled, out: Path) -> str:
    """What was written, and what was not and why."""
    lines = [f"{len(filled.written)} grades are in {shown(out)}."]
    for students, what in (
        (filled.replaced, "had another grade before"),
        (
            filled.ungraded,
            "have no grade until somebody has looked (in Formgrader); their cells are as they were",
        ),
        (filled.unmatched, "fit no row, or not just one, by id, e-mail or login"),
    ):
        if students:
            lines.append(f"{len(students)} {what}: {', '.join(shown(student, 60) for student in students)}.")
    if filled.rows_left:
        lines.append(f"{filled.rows_left} people in the table handed nothing in; their cells are as they were.")
    return "\n".join(lines)


def marked_grades(course: Path, assignment: str) -> tuple[list[Grade], float]:
    """Every submission in the gradebook with its points, manual grades and late penalties counted, and the maximum.

    A submission that a person still has to look at has no points. Raises CannotMark where nothing was marked.
    """
    from nbgrader.api import Gradebook, MissingEntry
    from sqlalchemy.engine import make_url

    from course_utils.marking.gradebook import course_directory

    directory = course_directory(course)
    url = make_url(directory.db_url)
    name = shown(assignment)
    nothing = CannotMark(f"Nothing of {name} is marked in {course}. Run `python -m course_utils mark {name}` first.")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise nothing
    with Gradebook(directory.db_url, directory.course_id) as book:
        try:
            found: Any = book.find_assignment(assignment)
        except MissingEntry:
            raise nothing from None
        grades = [_grade(submission) for submission in sorted(found.submissions, key=lambda one: one.student_id)]
        if not grades:
            raise nothing
        return grades, float(found.max_score)


def _grade(submission: Any) -> Grade:  # nbgrader says of each column that it is None
    student = submission.student
    known = (student.email, student.lms_user_id, *student_names(student.id))
    score = None
    if not submission.needs_manual_grade:
        score = max(0.0, submission.score - submission.late_submission_penalty)
    return Grade(student.id, score, tuple(name for name in known if name))
