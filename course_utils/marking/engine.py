"""Marks submissions: what is asked of one, and how a batch of them goes through several sandboxes."""

import ast
import hashlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import monotonic

from course_utils.files import PACKAGE
from course_utils.marking import literals, quiz
from course_utils.marking.protocol import Overdue, ProtocolError
from course_utils.marking.reader import Notebook, UnreadableNotebook, parse_notebook
from course_utils.marking.results import CellResult, Record, Status, capped
from course_utils.marking.sandbox import Sandbox, SandboxDied, receive
from course_utils.marking.submission import Assignment, Submission, choose_notebook, mended

SECONDS_A_TEST = 150  # the judge limits a test cell itself, see grading/points.py; this is the net below


@dataclass(frozen=True)
class Limits:
    """What one submission may use: seconds for each of its cells, MB of memory on top of torch."""

    seconds_a_cell: float = 60.0
    memory: int = 4096


@dataclass(frozen=True)
class Work:
    """A submission as it lies in the folder ``submitted/``."""

    student: str
    folder: Path


@cache
def engine_version() -> str:
    """A hash of all code that a mark depends on, apart from the tests themselves."""
    digest = hashlib.sha256()
    for path in sorted([*(PACKAGE / "grading").glob("*.py"), *(PACKAGE / "marking").glob("*.py")]):
        digest.update(path.read_bytes())
    digest.update((PACKAGE / "quiz" / "judging.py").read_bytes())
    return digest.hexdigest()


def key_of(content: str, assignment: Assignment, limits: Limits) -> str:
    """What the marks of a notebook depend on, as one hash."""
    parts = [content, assignment.sha256, engine_version(), f"{limits.seconds_a_cell} {limits.memory}"]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def examined(work: Work, assignment: Assignment, limits: Limits) -> Record | tuple[str, Submission]:
    """Read a submission: return the key and the mended notebook, or the record of one that cannot be read."""
    nothing = Record(work.student, assignment.name, "", Status.MISSING)
    try:
        notebook, notes = choose_notebook(work.folder, assignment)
        return prepared(notebook, assignment, limits, tuple(notes))
    except FileNotFoundError:
        return replace(nothing, key=key_of("missing", assignment, limits), reason="There is no notebook.")
    except UnreadableNotebook as error:
        key = key_of(f"unreadable {error} {_stamp(work.folder)}", assignment, limits)
        return replace(nothing, key=key, status=Status.UNREADABLE, reason=str(error))


def prepared(
    notebook: Notebook, assignment: Assignment, limits: Limits, notes: tuple[str, ...] = ()
) -> tuple[str, Submission]:
    """The key of a notebook, and its cells beside the assignment's."""
    submission = mended(notebook, assignment)
    return key_of(notebook.sha256, assignment, limits), replace(submission, notes=notes + submission.notes)


def _stamp(folder: Path) -> str:
    try:
        return str(sorted((path.name, path.lstat().st_mtime_ns) for path in folder.iterdir()))
    except OSError:
        return ""


def mark(
    student: str, key: str, submission: Submission, assignment: Assignment, limits: Limits, sandbox: Sandbox
) -> Record:
    """Mark one submission. Whatever it does, this returns a record."""
    started = monotonic()
    record = Record(student, assignment.name, key, Status.GRADED, notes=submission.notes)
    answers = [part for part in assignment.parts if part.is_answer]
    present = {
        step.part.grade_id for step in submission.steps if step.part and step.part.is_answer and step.source.strip()
    }
    if answers and not present:
        reason = "No answer cell of the assignment was found in the notebook."
        return replace(record, status=Status.NEEDS_A_LOOK, reason=reason, seconds=_since(started))
    if quiz.is_quiz(assignment):
        try:
            results, errors = quiz.judge_literals(submission, assignment)
        except literals.NotLiteral:
            pass
        else:
            status = Status.STUDENT_ERROR if errors else Status.GRADED
            reason = "A cell of the student's has an error." if errors else ""
            return replace(record, status=status, reason=reason, cells=tuple(results), seconds=_since(started))
    return replace(_in_sandbox(record, submission, assignment, limits, sandbox), seconds=_since(started))


def _since(started: float) -> float:
    return round(monotonic() - started, 3)


