"""The one writer: puts records into nbgrader's gradebook and writes ``autograded/``, as nbgrader would have done.

A batch of records is one transaction. Manual grades and comments of an instructor are never changed.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader import api
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum, parse_utc
from sqlalchemy.exc import OperationalError
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from course_utils.errors import CourseError
from course_utils.files import write_text
from course_utils.marking.results import Record, Status, clamped
from course_utils.marking.submission import Assignment, Part, Submission

PATIENCE = 600.0  # seconds for which a gradebook that somebody else has locked is waited for


Row: TypeAlias = Any  # of a table of nbgrader's: its attributes hold values, and are declared as columns of them
T = TypeVar("T")


class GradebookError(CourseError):
    """The gradebook cannot be written; the message says why and what to do."""


@runtime_checkable
class LatePolicy(Protocol):
    """A plug-in of nbgrader's that takes points from late submissions."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None: ...


def course_directory(course: Path) -> CourseDirectory:
    """The folders and the database of a course, as its nbgrader_config.py says."""
    try:
        config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    except ConfigFileNotFound:
        config = Config()
    if "root" not in config.CourseDirectory:
        config.CourseDirectory.root = str(course.resolve())
    return CourseDirectory(config=config)


def submitted_folders(course: CourseDirectory, assignment: str, pattern: str = "*") -> dict[str, Path]:
    """Every student's folder of an assignment, whether something lies in it or not, by the student's id."""
    base = Path(course.root) / course.submitted_directory
    found = {}
    for folder in sorted(base.glob(pattern)) if base.is_dir() else ():
        if folder.name.startswith(".") or not (folder.is_dir() or folder.is_symlink()):
            continue
        if os.path.lexists(folder / assignment):
            found[folder.name] = folder / assignment
    return found


class Gradebook:
    """nbgrader's gradebook, opened for one assignment. A context manager."""

    def __init__(self, course: CourseDirectory, assignment: Assignment, say: Callable[[str], None] = print) -> None:
        self.course, self.assignment, self.say = course, assignment, say
        # nbgrader starts `alembic` by name for a new gradebook.
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        penalties = AssignLatePenalties(config=course.config)
        penalties.init_plugin()
        if not isinstance(penalties.plugin_inst, LatePolicy):
            raise GradebookError(
                "AssignLatePenalties.plugin_class in nbgrader_config.py needs a method late_submission_penalty."
            )
        self._penalty = penalties.plugin_inst.late_submission_penalty

    def __enter__(self) -> "Gradebook":
        self._gradebook = self._patiently(lambda: api.Gradebook(self.course.db_url, self.course.course_id))
        self._session = self._gradebook.db
        self._patiently(self._enter_assignment)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._gradebook.close()

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do some work in one transaction; wait while another program holds the database."""
        until, told = time.monotonic() + PATIENCE, False
        while True:
            try:
                return work()
            except OperationalError as error:
                if "_session" in vars(self):
                    self._session.rollback()
                if "full" in str(error.orig):
                    raise GradebookError("The disk is full. Make room, and give the same command again.") from None
                if "lock" not in str(error.orig) or time.monotonic() > until:
                    raise GradebookError(f"The gradebook cannot be written: {error.orig}.") from None
                if not told:
                    self.say("The gradebook is in use by another program; waiting for it.")
                    told = True
                time.sleep(0.5)

    def _enter_assignment(self) -> None:
        """Tell the gradebook what the assignment is made of, as `nbgrader generate_assignment` does."""
        session, name = self._session, self.assignment.name
        assignment = self._row(
            session.query(api.Assignment).filter_by(name=name).one_or_none(),
            api.Assignment,
            name=name,
            course_id=self.course.course_id,
        )
        notebook = self._row(
            next((book for book in assignment.notebooks if book.name == name), None),
            api.Notebook,
            name=name,
            assignment=assignment,
            kernelspec="{}",
        )
        session.flush()
        known = {kind: {cell.name: cell for cell in getattr(notebook, kind)} for kind in _KINDS}
        for part in self.assignment.parts:
            about = {"name": part.grade_id, "notebook": notebook}
            if part.points is not None:
                cell = known["grade_cells"].get(part.grade_id)
                cell = self._row(cell, api.GradeCell, **about, max_score=part.points, cell_type=part.kind)
                if cell.max_score != part.points:
                    cell.max_score = part.points
            if part.is_answer:
                self._row(known["solution_cells"].get(part.grade_id), api.SolutionCell, **about)
            source = self._row(
                known["source_cells"].get(part.grade_id),
                api.SourceCell,
                **about,
                cell_type=part.kind,
                locked=part.is_locked,
                source="" if part.is_answer else part.source,
                checksum=_checksum(part),
            )
            if not part.is_answer and source.source != part.source:
                source.source, source.checksum = part.source, _checksum(part)
        session.commit()
        self._assignment, self._notebook = assignment, notebook

    def _row(self, row: Row | None, table: type, **columns: object) -> Row:
        """The row that was found, or a new one where there was none."""
        if row is None:
            row = table(**columns)
            self._session.add(row)
        return row

    def write(self, records: Iterable[tuple[Record, Submission | None, Path]]) -> None:
        """Commit a batch of records in one transaction, then write their notebooks."""
        records = list(records)
        self._patiently(lambda: self._commit(records))
        for record, submission, folder in records:
            if submission is not None:
                self._write_notebook(record, submission, folder)

    def _commit(self, records: list[tuple[Record, Submission | None, Path]]) -> None:
        session = self._session
        with session.no_autoflush:
            cells = {cell.name: cell for cell in self._notebook.grade_cells}
            solutions = {cell.name: cell for cell in self._notebook.solution_cells}
            students: dict[str, Row] = {str(student.id): student for student in session.query(api.Student).all()}
            before = {submission.student_id: submission for submission in self._assignment.submissions}
            for record, mended, folder in records:
                student = self._row(students.get(record.student), api.Student, id=record.student)
                if record.status is Status.MISSING:
                    continue
                submission = self._row(
                    before.get(record.student), api.SubmittedAssignment, assignment=self._assignment, student=student
                )
                submission.timestamp = _timestamp(folder)
                notebook = self._row(
                    next(iter(submission.notebooks), None),
                    api.SubmittedNotebook,
                    notebook=self._notebook,
                    assignment=submission,
                )
                self._grades(record, notebook, cells)
                self._comments(mended, notebook, solutions)
                session.flush()
                self._late(record, submission, notebook)
        session.commit()

    def _grades(self, record: Record, notebook: Row, cells: dict[str, Row]) -> None:
        grades = {grade.cell.name: grade for grade in notebook.grades}
        earned = {cell.grade_id: cell.earned for cell in record.cells} if record.score is not None else {}
        for name, cell in cells.items():
            grade = self._row(grades.get(name), api.Grade, cell=cell, notebook=notebook, needs_manual_grade=True)
            if grade.auto_score is not None and grade.auto_score == earned.get(name):
                continue  # nothing new, and an instructor may have looked at it since
            grade.auto_score = earned.get(name)
            grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None

    def _comments(self, mended: Submission | None, notebook: Row, cells: dict[str, Row]) -> None:
        comments = {comment.cell.name: comment for comment in notebook.comments}
        answers = {step.part.grade_id: step for step in mended.steps if step.part} if mended else {}
        for name, cell in cells.items():
            comment = self._row(comments.get(name), api.Comment, cell=cell, notebook=notebook)
            step = answers.get(name)
            comment.auto_comment = "No response." if step is None or not step.source.strip() else None

    def _late(self, record: Record, submission: Row, notebook: Row) -> None:
        """Late penalties and extensions as in nbgrader, by its own plug-in."""
        late = submission.total_seconds_late
        notebook.late_submission_penalty = None
        if late > 0 and record.score is not None:
            self._session.flush()
            self._session.refresh(notebook)  # its score counts manual grades as well
            penalty = self._penalty(record.student, notebook.score, late)
            notebook.late_submission_penalty = None if penalty is None else clamped(penalty, notebook.score)

    def _write_notebook(self, record: Record, submission: Submission, folder: Path) -> None:
        place = Path(self.course.root) / self.course.autograded_directory / record.student / record.assignment
        place.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(marked_notebook(record, submission))
        write_text(place / f"{record.assignment}.ipynb", text + "\n")
        stamp = folder / "timestamp.txt"
        if stamp.is_file() and not stamp.is_symlink():
            write_text(place / "timestamp.txt", stamp.read_text(encoding="utf-8", errors="replace")[:100])


_KINDS = ("grade_cells", "solution_cells", "source_cells")


def _checksum(part: Part) -> str:
    """What nbgrader compares a locked cell with before it grades."""
    cell = new_code_cell(part.source) if part.kind == "code" else new_markdown_cell(part.source)
    cell.metadata["nbgrader"] = _about(part)
    return compute_checksum(cell)


def _about(part: Part) -> dict:
    """nbgrader's metadata of a cell."""
    return {
        "grade": part.points is not None,
        "grade_id": part.grade_id,
        "locked": part.is_locked,
        "schema_version": 3,
        "solution": part.is_answer,
        "task": False,
        **({"points": part.points} if part.points is not None else {}),
    }


