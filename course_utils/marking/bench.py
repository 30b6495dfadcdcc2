"""How fast is marking? The same submissions through `mark` and through plain `nbgrader autograde`, in turns.

    python -m course_utils.marking.bench quiz-1 ps4-metrics --submissions 20 --rounds 3

Prints a table with the median seconds a submission of both, and their ratio. The submissions are the stored answers
of the assignment, repeated. Timings on a busy computer are noise; there the ratio of medians of alternating runs is the
most that can be had.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import nbformat

from course_utils.authoring.answers import fill_in, read_answers
from course_utils.files import ROOT

EXERCISES = ROOT / "exercises"


def new_course(folder: Path, name: str, count: int) -> None:
    """Write a course with one assignment and ``count`` submissions, of which no two are the same file."""
    (folder / "source" / name).mkdir(parents=True)
    shutil.copy(EXERCISES / "nbgrader_config.py", folder)
    shutil.copy(EXERCISES / "source" / name / f"{name}.ipynb", folder / "source" / name)
    books = {
        step: nbformat.read(EXERCISES / step / name / f"{name}.ipynb", as_version=4) for step in ("source", "release")
    }
    answers = [one for one in read_answers(EXERCISES / "answers" / name) if "never_ends" not in one.name]
    for number in range(count):
        place = folder / "submitted" / f"s{number:04}" / name
        place.mkdir(parents=True)
        book = fill_in(books["release"], books["source"], answers[number % len(answers)])
        book.cells.append(nbformat.v4.new_markdown_cell(f"number {number}"))
        nbformat.write(book, place / f"{name}.ipynb")


def seconds(command: list[str], folder: Path) -> float:
    """Run a command and return how long it took."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
    }
    started = perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
    return perf_counter() - started


def compare(name: str, count: int, rounds: int, workers: int) -> dict[str, float]:
    """Median seconds a submission of both ways, and how many times faster ours is."""
    ways = {
        "mark": [sys.executable, "-m", "course_utils", "mark", name, "--again", "--course=.", f"--workers={workers}"],
        "nbgrader": [sys.executable, "-m", "nbgrader", "autograde", name, "--force"],
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        new_course(Path(folder), name, count)
        seconds([sys.executable, "-m", "nbgrader", "generate_assignment", name, "--force"], Path(folder))
        for _ in range(rounds):
            for way, command in ways.items():
                found[way].append(seconds(command, Path(folder)) / count)
    medians = {way: statistics.median(values) for way, values in found.items()}
    return {**medians, "ratio": medians["nbgrader"] / medians["mark"]}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.marking.bench", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("assignments", nargs="*", default=["quiz-1", "ps1-heads", "ps4-metrics"])
    parser.add_argument("--submissions", type=int, default=20, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers as well")
    options = parser.parse_args(arguments)
    rows = {}
    print("| assignment | nbgrader, s each | mark, s each | times faster |\n|---|--:|--:|--:|")
    for name in options.assignments:
        row = rows[name] = compare(name, options.submissions, options.rounds, options.workers)
        print(f"| {name} | {row['nbgrader']:.3f} | {row['mark']:.3f} | {row['ratio']:.1f} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
