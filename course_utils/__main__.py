"""The course's commands: ``python -m course_utils doctor``, ``pretrain``; ``--help`` after any of them tells more."""

from __future__ import annotations  # so that an old Python gets the doctor's advice, not a SyntaxError

import argparse
import sys
from importlib import import_module

# Each command has a module with add_arguments(parser) and run(args) -> exit status.
# It is imported only when it is called, so that `doctor` also runs where torch does not.
COMMANDS = {
    "doctor": ("doctor", "check this computer and say what to do"),
    "pretrain": ("pretraining.command", "train the course's own weights from scratch"),
    "bench": ("reports.bench", "measure what the course claims, in accuracy and seconds"),
    "facts": ("authoring.facts", "say what a fact of the course says and who teaches it, for authors"),
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
    args = parser.parse_args(arguments)
    return command.run(args) or 0


if __name__ == "__main__":
    sys.exit(main())
