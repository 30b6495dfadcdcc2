"""Test the graders: put every small mistake into our own answers, and list those that lose no point.

    python -m course_utils.authoring.mutants ps1-heads ps4-metrics      these assignments; without a name, all

Each mutant is one answer cell with one mistake (see `mutations.py`), graded with the real test cell of its step, in a
process of its own that is stopped when it runs too long. A mistake that costs nothing is a survivor: the test cell
needs another check, or the mistake is none. Those that are none are listed, with the reason, in
``exercises/equivalent_mutants.yaml``. The command fails while there is a survivor that is not on that list. It needs
an operating system that can fork.
"""

import argparse
import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import nbformat
import torch
import yaml
from nbformat import NotebookNode

from course_utils.authoring.answers import is_answer, solution
from course_utils.authoring.in_process import Session
from course_utils.authoring.mutations import Mutant, mutants
from course_utils.files import ROOT
from course_utils.grading import Points, points

EQUIVALENT = ROOT / "exercises" / "equivalent_mutants.yaml"
SECONDS = 20.0  # by the clock, for one mutant; a right answer needs one or two
SECONDS_A_CHECK = 4.0


@dataclass(frozen=True)
class Outcome:
    """A mutant of an answer cell, and whether its test cell noticed."""

    cell: str
    mutant: Mutant
    noticed: bool

    @property
    def name(self) -> str:
        return f"{self.cell}: {self.mutant.change}"


def source_notebook(assignment: str) -> NotebookNode:
    """Return the instructor's notebook of a problem set."""
    return nbformat.read(ROOT / "exercises" / "source" / assignment / f"{assignment}.ipynb", as_version=4)


def outcomes(source: NotebookNode, jobs: int = 2) -> Iterator[Outcome]:
    """Grade every mutant of every answer cell of the notebook, ``jobs`` at a time."""
    torch.set_num_threads(1)  # a process that forks must not have started threads
    session = Session()
    cells = [cell for cell in source.cells if cell.cell_type == "code"]
    ours = {cell.id: solution(cell.source) for cell in cells if is_answer(cell)}
    for number, cell in enumerate(cells):
        if is_answer(cell):
            test = next(place for place, other in enumerate(cells) if other.id == f"test-{cell.id}")
            graded = _graded(session, cells[number : test + 1], mutants(ours[cell.id]), jobs)
            yield from (Outcome(cell.id, mutant, noticed) for mutant, noticed in graded)
        session.run([cell], ours)


def _graded(
    session: Session, cells: list[NotebookNode], changed: list[Mutant], jobs: int
) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether the last of the cells took a point from it."""
    fork = multiprocessing.get_context("fork")
    waiting, running = list(reversed(changed)), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            process = fork.Process(target=_grade_and_exit, args=(session, cells, mutant))
            process.start()
            running[process.sentinel] = process, mutant, time.monotonic() + SECONDS
        wait(list(running), timeout=1)
        for sentinel, (process, mutant, deadline) in list(running.items()):
            if process.is_alive() and time.monotonic() < deadline:
                continue
            del running[sentinel]
            yield mutant, _exit_code(process) != 0


def _exit_code(process: BaseProcess) -> int | None:
    """How the process ended; one that is still running is stopped."""
    if process.is_alive():
        process.kill()
    process.join()
    return process.exitcode


def _grade_and_exit(session: Session, cells: list[NotebookNode], mutant: Mutant) -> None:
    """Run in the child: exit with 1 at the first check that fails, with 0 when none does."""
    points.SECONDS_A_CHECK = SECONDS_A_CHECK
    check = Points.check

    def check_or_exit(
        self: Points, title: str, function: Callable[..., object], *arguments: object, worth: float = 1
    ) -> None:
        check(self, title, function, *arguments, worth=worth)
        if worth and not self._passed[-1]:
            os._exit(1)

    Points.check = check_or_exit
    Points.lend = lambda self, namespace, code: None  # all earlier answers are ours
    with open(os.devnull, "w") as nothing, contextlib.redirect_stderr(nothing):
        session.run(cells, {cells[0].id: mutant.code})
    os._exit(0)


def equivalent(file: Path = EQUIVALENT) -> dict[str, dict[str, str]]:
    """Return, for each assignment, the reason for every mutant that is as right as the original, by its name."""
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}


def main(arguments: list[str] | None = None) -> int:
    """Grade the mutants of an assignment's answers and name the survivors; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.authoring.mutants", description=(__doc__ or "").split("\n")[0]
    )
    scripts = sorted((ROOT / "exercises" / "problems").glob("*.py"))
    known = [script.stem.replace("_", "-") for script in scripts]
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help=f"one of {', '.join(known)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    options = parser.parse_args(arguments)
    if strangers := set(options.assignments) - set(known):
        parser.error(f"there is no problem set {', '.join(sorted(strangers))}; there is {', '.join(known)}")
    listed = equivalent()
    failed = False
    for assignment in options.assignments or known:
        started = time.monotonic()
        reasons = listed.get(assignment, {})
        count = harmless = unknown = 0
        for outcome in outcomes(source_notebook(assignment), options.jobs):
            count += 1
            if not outcome.noticed and outcome.name in reasons:
                harmless += 1
            elif not outcome.noticed:
                unknown += 1
                print(f"  {outcome.name}", flush=True)
        print(
            f"{assignment}: {count} mutants, {count - harmless - unknown} noticed, {harmless} equivalent, "
            f"{unknown} survivors ({time.monotonic() - started:.0f} s)",
            flush=True,
        )
        failed = failed or bool(unknown)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
