"""``python -m course_utils test``: what `make test` runs, also where there is no make.

The tools are those of the environment that runs this: pip install -e ".[lab,grading,test]".
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from course_utils.authoring.lessons import BUILD_ENVIRONMENT, require_repository
from course_utils.files import ROOT

PARTS = ("lint", "unit", "notebooks")
QUICK_LESSONS = ("00", "01", "02", "03", "04")
FROM_THE_WHEEL = ("01",)  # run by tests/student/test_wheel.py, out of the wheel, and compared in the same way


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m course_utils test``."""
    parser.add_argument("part", nargs="?", choices=PARTS, help="only this; default: all of them, one after the other")
    parser.add_argument("--slow", action="store_true", help="the longer tests and lessons instead of the quick ones")
    parser.add_argument(
        "--workers", default="auto", metavar="N", help="files tested side by side; auto: one a core, 0: none"
    )
    parser.add_argument("--pytest", default="", metavar="ARGS", help='more for pytest, as in --pytest="-k heads -x"')


def run(args: argparse.Namespace) -> int:
    """Run the parts until one fails; return its exit status, else 0."""
    require_repository()
    for part in [args.part] if args.part else PARTS:
        for command in commands(part, args.slow, args.workers, shlex.split(args.pytest)):
            if status := _call(command):
                return status
    return 0


def commands(part: str, slow: bool, workers: str, more: list[str]) -> list[list[str]]:
    """Return what a part runs: for each command, what comes after ``python -m``."""
    if part == "lint":  # the same at any speed
        return [] if slow else [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["pyright"]]
    # A file stays with one process, because its tests share what is slow to make; the longest begin (conftest.py).
    pytest = ["pytest", "-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    if part == "unit":
        return [[*pytest, *(["-m", "slow"] if slow else []), *more]]
    comparison = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval_sanitize.cfg"]
    return [[*pytest, *comparison, "--nbval-cell-timeout=900", *more, *map(str, notebooks(slow))]]


def notebooks(slow: bool, root: Path = ROOT) -> list[Path]:
    """Return the notebooks that are run again and compared: those of the first lessons, or ``slow``, the others."""
    number = {path: path.name.split("_")[0] for path in sorted((root / "docs" / "lessons").glob("[0-9][0-9]_*.ipynb"))}
    chosen = [path for path in number if (number[path] not in QUICK_LESSONS) == slow]
    return [path.relative_to(root) for path in chosen if number[path] not in FROM_THE_WHEEL]


def _call(command: list[str]) -> int:
    """Run ``python -m command`` in the repository; notebooks with the settings that made their stored outputs."""
    with tempfile.TemporaryDirectory() as empty:
        # Threads that wait for work must not keep a core busy: two kernels side by side are six times faster so.
        environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ
        if "--nbval" in command:
            environment |= BUILD_ENVIRONMENT | {"COURSE_PROGRESS": str(Path(empty, "progress.json"))}
        # nbgrader starts `alembic` and `jupyter` by name.
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
        return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment).returncode