def _timestamp(folder: Path) -> datetime | None:
    stamp = folder / "timestamp.txt"
    try:
        if stamp.is_symlink() or not stamp.is_file():
            return None
        return parse_utc(stamp.read_text(encoding="utf-8")[:100].strip())
    except (OSError, ValueError, UnicodeDecodeError):
        return None


def marked_notebook(record: Record, submission: Submission) -> nbformat.NotebookNode:
    """The notebook as it was marked: with what the checks say as plain text, and nothing that a browser would run."""
    results = {cell.grade_id: cell for cell in record.cells}
    outputs = dict(record.outputs)
    cells = []
    for place, step in enumerate(submission.steps):
        if step.kind == "markdown":
            cell = new_markdown_cell(harmless(step.source) if step.is_students else step.source)
        elif step.kind == "raw":
            cell = new_raw_cell(step.source)
        else:
            cell = new_code_cell(step.source, execution_count=place + 1)
            result = results.get(step.part.grade_id) if step.part else None
            text = result.output if result else outputs.get(place, "")
            if text:
                cell.outputs.append(new_output("stream", name="stdout", text=text))
            if result and result.earned is not None:
                value = {"text/plain": repr(result.earned)}
                cell.outputs.append(new_output("execute_result", data=value, execution_count=place + 1))
        cell.id = f"cell-{place}"
        if step.part is not None:
            cell.id = step.part.grade_id[:64]
            cell.metadata["nbgrader"] = {**_about(step.part), "cell_type": step.part.kind}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}, "marking": {"key": record.key}}
    return new_notebook(cells=cells, metadata=about)


def harmless(markdown: str) -> str:
    """Markdown in which tags and entities of HTML are shown as text, and no link runs a program."""
    shown = markdown.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"(javascript|vbscript|data)\s*:", r"\1 :", shown, flags=re.IGNORECASE)
