"""``python -m course_utils similarity ASSIGNMENT``: submissions that are alike, side by side, for a person to look at.

Everything happens on this computer, and nothing of a submission is run.
"""

import argparse
from pathlib import Path

from course_utils.errors import reason_of, shown
from course_utils.files import write_text
from course_utils.marking import quiz
from course_utils.marking.command import CannotMark, course_folder, find_assignment
from course_utils.marking.pairs import closest_pairs, read_answers, reference
from course_utils.marking.pairs_page import NO_PROOF, page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("assignment", help="its name, for example ps1-heads")
    parser.add_argument("--course", type=Path, metavar="DIR", help="the folder with submitted/ (default: exercises/)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the page (default: .marking/similarity-NAME.html)")
    parser.add_argument("--pairs", type=int, default=20, metavar="N", help="how many pairs are shown (default: 20)")


def run(args: argparse.Namespace) -> int:
    """Write the page, print the closest pairs, and return 0."""
    from course_utils.marking.gradebook import course_directory, submitted_folders

    if args.pairs < 1:
        raise CannotMark("--pairs must be 1 or more.")
    course = course_folder(args.course)
    assignment = find_assignment(course, args.assignment)
    if quiz.is_quiz(assignment):
        raise CannotMark(f"{assignment.name} is a quiz: its answers are letters and numbers, no code to compare.")
    found, left_out = read_answers(submitted_folders(course_directory(course), assignment.name), assignment)
    if len(found) < 2:
        raise CannotMark(
            f"There is nothing to compare: {len(found)} submissions of {assignment.name} in {course / 'submitted'} "
            "hold code of their own."
        )
    comparison = closest_pairs(found, reference(assignment), args.pairs)
    out = args.out or course / ".marking" / f"similarity-{assignment.name}.html"
    try:
        if not args.out:
            out.parent.mkdir(exist_ok=True)
        write_text(out, page(assignment.name, comparison, left_out))
    except (OSError, ValueError) as error:
        raise CannotMark(f"{shown(out)} cannot be written: {reason_of(error)}.") from None
    print(f"{comparison.submissions} submissions compared; the pair in the middle has {comparison.median:.2f} of 1.")
    for pair in comparison.pairs:
        print(f"  {pair.score:.2f}  {shown(pair.one.student, 40)} and {shown(pair.other.student, 40)}")
    if left_out:
        print(f"Not compared: {', '.join(shown(student, 40) for student in left_out)}; the page says why.")
    print(f"{NO_PROOF}\nSide by side: {shown(out)}")
    return 0
