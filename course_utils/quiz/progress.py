"""A student's own answers: a small file that remembers which questions were answered right, and what was guessed.

The file is theirs and stays on their machine: `~/.pretrained_vision_course/progress.json`, or the path in the
environment variable COURSE_PROGRESS. Each answer is one line, added at the end in one write, so that notebooks that are
open side by side lose nothing of each other's:

    {"question": "what-eval-does", "tries": 1, "right": true}
    {"guess": "frozen-or-not", "answer": "a"}

It never stops the course: a file that cannot be read is set aside and a new one begun, and a place that cannot be
written to means that answers are not remembered. Either is told once.
"""

import itertools
import json
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.files import write_text

LARGEST = 20_000_000  # bytes; a hundred thousand answers are a quarter of it
_MOST_TRIES = 1_000_000
_told: set[str] = set()


class ProgressError(CourseError, ValueError):
    """A file with answers cannot be saved or loaded; the message says why."""


class _NotOurs(ValueError):
    """This is no file of answers."""


def progress_path() -> Path:
    """Return where this student's progress is kept."""
    place = os.environ.get("COURSE_PROGRESS") or Path.home() / ".pretrained_vision_course" / "progress.json"
    return Path(place).expanduser()


def read_progress() -> dict[str, dict]:
    """Return what was answered, by question id: {"tries": int, "right": bool}. Empty where there is nothing to read."""
    return _answers(_kept())


def read_recorded() -> tuple[dict, ...]:
    """Return every answer and guess as it was recorded, the oldest first, in the form shown above."""
    return tuple(_kept())


def read_guesses() -> dict[str, str]:
    """Return the last guess at each prediction, by its id, as it was typed or pressed."""
    return {entry["guess"]: entry["answer"] for entry in _kept() if "guess" in entry}


def record(question_id: str, right: bool) -> None:
    """Add one answer. A question answered right stays right."""
    _add([{"question": question_id, "tries": 1, "right": right}])


def record_guess(prediction_id: str, answer: str) -> None:
    """Add one guess; the last one counts."""
    _add([{"guess": prediction_id, "answer": answer[:200]}])


def save_progress(file: str | Path = "my-course-progress.json") -> None:
    """Write your answers into a file that you can download, keep, and `load_progress` elsewhere (Colab forgets them).

    In Colab the browser offers it as a download at once. Raises ProgressError where the file cannot be written.
    """
    path = Path(file).expanduser()
    entries = _kept()
    try:
        write_text(path, as_lines(entries))
    except OSError as error:
        raise ProgressError(f"Your answers cannot be saved in {path} ({error.strerror}).") from None
    print(f"{_count(entries)} saved in {path}. Keep that file; load_progress({str(file)!r}) brings them back.")
    if colab := _colab_files():
        colab.download(str(path))


def load_progress(file: str | Path = "my-course-progress.json") -> None:
    """Add the answers of a file from `save_progress` to those that are here; loading it twice changes nothing.

    In Colab you are asked for the file where it is not there. Raises ProgressError where there is none, or it is
    something else.
    """
    path = Path(file).expanduser()
    if (colab := _colab_files()) and not path.exists():
        path = Path(next(iter(colab.upload()), path))  # the browser may have given it another name
    try:
        entries = _read(path)
    except OSError as error:
        raise ProgressError(f"Your answers cannot be loaded from {path} ({error.strerror}).") from None
    except _NotOurs as error:
        raise ProgressError(f"{path} is no file of answers ({error}); save_progress() writes one.") from None
    here, guessed = read_progress(), read_guesses()
    new = []
    for question, theirs in _answers(entries).items():
        ours = here.get(question, {"tries": 0, "right": False})
        if theirs["tries"] > ours["tries"] or theirs["right"] > ours["right"]:
            more = max(0, theirs["tries"] - ours["tries"])
            new.append({"question": question, "tries": more, "right": theirs["right"]})
    new += [entry for entry in entries if "guess" in entry and entry["guess"] not in guessed]
    if new:
        _add(new)
    print(f"{_count(entries)} loaded from {path}.")


def _colab_files() -> Any:
    """Colab's module for downloads and uploads, None elsewhere."""
    return import_module("google.colab.files") if "google.colab" in sys.modules else None


def _answers(entries: list[dict]) -> dict[str, dict]:
    """The sum of all answers to each question."""
    answers: dict[str, dict] = {}
    for entry in entries:
        if "question" in entry:
            before = answers.get(entry["question"], {"tries": 0, "right": False})
            answers[entry["question"]] = {
                "tries": before["tries"] + entry["tries"],
                "right": before["right"] or entry["right"],
            }
    return answers


def _count(entries: list[dict]) -> str:
    number = len(_answers(entries))
    return f"Answers to {number} question{'' if number == 1 else 's'}"


def _kept() -> list[dict]:
    """What the student's file holds; a file that is something else is set aside."""
    path = progress_path()
    try:
        return _read(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        _tell(f"Note: your earlier answers cannot be read ({error.strerror}: {path}). The course works without them.")
    except _NotOurs:
        _set_aside(path)
    return []


def _read(path: Path) -> list[dict]:
    """The entries of a file. Raises OSError, or _NotOurs for a file that holds none though it is not empty."""
    if path.exists() and not path.is_file():  # a folder, a pipe, a device: reading could wait for ever
        raise OSError(0, "it is no ordinary file")
    if path.stat().st_size > LARGEST:
        raise _NotOurs("it is too large")
    text = path.read_text(encoding="utf-8", errors="replace")
    entries, rest = _from_version_1(text)
    # A last line that was cut off, by a full disk or a computer that lost its power, costs that line only.
    entries += [entry for line in rest.splitlines() for entry in _entry(line)]
    if not entries and text.strip():
        raise _NotOurs("it holds no answer")
    return entries


def _entry(line: str) -> list[dict]:
    """The entry in a line, in a list, or an empty list where there is none."""
    try:
        entry = json.loads(line)
        if isinstance(entry["guess"] if "guess" in entry else entry["question"], str):
            return [_checked(entry)]
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return []


def _checked(entry: dict) -> dict:
    if "guess" in entry:
        return {"guess": entry["guess"], "answer": str(entry["answer"])}
    tries, right = entry["tries"], entry["right"]
    if type(tries) is not int or not 0 <= tries <= _MOST_TRIES or type(right) is not bool:
        raise ValueError("tries and right")
    return {"question": entry["question"], "tries": tries, "right": right}


def _from_version_1(text: str) -> tuple[list[dict], str]:
    """The entries of a file that the course's first version began, one JSON object, and the text behind it."""
    try:
        stored, end = json.JSONDecoder().raw_decode(text)
        if stored["version"] == 1:
            return [_checked({"question": name, **entry}) for name, entry in stored["questions"].items()], text[end:]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    return [], text


def as_lines(entries: Iterable[dict]) -> str:
    """Return entries as the text of a file of answers."""
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def _add(entries: list[dict]) -> None:
    """Add lines at the end of the student's file, all in one write."""
    path = progress_path()
    _kept()  # sets a foreign file aside before anything is added to it
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, "it is no ordinary file")
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab", buffering=0) as file:
            begun = "" if _ends_with_a_line(path) else "\n"
            file.write((begun + as_lines(entries)).encode("ascii"))
    except OSError as error:
        _tell(f"Note: your answers are not remembered ({error.strerror}: {path}). The course works without.")


def _ends_with_a_line(path: Path) -> bool:
    """Whether what is added begins on a line of its own; not after version 1, or a line that was cut off."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read() in (b"", b"\n")


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
