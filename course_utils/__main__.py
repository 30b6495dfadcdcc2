"""The course's commands: ``python -m course_utils lab``, ``doctor``; ``--help`` after any of them tells more."""

from __future__ import annotations  # so that an old Python gets the doctor's advice, not a SyntaxError

import argparse
import os
import sys
from importlib import import_module

from course_utils.errors import CourseError

# Each command has a module with add_arguments(parser) and run(args) -> exit status.
# It is imported only when it is called, so that `doctor` also runs where torch does not.
COMMANDS = {
    "lab": ("lab", "open the course in JupyterLab, as make lab does"),
    "test": ("authoring.checks", "check everything, as make test does"),
    "doctor": ("doctor", "check this computer and say what to do"),
    "certificate": ("quiz.certificate", "write a signed record of your own answers, or check one"),
    "collect": ("marking.collect", "put the notebooks of a platform's archive into their folders"),
    "mark": ("marking.command", "mark what a class has handed in, in a sandbox"),
    "variant": ("marking.hand_out", "write a quiz with its options in another order, for one student"),
    "grades": ("marking.grades", "put the marks into a table of Moodle or Canvas"),
    "similarity": ("marking.similarity", "show submissions that are alike, side by side"),
    "check": ("marking.check", "look at a notebook before it is handed in"),
    "pretrain": ("pretraining.command", "train the course's own weights from scratch"),
    "bench": ("reports.bench", "measure what the course claims, in accuracy and seconds"),
    "three-ways": ("reports.three_ways", "measure the three ways of lesson 05 by the number of epochs"),
    "preprocessing-costs": ("reports.preprocessing", "measure what mistakes in preprocessing cost, for lesson 02"),
    "facts": ("authoring.facts", "say what a fact of the course says and who teaches it, for authors"),
    "grid": ("reports.grid", "train at many depths, many times: the stored runs of lesson 08"),
    "export-questions": ("quiz.export.command", "write the question bank for Moodle and other platforms"),
    "checkpoint-report": ("reports.command", "measure the models of the course and write their cards"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m course_utils", description="Commands of the course.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if arguments and arguments[0] == name:
            command = import_module(f"course_utils.{module}")
            command.add_arguments(subparser)
            subparser.set_defaults(run=command.run)
    args = parser.parse_args(arguments)
    try:
        status = args.run(args) or 0
        sys.stdout.flush()
        return status
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is not None:  # not of our output, but of a file that the command should know how to miss
            raise
        if not isinstance(error, BrokenPipeError):  # as in `| head -1`: whoever reads our output has seen enough
            print(f"The output cannot be written: {error.strerror or error}.", file=sys.stderr)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for what Python flushes at its end
        return 1


if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):
        sys.path.append(sys.path.pop(0))  # a random.py in the reader's folder must not stand in for Python's own
    sys.exit(main())
