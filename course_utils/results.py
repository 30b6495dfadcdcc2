"""Results that take longer than a lesson may: stored in the package, with the command that makes them again.

stored_results("depth")["runs"] is a list of dicts, one for each training; ``values`` picks the numbers of some of them.
"""

import json
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.files import ASSETS

FOLDER = ASSETS / "results"


class ResultsError(CourseError, ValueError):
    """Results that are not there; the message says which are."""


def stored_results(name: str, folder: Path = FOLDER) -> dict:
    """Return what ``<name>.json`` holds: ``command``, ``recipe`` and ``runs``, a dict for each run.

    A ResultsError names the files that are there where this one is not.
    """
    file = folder / f"{name}.json"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise ResultsError(f"There are no stored results called {name!r}; stored are: {there}.")
    return json.loads(file.read_text(encoding="utf-8"))


def values(runs: list[dict], number: str, **same: object) -> list[float]:
    """Return ``number`` of every run whose other entries are as given: ``values(runs, "plain", pictures=500)``.

    A ResultsError where no run fits.
    """
    found = [run[number] for run in runs if all(run.get(key) == value for key, value in same.items())]
    if not found:
        raise ResultsError(f"No stored run has {', '.join(f'{key}={value!r}' for key, value in same.items())}.")
    return found
