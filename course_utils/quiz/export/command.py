"""``python -m course_utils export-questions``: the question bank as a file for Moodle and other platforms.

python -m course_utils export-questions --format moodle-xml --quiz quiz-2 --out quiz-2.xml
python -m course_utils export-questions --format qti --lesson 03 --out lesson-03.zip
"""

import argparse
import sys
from pathlib import Path

from course_utils.quiz.bank import BankError, whole_bank
from course_utils.quiz.question import Question

FORMATS = ("gift", "moodle-xml", "qti")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", required=True, choices=FORMATS, help="Moodle GIFT, Moodle XML, or IMS QTI 2.1 (zip)"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the file to write")
    parser.add_argument("--lesson", default="", metavar="NN", help='only questions of this lesson, such as "03"')
    parser.add_argument("--quiz", default="", metavar="QUIZ", help='only questions of this quiz, such as "quiz-2"')
    parser.add_argument(
        "--questions", type=Path, metavar="DIR", help="YAML files of your own, which add or replace questions"
    )


def run(args: argparse.Namespace) -> int:
    try:
        questions = chosen(whole_bank(own=args.questions), args.lesson, args.quiz)
        content = export(questions, args.format, title=args.quiz or args.lesson or "All questions")
        args.out.write_bytes(content)
    except (BankError, LookupError, OSError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)
        return 1
    print(f"{len(questions)} questions written to {args.out}")
    return 0


def chosen(bank: dict[str, Question], lesson: str = "", quiz: str = "") -> list[Question]:
    """The questions of a lesson ("03" or its whole name), of a quiz, of both, or all. Raises LookupError for none."""
    found = [
        question
        for question in bank.values()
        if (not lesson or question.lesson == lesson or question.lesson.startswith(f"{lesson}_"))
        and (not quiz or question.quiz == quiz)
    ]
    if not found:
        lessons = ", ".join(sorted({question.lesson for question in bank.values()}))
        quizzes = ", ".join(sorted({question.quiz for question in bank.values() if question.quiz}))
        announced = f"The quizzes are {quizzes}." if quizzes else "Graded quizzes are in the course's repository only."
        raise LookupError(f"No question fits. The lessons are {lessons}. {announced}")
    # Those of a lesson side by side, also where an instructor's own file has the name of a lesson.
    return sorted(found, key=lambda question: question.lesson)


def export(questions: list[Question], format: str, title: str) -> bytes:
    """The content of the file. Raises ValueError for a format that is not in FORMATS."""
    if format == "gift":
        from course_utils.quiz.export.gift import gift

        return gift(questions)
    if format == "moodle-xml":
        from course_utils.quiz.export.moodle_xml import moodle_xml

        return moodle_xml(questions)
    if format == "qti":
        from course_utils.quiz.export.qti import qti_package

        return qti_package(questions, title)
    raise ValueError(f"There is no format {format!r}; the formats are {', '.join(FORMATS)}.")
