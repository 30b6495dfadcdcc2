"""A student's own answers: a small JSON file that remembers which questions were answered right.

The file is theirs and stays on their machine: `~/.pretrained_vision_course/progress.json`, or the path in the
environment variable COURSE_PROGRESS. It never stops the course: a file that cannot be read is set aside and a new one
begun, and a place that cannot be written to means that answers are not remembered. Either is told once.
"""

import itertools
import json
import os
import tempfile
from pathlib import Path

VERSION = 1
_told: set[str] = set()


def progress_path() -> Path:
    """Where this student's progress is kept."""
    place = os.environ.get("COURSE_PROGRESS") or Path.home() / ".pretrained_vision_course" / "progress.json"
    return Path(place).expanduser()


def read_progress() -> dict[str, dict]:
    """What was answered, by question id: {"tries": int, "right": bool}. Empty where there is nothing to read."""
    path = progress_path()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["version"] != VERSION:
            raise ValueError(f"version {stored['version']}")
        return {
            question_id: {"tries": int(entry["tries"]), "right": bool(entry["right"])}
            for question_id, entry in stored["questions"].items()
        }
    except FileNotFoundError:
        return {}
    except OSError as error:
        _tell(f"Note: your earlier answers cannot be read ({error.strerror}: {path}). The course works without them.")
        return {}
    except (ValueError, TypeError, KeyError, AttributeError):
        _set_aside(path)
        return {}


def record(question_id: str, right: bool) -> None:
    """Add one answer. A question answered right stays right."""
    answers = read_progress()
    entry = answers.get(question_id, {"tries": 0, "right": False})
    answers[question_id] = {"tries": entry["tries"] + 1, "right": entry["right"] or right}
    try:
        _write(progress_path(), {"version": VERSION, "questions": answers})
    except OSError as error:
        _tell(f"Note: your answers are not remembered ({error.strerror}: {progress_path()}). The course works without.")


def _write(path: Path, content: dict) -> None:
    """Replace the file in one step, so that it is never half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _set_aside(path: Path) -> None:
    names = (f"{path.name}.old{number or ''}" for number in itertools.count())
    aside = next(aside for name in names if not (aside := path.with_name(name)).exists())
    try:
        os.replace(path, aside)
        _tell(f"Note: your earlier answers could not be understood; they are kept in {aside}, and a new file begins.")
    except OSError:
        _tell(f"Note: your earlier answers in {path} could not be understood. The course works without them.")


def _tell(note: str) -> None:
    """One note in a session is enough."""
    if not _told:
        print(note)
    _told.add(note)
