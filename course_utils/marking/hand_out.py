"""``python -m course_utils variant QUIZ STUDENT ...``: write a quiz in another order for each of some students."""

import argparse
from pathlib import Path

from course_utils.marking import quiz
from course_utils.marking.command import course_folder, find_assignment
from course_utils.marking.variants import VariantError, write_variant


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("assignment", help="the name of a quiz, for example quiz-1")
    parser.add_argument("students", nargs="+", metavar="STUDENT", help="as the folder in submitted/ will be called")
    parser.add_argument("--course", type=Path, metavar="DIR", help="the folder with source/ (default: exercises/)")


def run(args: argparse.Namespace) -> int:
    """Write a variant for each student, and return 0."""
    course = course_folder(args.course)
    assignment = find_assignment(course, args.assignment)
    if not quiz.is_quiz(assignment):
        raise VariantError(f"{assignment.name} is no quiz: it has no options that could stand in another order.")
    for student in args.students:
        print(write_variant(student, assignment, course))
    return 0
