"""What a completion record holds, how it is signed, and how it is read again.

The signature is Ed25519, because whoever checks it then needs no secret: a keyed hash could be checked only with the
key that made it. The key is made at the first record and stays beside the student's answers. What the signature shows
and what it cannot show stands in `PROVES` and `DOES_NOT_PROVE`, and on every record.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError, reason_of, shown
from course_utils.files import read_regular
from course_utils.quiz.notebook import practice_questions
from course_utils.quiz.prediction import Prediction
from course_utils.quiz.predictions import PREDICTIONS, load_predictions
from course_utils.quiz.progress import as_lines, progress_path
from course_utils.quiz.question import Question

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORM = "completion record 1 of the course on pre-trained vision models"
FILE = "completion-record"
LARGEST = 1_000_000  # bytes of a record that is read; ours has about 3000
LONGEST_NAME = 100
PROVES = (
    "It proves that these counts, and the hash of the file of answers that they were counted from, are as they were "
    "signed with the key named here: nothing in the record was changed afterwards."
)
DOES_NOT_PROVE = (
    "It does not prove who answered, or with what help, nor that the date is right. The student's own computer keeps "
    "the answers, holds the key and made the signature, so its owner could have changed the answers before, or made "
    "another key. A key that is known from an earlier record shows that both records come from the same place."
)


class CertificateError(CourseError, ValueError):
    """A completion record cannot be written or read; the message says why and what to do."""


@dataclass(frozen=True)
class LessonCount:
    """One lesson: its practice questions, and its results to guess at; how many of each were done."""

    lesson: str
    questions: int
    answered: int
    right: int
    right_at_first_try: int
    predictions: int
    guesses: int


@dataclass(frozen=True)
class CompletionRecord:
    """What is signed. ``answers_sha256`` is the hash of the file that `save_progress` writes from the same answers."""

    form: str
    name: str
    date: str
    answers_sha256: str
    lessons: tuple[LessonCount, ...]

    @property
    def total(self) -> LessonCount:
        """The sum of all lessons."""
        numbers = [field.name for field in fields(LessonCount) if field.name != "lesson"]
        return LessonCount("All lessons", *(sum(getattr(one, name) for one in self.lessons) for name in numbers))


@dataclass(frozen=True)
class Signed:
    """A record with its signature (128 hexadecimal digits) and the public key that checks it (64)."""

    record: CompletionRecord
    public_key: str
    signature: str

    @property
    def fingerprint(self) -> str:
        """The key in a form that people can compare: 16 hexadecimal digits in groups of four."""
        digits = hashlib.sha256(bytes.fromhex(self.public_key)).hexdigest()[:16]
        return " ".join(digits[place : place + 4] for place in range(0, 16, 4))

    @property
    def is_valid(self) -> bool:
        """Whether the record is what was signed with this key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), signed_bytes(self.record))
        except (InvalidSignature, ValueError):
            return False
        return True


def completion_record(name: str, entries: Sequence[dict], today: date | None = None) -> CompletionRecord:
    """Count what was answered. Raises CertificateError for a name that cannot be printed, or where nothing was done."""
    name = " ".join(name.split())
    # Two invisible letters join others in Persian and Hindi names; the rest of their kind turns a line around.
    if not name or not name.replace("\u200c", "").replace("\u200d", "").isprintable():
        raise CertificateError("Give the name that the record is for, in letters that can be printed.")
    if len(name) > LONGEST_NAME:
        raise CertificateError(f"The name has {len(name)} characters; at most {LONGEST_NAME} fit on the record.")
    lessons = count_by_lesson(entries, practice_questions(), load_predictions(PREDICTIONS).values())
    if not any(lesson.answered or lesson.guesses for lesson in lessons):
        raise CertificateError(
            f"There is no answer to a question of the lessons in {shown(progress_path())} yet. Answer some, or bring "
            "yours with load_progress()."
        )
    digest = hashlib.sha256(as_lines(entries).encode("ascii")).hexdigest()
    return CompletionRecord(FORM, name, (today or date.today()).isoformat(), digest, lessons)


