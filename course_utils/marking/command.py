"""``python -m course_utils mark ASSIGNMENT``: mark everything that was handed in, and write nbgrader's gradebook."""

import argparse
import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from course_utils.errors import CourseError
from course_utils.files import ROOT
from course_utils.marking import cluster, engine, sandbox, summary, variants
from course_utils.marking.engine import Limits, Work
from course_utils.marking.journal import Journal
from course_utils.marking.reader import UnreadableNotebook
from course_utils.marking.results import Record
from course_utils.marking.submission import Assignment, Submission, read_assignment
from course_utils.progress_bar import progress_bar

if TYPE_CHECKING:  # nbgrader takes a second to import
    from nbgrader.coursedir import CourseDirectory

BACKENDS = ("safe", "fork", "nbgrader")
BATCH_SECONDS, BATCH_RECORDS = 2.0, 50  # how often the gradebook is written


class CannotMark(CourseError):
    """Nothing could be marked; the message says why and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", help="its name, for example ps1-heads")
    parser.add_argument("--course", type=Path, metavar="DIR", help="the folder with submitted/ (default: exercises/)")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="side by side (default: one a core)")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds for a cell (default: 60)")
    parser.add_argument("--memory", type=int, default=4096, metavar="MB", help="for one submission (default: 4096)")
    parser.add_argument("--student", default="*", metavar="GLOB", help="only these, for example 'a*'")
    parser.add_argument("--again", action="store_true", help="mark again what has been marked")
    parser.add_argument("--backend", choices=BACKENDS, default="safe", help="how it is run (default: safe)")
    parser.add_argument("--dask", metavar="ADDRESS", help="on the workers of this Dask scheduler, tcp://host:8786")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a table of all results")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results, cell by cell")


def run(args: argparse.Namespace) -> int:
    """Mark, print a summary, and return 0, or 1 when somebody has to look, or 2 when it could not run."""
    try:
        return _run(args)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            print(
                "The disk is full. Make room, and give the same command again: it goes on from here.", file=sys.stderr
            )
            return 2
        raise


def _run(args: argparse.Namespace) -> int:
    from course_utils.marking import gradebook

    course = course_folder(args.course)
    directory = gradebook.course_directory(course)
    assignment = find_assignment(course, args.assignment)
    limits = Limits(args.timeout, args.memory)
    if args.timeout <= 0 or args.memory < 64 or args.workers < 0:
        raise CannotMark("--timeout, --memory and --workers must be above 0, and the memory at least 64 MB.")
    folders = gradebook.submitted_folders(directory, assignment.name, args.student)
    if not folders:
        raise CannotMark(
            f"There is no submission of {assignment.name} in {course / 'submitted'}. A submission lies at "
            f"submitted/<student>/{assignment.name}/{assignment.name}.ipynb."
        )
    state = course / ".marking"
    state.mkdir(exist_ok=True)
    try:
        with FileLock(state / "lock", timeout=0):
            if args.backend == "nbgrader":
                if variants.handed_out(course, assignment.name):
                    raise CannotMark("nbgrader knows nothing of variants and marks them wrong: leave out --backend.")
                return _with_nbgrader(course, args)
            records = _marked(args, directory, assignment, limits, folders, state)
    except Timeout:
        raise CannotMark("Another program is marking this course. Wait until it is done, then try again.") from None
    maximum = sum(part.maximum for part in assignment.tests)
    print(summary.as_text(records, maximum))
    summary.write_picture(state / f"{assignment.name}.png", records, maximum)
    if args.csv:
        summary.write_csv(args.csv, records, maximum)
    if args.json:
        summary.write_json(args.json, records, maximum)
    return int(any(not record.status.is_final for record in records))


def course_folder(asked: Path | None) -> Path:
    """The folder of the course that was asked for, or else the one around here."""
    here = Path.cwd()
    places = (here, here / "exercises", ROOT / "exercises")
    return (asked or next((place for place in places if (place / "source").is_dir()), here)).resolve()


def find_assignment(course: Path, name: str) -> Assignment:
    """Read the source notebook of an assignment. Raises CannotMark that says which ones there are."""
    path = course / "source" / name / f"{name}.ipynb"
    try:
        assignment = read_assignment(path)
    except UnreadableNotebook as error:
        known = sorted(folder.name for folder in path.parents[1].glob("*")) if path.parents[1].is_dir() else []
        if name in known:
            raise CannotMark(f"{path} cannot be used: {error}") from None
        told = f" There are {', '.join(known)}." if known else ""
        raise CannotMark(f"There is no assignment {name} in {path.parents[1]}.{told}") from None
    if not assignment.tests:
        raise CannotMark(f"{path} has no cell that gives points.")
    return assignment


def _marked(
    args: argparse.Namespace,
    directory: "CourseDirectory",
    assignment: Assignment,
    limits: Limits,
    folders: dict[str, Path],
    state: Path,
) -> list[Record]:
    from course_utils.marking.gradebook import Gradebook

    journal = Journal(state / f"{assignment.name}.jsonl")
    known = {} if args.again else journal.records()
    results: dict[str, Record] = {}
    mended: dict[str, Submission | None] = {}
    todo: list[tuple[str, str, Submission]] = []
    waiting: list[tuple[Record, Submission | None, Path]] = []
    with Gradebook(directory, assignment) as book, journal:
        for student, folder in folders.items():
            theirs = variants.assignment_for(student, assignment, state.parent)
            found = engine.examined(Work(student, folder), theirs, limits)
            key, submission = (found.key, None) if isinstance(found, Record) else found
            mended[student] = submission
            record = known.get((student, key))
            if record is None and isinstance(found, Record):
                record = found
                journal.append(record)
            if record is not None:
                results[student] = record
                waiting.append((record, submission, folder))
            elif submission is not None:
                todo.append((student, key, submission))
        book.write(waiting)
        waiting.clear()
        if todo and engine.needs_sandbox(assignment) and not args.dask:
            _check_backend(args.backend)
        written = time.monotonic()
        bar = progress_bar(len(folders), assignment.name, "submission", done=len(results))
        with bar:
            for record in _records(args, todo, assignment, limits):
                journal.append(record)
                results[record.student] = record
                waiting.append((record, mended[record.student], folders[record.student]))
                bar.update()
                if time.monotonic() > written + BATCH_SECONDS or len(waiting) >= BATCH_RECORDS:
                    book.write(waiting)
                    waiting.clear()
                    written = time.monotonic()
            book.write(waiting)
    return [results[student] for student in folders]


def _records(
    args: argparse.Namespace, todo: list[tuple[str, str, Submission]], assignment: Assignment, limits: Limits
) -> Iterator[Record]:
    workers = args.workers or (os.cpu_count() or 1)
    if args.dask:
        return cluster.mark_on_cluster(args.dask, todo, assignment, limits, args.backend)
    modules = engine.trusted_modules(assignment)

    def make() -> sandbox.Sandbox:
        return sandbox.Sandbox(args.backend, limits.memory, modules)

    return engine.mark_all(todo, assignment, limits, make, 1 if engine.quiz.is_quiz(assignment) else workers)


def _check_backend(backend: str) -> None:
    reason = sandbox.why_not_safe() if backend == "safe" else sandbox.why_not_fork()
    if reason and backend == "safe":
        raise CannotMark(
            f"There is no sandbox here: {reason}. To run the submissions without any protection, choose --backend fork "
            "or --backend nbgrader."
        )
    if reason:
        raise CannotMark(f"The backend {backend} does not work here: {reason}.")
    if backend == "fork":
        print(
            "WARNING: --backend fork has no sandbox. The submissions can read and change your files, and use the "
            "network, as you can. Use it only for code that you trust.",
            file=sys.stderr,
        )


def _with_nbgrader(course: Path, args: argparse.Namespace) -> int:
    """Let nbgrader itself do it: slower, and nothing is isolated."""
    print("WARNING: --backend nbgrader has no sandbox. The submissions can do whatever you can.", file=sys.stderr)
    command = [sys.executable, "-m", "nbgrader", "autograde", args.assignment, f"--student={args.student}"]
    done = subprocess.run([*command, *(["--force"] if args.again else [])], cwd=course, check=False)
    return int(done.returncode != 0)
