"""A corpus of hostile submissions, one after another in one sandbox, each followed by one that must score in full."""

import hashlib
import os
import subprocess
from pathlib import Path

import nbformat
import pytest
from exercise_files import ASSIGNMENTS
from hostile_case import Case
from hostile_cases import CASES
from marking_tools import answered, cell, marked, total, warm_sandbox

from course_utils.marking.results import Status
from course_utils.marking.sandbox import why_not_safe

pytestmark = [
    pytest.mark.skipif(bool(why_not_safe()), reason=why_not_safe() or "there is a sandbox"),
]

# What `make test` runs; `make test-slow` has all.
ALWAYS = (
    "bank",
    "points_patched",
    "files",
    "exit_now",
)
PROTECTED = [Path(__file__).resolve().parents[2] / name for name in ("exercises", "course_utils", "pyproject.toml")]


os.environ["SECRET_TOKEN"] = "do-not-tell"  # of the grader; no sandbox has been started yet


@pytest.fixture(scope="module")
def sandbox():
    """The sandbox of all cases, and a look around after the last one."""
    before = fingerprint()
    yield warm_sandbox()
    assert fingerprint() == before, "a submission has changed files outside of its sandbox"
    assert not left_behind(), "a submission has left a process behind"


def fingerprint() -> str:
    digest = hashlib.sha256()
    for root in PROTECTED:
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path} ".encode() + path.read_bytes())
    return digest.hexdigest()


def left_behind() -> list[str]:
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in processes if "98765" in line and "time.sleep" in line]


def submission(case: Case) -> nbformat.NotebookNode:
    book = answered(case.assignment, case.base)
    if case.into:
        answer = cell(book, case.into)
        answer.source = f"{answer.source}\n{case.code}"
    elif case.code:
        book.cells.insert(1, nbformat.v4.new_code_cell(case.code))
    return book


# Who comes next: of another assignment where the case's own takes seconds, for the processes are the same.
NEXT = {"ps1-heads": "ps4-metrics"}


def control(name: str) -> nbformat.NotebookNode:
    """A right submission that has to be run, even where its answers are literals."""
    book = answered(name)
    book.cells.insert(1, nbformat.v4.new_code_cell("here = globals()"))
    return book


def parameter(case: Case) -> pytest.ParameterSet:
    return pytest.param(case, id=case.name, marks=[] if case.name in ALWAYS else [pytest.mark.slow])


@pytest.mark.parametrize("case", [parameter(case) for case in CASES])
def test_it_gets_what_it_deserves_and_the_next_one_too(case, sandbox):
    record = marked(submission(case), case.assignment, sandbox)
    said = "\n".join([text for _, text in record.outputs] + [result.output for result in record.cells])
    told = " ".join(f"{record.reason} {said}".split())
    assert record.status in case.statuses, (record.status, record.reason)
    if case.score is not None:
        assert record.score == pytest.approx(case.score), (record.status, record.reason, said[-2000:])
    assert record.earned <= total(case.assignment)
    assert case.says in told, told[-2000:]
    assert "LEAKED" not in said, said
    assert bool(record.next_step) == bool(record.reason) or record.status is Status.STUDENT_ERROR
    assert len(record.reason) < 400 and record.reason.isprintable()
    assert len(said) < 1_000_000
    following = NEXT.get(case.assignment, case.assignment)
    after = marked(control(following), following, sandbox)
    assert (after.status, after.score) == (Status.GRADED, total(following)), after.reason


@pytest.mark.slow
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_after_all_of_them_every_assignment_scores_in_full(name, sandbox):
    record = marked(control(name), name, sandbox)
    assert (record.status, record.score) == (Status.GRADED, total(name)), record.reason


def test_the_corpus_is_as_large_as_it_says():
    assert len({case.name for case in CASES}) == len(CASES) > 150


def test_the_environment_of_the_grader_is_not_seen(sandbox):
    book = control("ps4-metrics")
    book.cells.insert(1, nbformat.v4.new_code_cell("import os\nprint(dict(os.environ), os.getcwd(), os.listdir('/'))"))
    record = marked(book, "ps4-metrics", sandbox)
    said = "\n".join(text for _, text in record.outputs)
    assert "do-not-tell" not in said
    assert "HOME" in said
