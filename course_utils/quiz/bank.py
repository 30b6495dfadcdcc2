"""The question bank: YAML files in, checked questions out.

One file a lesson, in `course_utils/quiz/questions/`. A file is a list of questions:

    - id: head-parameters            # kebab-case, once in the whole bank
      covers: [S46, S60]             # facts of the course that it asks about; not needed for questions of your own
      difficulty: easy               # easy | medium | hard
      kind: one                      # one (default) | several | number | order | line
      quiz: quiz-1                   # optional: the graded quiz that also uses it
      prompt: What does this print?  # Markdown: `code`, **bold**, blank line between paragraphs
      code: print(1)                 # optional
      options:                       # each with a feedback: why it tempts and what is true
        - text: ...                  # or `code: ...`
          right: true
          feedback: ...
          proof: ...                 # optional, on a wrong option: Python that shows it is wrong
      hint: ...
      explanation: ...
      proof: ...                     # Python that fails when the stated answer is false (see `proofs.py`)
      no_proof: ...                  # or why there is none
      needs: keras                   # optional: a package that the proofs import and the course does not require

The kinds differ in what stands where the options are:

    several   two or more options are `right`
    number    `answer`, `tolerance` (default 0), `unit`; options are the numbers people come to by mistake: `value`
    order     `steps` in their right order; the `feedback` of a step says why it cannot come earlier
    line      `code`, and an option for each of its lines that is not blank: `line`, `feedback`, `right`

Letters are never written in a file: `lettered` deals them out, from the question's id alone, so that editing words or
running on another machine moves nothing.
"""

import hashlib
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from course_utils.errors import CourseError

QUESTIONS = Path(__file__).parent / "questions"
KINDS = ("one", "several", "number", "order", "line")
DIFFICULTIES = ("easy", "medium", "hard")
POINTS = {"easy": 1, "medium": 2, "hard": 3}  # of a graded question

_FIELDS = {
    "id", "covers", "difficulty", "kind", "quiz", "prompt", "code", "options", "steps", "answer", "tolerance",
    "unit", "hint", "explanation", "proof", "no_proof", "needs",
}  # fmt: skip
_OPTION_FIELDS = {
    "one": {"text", "code", "feedback", "right", "proof"},
    "several": {"text", "code", "feedback", "right", "proof"},
    "number": {"value", "feedback", "proof"},
    "order": {"text", "code", "feedback"},
    "line": {"line", "feedback", "right", "proof"},
}


class BankError(CourseError, ValueError):
    """The question bank cannot be used; the message lists each problem with its file and line."""


@dataclass(frozen=True)
class Option:
    """One answer to choose: `text` or `code` (kinds one, several, order), a `value` (number) or a `line` (line)."""

    feedback: str
    text: str = ""
    code: str = ""
    right: bool = False
    value: float | None = None
    line: int | None = None
    proof: str = ""

    @property
    def words(self) -> str:
        """What the option says, whether it is text or code."""
        return self.text or self.code


@dataclass(frozen=True)
class Question:
    """One question. For kind "order", `options` are the steps in their right order."""

    id: str
    lesson: str
    kind: str
    difficulty: str
    covers: tuple[str, ...]
    prompt: str
    options: tuple[Option, ...]
    hint: str
    explanation: str
    code: str = ""
    answer: float | None = None
    tolerance: float = 0.0
    unit: str = ""
    quiz: str = ""
    proof: str = ""
    no_proof: str = ""
    needs: str = ""


def load_bank(extra: Path | None = None) -> dict[str, Question]:
    """All questions by id, in the order of the lessons.

    `extra` is a folder with an instructor's own YAML files: a question there is added, or replaces the course's
    question with the same id. Raises BankError that lists every problem found in every file.
    """
    bank, problems = _read_folder(QUESTIONS)
    if extra is not None:
        if not Path(extra).is_dir():
            raise BankError(f"There is no folder {extra} to read questions from.")
        own, own_problems = _read_folder(Path(extra))
        if not own and not own_problems:
            raise BankError(f"There is no question in {extra}; files of questions end in .yaml or .yml.")
        # A question that replaces another stays in its lesson, whatever the file is called.
        bank |= {id: replace(new, lesson=bank[id].lesson) if id in bank else new for id, new in own.items()}
        problems += own_problems
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        raise BankError("\n".join([f"{len(problems)} {noun} in the question bank:", *problems]))
    return bank