def count_by_lesson(
    entries: Iterable[dict], questions: Iterable[Question], predictions: Iterable[Prediction]
) -> tuple[LessonCount, ...]:
    """Count by lesson, in the order of the lessons.

    A question counts as right at the first try where the first thing recorded of it is one try that was right. Of
    answers that `load_progress` has added up that cannot be told any more; they do not count.
    """
    answered: dict[str, bool] = {}
    at_first: dict[str, bool] = {}
    guessed = set()
    for entry in entries:
        if "guess" in entry:
            guessed.add(entry["guess"])
            continue
        question, right = entry["question"], entry["right"]
        answered[question] = answered.get(question, False) or right
        at_first.setdefault(question, right and entry["tries"] == 1)
    asked: dict[str, list[str]] = {}
    offered: dict[str, list[str]] = {}
    for question in questions:
        asked.setdefault(question.lesson, []).append(question.id)
    for prediction in predictions:
        offered.setdefault(prediction.lesson, []).append(prediction.id)
    return tuple(
        LessonCount(
            lesson=lesson,
            questions=len(asked.get(lesson, ())),
            answered=sum(name in answered for name in asked.get(lesson, ())),
            right=sum(answered.get(name, False) for name in asked.get(lesson, ())),
            right_at_first_try=sum(at_first.get(name, False) for name in asked.get(lesson, ())),
            predictions=len(offered.get(lesson, ())),
            guesses=sum(name in guessed for name in offered.get(lesson, ())),
        )
        for lesson in sorted(asked.keys() | offered.keys())
    )


def signed_bytes(record: CompletionRecord) -> bytes:
    """Return what the signature covers: the record as JSON in ASCII, keys sorted, without spaces."""
    return json.dumps(asdict(record), sort_keys=True, separators=(",", ":")).encode("ascii")


def sign(record: CompletionRecord, key: "Ed25519PrivateKey") -> Signed:
    """Return the record with its signature."""
    return Signed(record, key.public_key().public_bytes_raw().hex(), key.sign(signed_bytes(record)).hex())


def own_key() -> "Ed25519PrivateKey":
    """Return the key that lies beside the student's answers; the first time it is made. Raises CertificateError."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = progress_path().with_name("certificate-key.pem")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise CertificateError(f"No key can be made in {shown(path.parent)}: {reason_of(error)}.") from None
    else:
        key = Ed25519PrivateKey.generate()
        form, locked = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        with os.fdopen(new, "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, form, locked))
        return key
    try:
        key = serialization.load_pem_private_key(read_regular(path, 10_000), password=None)
        if isinstance(key, Ed25519PrivateKey):
            return key
        reason = "it is of another kind"
    except (OSError, ValueError, TypeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is damaged"
    raise CertificateError(f"The key {shown(path)} cannot be used: {reason}. Move it away, and a new one is made.")


def read_certificate(path: Path) -> Signed:
    """Read a JSON file of `save_certificate`, without judging its signature. Raises CertificateError."""
    try:
        text = read_regular(path, LARGEST).decode("utf-8-sig")
        return _parsed(json.loads(text, object_pairs_hook=_once))
    except OSError as error:
        raise CertificateError(f"{shown(path)} cannot be opened: {reason_of(error)}.") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CertificateError(
            f"{shown(path)} is no completion record; `python -m course_utils certificate` writes one, as {FILE}.json."
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that names a field twice would read differently to different programs."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _parsed(stored: dict) -> Signed:
    lessons = tuple(LessonCount(**lesson) for lesson in stored["record"]["lessons"])
    signed = Signed(
        CompletionRecord(**{**stored["record"], "lessons": lessons}), stored["public_key"], stored["signature"]
    )
    record = signed.record
    texts = [record.form, record.name, record.date, record.answers_sha256, signed.signature, signed.public_key]
    numbers = [value for lesson in lessons for name, value in asdict(lesson).items() if name != "lesson"]
    right_types = all(type(text) is str for text in [*texts, *(lesson.lesson for lesson in lessons)])
    if set(stored) != {"record", "public_key", "signature"} or record.form != FORM or not right_types:
        raise ValueError
    if not all(type(number) is int and 0 <= number < 10**6 for number in numbers):
        raise ValueError
    bytes.fromhex(signed.public_key)
    return signed


def require_cryptography() -> None:
    """Raise CertificateError where the package that signs is not installed."""
    try:
        import cryptography.hazmat.primitives  # noqa: F401 - whether it is there
    except ImportError:
        raise CertificateError(
            "Signing needs the package cryptography: run `python -m pip install cryptography`, then try again."
        ) from None
