"""``python -m course_utils facts``: what the facts of the course say, and which lessons and questions teach them.

    python -m course_utils facts S46 S75      these, with the documents that they come from
    python -m course_utils facts              all, a line each

The facts stand in `facts.yaml`. A question claims some in its `covers`, a cell of a lesson in its metadata:
``# %% covers=["S27"]``.
"""

import argparse
import json
import re
import sys
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.files import ROOT
from course_utils.quiz.bank import BankError, whole_bank
from course_utils.quiz.checking import Check, Field
from course_utils.quiz.markdown import WIDTH, to_text
from course_utils.quiz.reading import FileProblem, read_entries

FACTS_FILE = Path(__file__).with_name("facts.yaml")
DOCUMENTS = {
    "time": "Why pre-trained models save time in Computer Vision",
    "purpose": "Why Pre-trained models (ResNet, VGG, EfficientNet) in Computer Vision? - Purpose & Use Cases",
    "metrics": "Why pre-trained models save time in Computer Vision - Why Metrics Matter",
    "pytorch": "Why pre-trained models accelerate development in PyTorch",
    "deep-dive": "torchvision pre-trained models in PyTorch - Deep Dive",
}
STATUSES = ("holds", "corrected", "version")
_FIELDS = {
    "fact": Field("text", "S and a number.", required=True),
    "says": Field("text", "What the document says, in our own words.", required=True),
    "status": Field("choice", "How it stands today.", required=True, allowed=STATUSES),
    "today": Field("text", "What is true, where it does not hold as it stands."),
    "from": Field("sources", "The documents, by their short names.", required=True),
    "untaught": Field("text", "Why neither a lesson nor a question is about it."),
}


class FactError(CourseError, ValueError):
    """The facts cannot be used, or there is none with this number; the message says where or which."""


@dataclass(frozen=True)
class Fact:
    """One fact: what a document `says`, how that stands (`status`), what is true `today`, and why it is `untaught`."""

    number: str
    says: str
    status: str
    documents: tuple[str, ...]
    today: str = ""
    untaught: str = ""


def load_facts(path: Path = FACTS_FILE) -> dict[str, Fact]:
    """Return all facts by number, in order. Raises FactError that lists every problem of the file."""
    facts: dict[str, Fact] = {}
    problems: list[str] = []
    try:
        entries = read_entries(path)
    except FileProblem as problem:
        raise FactError(f"{path.name}, line {problem.line}: {problem}") from None
    for place, fields in enumerate(entries, start=1):
        check = Check(fields.get("fact"))
        sources = fields.pop("from", None)
        values = check.all(fields, {name: field for name, field in _FIELDS.items() if name != "from"}, "a fact")
        if not isinstance(sources, list) or not sources or not all(source in DOCUMENTS for source in sources):
            check.wrong(fields.line_of("from"), f"`from` must be a list of documents: {', '.join(DOCUMENTS)}")
        if values["fact"] != f"S{place}":
            check.wrong(fields.line, f"facts are numbered without gaps; here S{place} is due")
        if (values["status"] == "holds") == ("today" in fields):
            check.wrong(fields.line, "`today` says what is true where the status is not `holds`, and only there")
        problems += [f"{path.name}, line {line}: {sentence}" for line, sentence in check.problems]
        number = values.pop("fact")
        facts[number] = Fact(number=number, documents=tuple(sources or ()), **values)
    if problems:
        raise FactError("\n".join(["The facts cannot be used:", *problems]))
    return facts


def taught_by_lessons(root: Path = ROOT) -> dict[str, list[set[str]]]:
    """Return the facts that each cell of each lesson claims, by the lesson's name; cells without a claim left out."""
    scripts = sorted((root / "lessons").glob("[0-9][0-9]_*.py"))
    return {script.stem: claims_of_cells(script.read_text(encoding="utf-8")) for script in scripts}


def claims_of_cells(script: str) -> list[set[str]]:
    """Return the facts that each cell of a lesson's script claims."""
    marks = re.findall(r"^# %%.*?\bcovers=(\[[^]]*\])", script, flags=re.MULTILINE)
    return [set(json.loads(mark)) for mark in marks]


def asked_by_questions(root: Path = ROOT) -> dict[str, set[str]]:
    """Return the facts that each question claims, by its id."""
    return {question.id: set(question.covers) for question in whole_bank(root).values()}


def where(number: str, root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Return the lessons and the questions that claim a fact."""
    lessons = [name for name, cells in _lessons(root).items() if any(number in cell for cell in cells)]
    return lessons, [name for name, claimed in _questions(root).items() if number in claimed]


_lessons = cache(taught_by_lessons)
_questions = cache(asked_by_questions)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("facts", nargs="*", metavar="FACT", help="numbers such as S46; default: all, a line each")


def run(args: argparse.Namespace) -> int:
    """Print the facts asked for; return 0, or 1 when something is wrong with them."""
    try:
        facts = load_facts()
        numbers = [text.upper() if text[:1].lower() == "s" else f"S{text}" for text in args.facts]
        if unknown := [number for number in numbers if number not in facts]:
            raise FactError(f"There is no fact {', '.join(unknown)}; the facts go from S1 to S{len(facts)}.")
        for number in numbers:
            print(described(facts[number]))
        for fact in [] if numbers else facts.values():
            lessons, questions = where(fact.number)
            taught = f"{len(lessons):2} lessons {len(questions):2} questions"
            says = textwrap.shorten(to_text(fact.says), WIDTH - 40, placeholder=" ...")
            print(f"{fact.number:4} {fact.status:9}  {taught}  {says}")
    except (FactError, BankError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def described(fact: Fact, root: Path = ROOT) -> str:
    """Return everything about a fact as lines to print."""
    lessons, questions = where(fact.number, root)
    rows = {
        "says": to_text(fact.says, WIDTH - 11),
        "status": fact.status,
        "today": to_text(fact.today, WIDTH - 11),
        "from": "\n".join(DOCUMENTS[name] for name in fact.documents),
        "lessons": "\n".join(lessons) or "none",
        "questions": "\n".join(questions) or "none",
        "untaught": to_text(fact.untaught, WIDTH - 11),
    }
    told = [f"{name:9}  " + text.replace("\n", "\n" + " " * 11) for name, text in rows.items() if text]
    return "\n".join([fact.number, *told, ""])