def lettered(question: Question) -> list[tuple[str, Option]]:
    """The options with their letters, in the order in which they are shown.

    The order depends on the question's id and on the places of the options in the file, on nothing else.
    Empty for the kinds "number" and "line", which are answered without letters.
    """
    if question.kind in ("number", "line"):
        return []
    places = sorted(
        range(len(question.options)),
        key=lambda place: hashlib.sha256(f"{question.id}#{place}".encode()).digest(),
    )
    if question.kind == "order" and places == sorted(places):
        places = places[1:] + places[:1]  # steps shown in their right order would give the answer away
    return [(letter, question.options[place]) for letter, place in zip("abcdefgh", places, strict=False)]


def answer_key(question: Question) -> str | float | int:
    """What `check` accepts as right: letters ("b", "ac"; "order": letters in the right order), a number or a line."""
    if question.kind == "number":
        return question.answer
    if question.kind == "line":
        return next(option.line for option in question.options if option.right)
    letter_of = {option: letter for letter, option in lettered(question)}
    if question.kind == "order":
        return "".join(letter_of[step] for step in question.options)
    return "".join(sorted(letter_of[option] for option in question.options if option.right))


# Reading: every scalar arrives as text, so that `text: no` and `text: 1000` mean what they say.


class _Mapping(dict):
    """A YAML mapping that knows the line it starts on and the line of each key."""

    def __init__(self, line: int):
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


class _Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
    """YAML to text, lists and `_Mapping`."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> _Mapping:
    mapping = _Mapping(node.start_mark.line + 1)
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a single word", key_node.start_mark)
        key = key_node.value
        if key in mapping:
            raise yaml.constructor.ConstructorError(None, None, f"`{key}` appears twice", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
        mapping.lines[key] = key_node.start_mark.line + 1
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def _read_folder(folder: Path) -> tuple[dict[str, Question], list[str]]:
    bank: dict[str, Question] = {}
    first_seen: dict[str, str] = {}
    problems: list[str] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        for line, fields in _read_file(path, problems):
            question = _question(path, line, fields, problems)
            if question is None:
                continue
            if question.id in bank:
                problems.append(_at(path, line, f"the id `{question.id}` is already used in {first_seen[question.id]}"))
            bank[question.id] = question
            first_seen[question.id] = f"{path.name}, line {line}"
    return bank, problems


def _read_file(path: Path, problems: list[str]) -> list[tuple[int, _Mapping]]:
    """The file's entries with their line numbers; what is not a question is told in `problems`."""
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.append(_at(path, mark.line + 1 if mark else 1, error.problem or "this is not YAML"))
        return []
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problems.append(_at(path, 1, f"this file cannot be read as YAML text ({error})"))
        return []
    if not isinstance(entries, list):
        problems.append(_at(path, 1, "a question file is a list: each question starts with `- id:`"))
        return []
    good = [entry for entry in entries if isinstance(entry, _Mapping)]
    if len(good) < len(entries):
        problems.append(_at(path, 1, "an entry of the list is not a question; each one starts with `- id:`"))
    return [(entry.line, entry) for entry in good]


def _at(path: Path, line: int, problem: str) -> str:
    return f"{path.name}, line {line}: {problem}"


# Checking: `_Checker` collects what is wrong with one question, so that one run of the course names all of it.


