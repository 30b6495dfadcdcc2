"""``python -m course_utils certificate``: a completion record without a server, signed on the student's own computer.

python -m course_utils certificate --name "Ada" --out FOLDER     writes completion-record.json and .html
python -m course_utils certificate --check completion-record.json
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from course_utils.errors import reason_of, shown
from course_utils.files import write_text
from course_utils.quiz.completion_page import page
from course_utils.quiz.completion_record import (
    DOES_NOT_PROVE,
    FILE,
    PROVES,
    CertificateError,
    completion_record,
    own_key,
    read_certificate,
    require_cryptography,
    sign,
)
from course_utils.quiz.progress import read_recorded


def save_certificate(name: str, folder: str | Path = ".") -> None:
    """Write a signed record of your answers into a folder: a page to print, and a JSON file that others can check.

    Raises CertificateError where nothing was answered yet, or a file cannot be read or written.
    """
    require_cryptography()
    folder = Path(folder).expanduser()
    signed = sign(completion_record(name, read_recorded()), own_key())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / f"{FILE}.json", json.dumps(asdict(signed), indent=1) + "\n")
        write_text(folder / f"{FILE}.html", page(signed))
    except (OSError, ValueError) as error:  # ValueError for a path with a zero in it
        raise CertificateError(f"The record cannot be written into {shown(folder)}: {reason_of(error)}.") from None
    print(f"Written: {shown(folder / FILE)}.html to print, and .json to hand in.\n{PROVES}\n{DOES_NOT_PROVE}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--name", help="write a record of your answers, for this name")
    task.add_argument("--check", type=Path, metavar="FILE", help="say whether a record is as it was signed")
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="FOLDER", help="where it is written (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Write a record, or check one: 0 where it is as it was signed, 1 where it is not."""
    if args.name is not None:
        save_certificate(args.name, args.out)
        return 0
    require_cryptography()
    signed = read_certificate(args.check)
    if not signed.is_valid:
        print("This record is not what its key signed: it was changed afterwards, or put together from several.")
        return 1
    record, total = signed.record, signed.record.total
    print(f"This record is as it was signed, with the key {signed.fingerprint}.")
    print(f"Name: {shown(record.name)}. Date: {shown(record.date)}. File of answers: {shown(record.answers_sha256)}.")
    for lesson in [*record.lessons, total]:
        print(
            f"  {shown(lesson.lesson):32} {lesson.answered:3} of {lesson.questions:3} answered, {lesson.right:3} right,"
            f" {lesson.right_at_first_try:3} at the first try; {lesson.guesses} of {lesson.predictions} guesses"
        )
    print(f"{PROVES}\n{DOES_NOT_PROVE}")
    return 0
