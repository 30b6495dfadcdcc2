"""Results that take too long to measure in a lesson: stored with the command that measures them again."""

import json

from course_utils.files import ASSETS

FOLDER = ASSETS / "results"


def stored_results(name: str) -> dict:
    """Return what ``assets/results/<name>.json`` holds: lines under ``"runs"``, the command under ``"measured by"``.

    Raises ValueError, with the names that there are, for another one.
    """
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json")))
        raise ValueError(f"There are no stored results called {name!r}; there are {known}.")
    return json.loads(file.read_text(encoding="utf-8"))