class _Checker:
    def __init__(self, path: Path, fields: _Mapping, problems: list[str]):
        self.path, self.fields, self.problems = path, fields, problems
        self.name = fields.get("id") or "question"

    def wrong(self, line: int, problem: str) -> None:
        self.problems.append(_at(self.path, line, f"`{self.name}`: {problem}"))

    def text(self, mapping: _Mapping, key: str, required: bool = False) -> str:
        value = mapping.get(key, "")
        if not isinstance(value, str):
            self.wrong(mapping.line_of(key), f"`{key}` must be text")
            return ""
        value = value.rstrip() if key in ("code", "proof") else value.strip()
        if not value and (required or key in mapping):
            self.wrong(mapping.line_of(key), f"`{key}` is {'empty' if key in mapping else 'missing'}")
        return value

    def choice(self, mapping: _Mapping, key: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = mapping.get(key, default)
        if value not in allowed:
            self.wrong(mapping.line_of(key), f"`{key}` must be one of {', '.join(allowed)}; found {value!r}")
        return value

    def number(self, mapping: _Mapping, key: str, default: float | None = None) -> float | None:
        value = mapping.get(key, default)
        try:
            value = float(value)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            found = f"; found {mapping[key]!r}" if key in mapping else ""
            self.wrong(mapping.line_of(key), f"`{key}` must be a number{found}")
            return None
        return value

    def known(self, mapping: _Mapping, allowed: set[str], where: str) -> None:
        for key in mapping.keys() - allowed:
            self.wrong(mapping.line_of(key), f"{where} has no field `{key}`; it can have {', '.join(sorted(allowed))}")


def _question(path: Path, line: int, fields: _Mapping, problems: list[str]) -> Question | None:
    """The question that `fields` describe, or None with the reasons added to `problems`."""
    before = len(problems)
    check = _Checker(path, fields, problems)
    check.known(fields, _FIELDS, "a question")
    kind = check.choice(fields, "kind", KINDS, default="one")
    question_id = check.text(fields, "id", required=True)
    if question_id and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", question_id):
        check.wrong(fields.line_of("id"), "`id` must be lower-case words joined by hyphens, like `vgg-head`")
    covers = fields.get("covers", [])
    if not isinstance(covers, list) or not all(isinstance(c, str) and re.fullmatch(r"S\d+", c) for c in covers):
        check.wrong(fields.line_of("covers"), "`covers` must be a list of fact numbers, like [S45, S46]")
        covers = []
    proof, no_proof = check.text(fields, "proof"), check.text(fields, "no_proof")
    if bool(proof) == bool(no_proof):
        check.wrong(line, "give either `proof` or `no_proof` with the reason")
    question = Question(
        id=question_id,
        lesson=path.stem,
        kind=kind,
        difficulty=check.choice(fields, "difficulty", DIFFICULTIES),
        covers=tuple(covers),
        prompt=check.text(fields, "prompt", required=True),
        options=_options(check, kind),
        hint=check.text(fields, "hint", required=True),
        explanation=check.text(fields, "explanation", required=True),
        code=check.text(fields, "code", required=kind == "line"),
        answer=check.number(fields, "answer") if kind == "number" else None,
        tolerance=(check.number(fields, "tolerance", 0.0) or 0.0) if kind == "number" else 0.0,
        unit=check.text(fields, "unit"),
        quiz=check.text(fields, "quiz"),
        proof=proof,
        no_proof=no_proof,
        needs=check.text(fields, "needs"),
    )
    if len(problems) == before:
        _check_options(check, question)
    return question if len(problems) == before else None


def _options(check: _Checker, kind: str) -> tuple[Option, ...]:
    key = "steps" if kind == "order" else "options"
    entries = check.fields.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, _Mapping) for entry in entries):
        check.wrong(check.fields.line_of(key), f"`{key}` must be a list, each entry with its own `feedback`")
        return ()
    if kind not in KINDS:
        return ()
    options = []
    for number, entry in enumerate(entries):
        check.known(entry, _OPTION_FIELDS[kind], f"an entry of `{key}` in a question of kind `{kind}`")
        text, code = check.text(entry, "text"), check.text(entry, "code")
        if kind in ("one", "several", "order") and bool(text) == bool(code):
            check.wrong(entry.line, "give this entry either `text` or `code`")
        first_step = kind == "order" and number == 0
        options.append(
            Option(
                feedback=check.text(entry, "feedback", required=not first_step),
                text=text,
                code=code,
                right=check.choice(entry, "right", ("true", "false"), default="false") == "true",
                value=check.number(entry, "value") if kind == "number" else None,
                line=int(check.number(entry, "line") or 0) if kind == "line" else None,
                proof=check.text(entry, "proof"),
            )
        )
    return tuple(options)


def _check_options(check: _Checker, question: Question) -> None:
    """What can only be judged once all options of a question are there."""
    line = check.fields.line_of("steps" if question.kind == "order" else "options")
    right = sum(option.right for option in question.options)
    if question.kind in ("one", "several", "order"):
        if not 2 <= len(question.options) <= 8:
            check.wrong(line, f"there must be 2 to 8 entries; found {len(question.options)}")
        if len({option.words for option in question.options}) < len(question.options):
            check.wrong(line, "two entries say the same")
    if question.kind in ("one", "line") and right != 1:
        check.wrong(line, f"one option must be `right: true`; found {right}")
    if question.kind == "several" and right < 2:
        check.wrong(line, f"kind `several` needs two or more options with `right: true`; found {right}")
    if question.kind == "number":
        for option in question.options:
            if abs(option.value - question.answer) <= question.tolerance:
                check.wrong(line, f"the mistaken value {option.value:g} would count as right")
    if question.kind == "line":
        of_code = [n for n, text in enumerate(question.code.splitlines(), start=1) if text.strip()]
        if sorted(option.line for option in question.options) != of_code:
            check.wrong(line, f"there must be one option for each line of the code that is not blank: {of_code}")