def _in_sandbox(
    record: Record, submission: Submission, assignment: Assignment, limits: Limits, sandbox: Sandbox
) -> Record:
    steps, places = [], []
    for place, step in enumerate(submission.steps):
        if step.kind == "code":
            if step.part is not None and step.part.points is not None:
                about = {"role": "test", "grade_id": step.part.grade_id, "points": step.part.points}
            else:
                about = {"role": "own" if step.is_students else "setup"}
            steps.append({"source": step.source, **about})
            places.append(place)
    results: dict[str, CellResult] = {}
    outputs: dict[int, str] = {}
    status, reason, tampered, failed = None, "", "", ""
    longest = limits.seconds_a_cell + SECONDS_A_TEST
    try:
        with sandbox.submission() as channel:
            channel.send({"steps": steps, "seconds_a_cell": limits.seconds_a_cell}, seconds=30)
            until = monotonic() + longest
            while status is None:
                event = receive(channel, until)
                if event["event"] == "test":
                    points = next(part.maximum for part in assignment.tests if part.grade_id == event["grade_id"])
                    result = CellResult(
                        event["grade_id"], points, event["earned"], capped(event["output"]), event["seconds"]
                    )
                    results[result.grade_id] = result
                elif event["event"] == "own":
                    text = event["output"] if not event["error"] else f"{event['output']}\n[{event['error']}]"
                    outputs[places[event["place"]]] = capped(text)
                    failed = failed or event["error"]
                elif event["event"] == "tampered":
                    tampered = tampered or event["reason"]
                elif event["event"] == "end":
                    status, reason = Status(event["status"]), event["reason"]
                until = monotonic() + longest
        sandbox.finish()
    except Overdue:
        status, reason = Status.TIMED_OUT, f"Nothing happened for {longest:.0f} seconds."
        sandbox.close()
    except (SandboxDied, ProtocolError):
        status, reason = Status.CRASHED, "The sandbox broke down, perhaps because the memory was used up."
        sandbox.close()
    if status is Status.STUDENT_ERROR:
        reason = f"A cell of the student's raised an error ({failed})."
    if tampered:
        status, reason = Status.NEEDS_A_LOOK, tampered
    judged = [results.get(part.grade_id) or CellResult(part.grade_id, part.maximum, None) for part in assignment.tests]
    reason = capped(" ".join(reason.split()), 300)
    return replace(record, status=status, reason=reason, cells=tuple(judged), outputs=tuple(sorted(outputs.items())))


def trusted_modules(assignment: Assignment) -> tuple[str, ...]:
    """The modules that the assignment's own cells import, so that the warm process has them ready."""
    found = set()
    for part in assignment.parts:
        if part.kind != "code" or part.is_answer:
            continue
        try:
            tree = ast.parse(part.source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return tuple(sorted(name for name in found if not name.startswith("google")))


def mark_all(
    work: list[tuple[str, str, Submission]],
    assignment: Assignment,
    limits: Limits,
    make_sandbox: Callable[[], Sandbox],
    workers: int = 1,
) -> Iterator[Record]:
    """Mark (student, key, submission) one after another in each of several sandboxes; yield records as they come."""
    todo: queue.SimpleQueue = queue.SimpleQueue()
    done: queue.SimpleQueue = queue.SimpleQueue()
    for item in work:
        todo.put(item)
    stop = threading.Event()

    def labour() -> None:
        with make_sandbox() as sandbox:
            while not stop.is_set():
                try:
                    student, key, submission = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    done.put(mark(student, key, submission, assignment, limits, sandbox))
                except BaseException as error:  # a mistake of ours, or no sandbox: the batch must hear of it
                    done.put(error)
                    return

    threads = [threading.Thread(target=labour, daemon=True) for _ in range(min(workers, len(work)))]
    for thread in threads:
        thread.start()
    try:
        for _ in work:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=5)


def mark_bytes(content: bytes, student: str, assignment: Assignment, limits: Limits, sandbox: Sandbox) -> Record:
    """Mark a notebook that is given as bytes, on another computer for example."""
    try:
        key, submission = prepared(parse_notebook(content), assignment, limits)
    except UnreadableNotebook as error:
        key = key_of(hashlib.sha256(content).hexdigest(), assignment, limits)
        return Record(student, assignment.name, key, Status.UNREADABLE, reason=str(error))
    return mark(student, key, submission, assignment, limits, sandbox)


def needs_sandbox(assignment: Assignment) -> bool:
    """Whether every submission of the assignment has to be run."""
    return not quiz.is_quiz(assignment)
