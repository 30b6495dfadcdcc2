"""Self-check questions: ask, answer, ask for a hint, see how far you are.

    ask("what-eval-does")          shows the question, with buttons where the notebook has them
    check("what-eval-does", "b")   answers it in plain code, and works everywhere
    hint("what-eval-does")         one step of help; hint("ps1.2") the next one for step 2 of problem set 1
    explain("what-eval-does")      the answer and its reason, when you would rather read on
    progress()                     how far you are, lesson by lesson

The questions come from the bank (`bank.py`); an instructor's own folder of questions is used as well when the
environment variable COURSE_QUESTIONS names it.
"""

import difflib
import math
import os
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course_utils.bank import Option, Question, answer_key, lettered, load_bank
from course_utils.problem_hints import is_step, next_hint
from course_utils.progress_file import read_progress, record

WIDTH = 88  # characters in a line of printed text

_TASK = {
    "one": "Choose one answer.",
    "several": "Choose every answer that is right.",
    "number": "Answer with a number",
    "order": "Put the steps in order.",
    "line": "Answer with the number of the line.",
}
_EXAMPLE = {"one": '"a"', "several": '"ab"', "number": "3.5", "order": '"bac"', "line": "2"}


class AnswerError(ValueError):
    """An answer that cannot be an answer to this question; the message says what one looks like."""


@dataclass(frozen=True)
class Verdict:
    """What an answer came to: `text` is Markdown that begins with "Right." or "Not yet."."""

    right: bool
    text: str


def ask(question_id: str) -> None:
    """Show a question of the bank, with buttons in a notebook and as plain text elsewhere."""
    question = find_question(question_id)
    if not _in_notebook():
        print(_wrapped(question_text(question)))
        print("\n" + how_to_answer(question))
        return
    from IPython.display import display

    text = question_text(question)
    display({"text/markdown": text, "text/plain": _wrapped(text)}, raw=True)
    try:
        from course_utils.quiz_widgets import show_buttons
    except ImportError:  # a notebook without ipywidgets
        print(how_to_answer(question))
    else:
        show_buttons(question)


def check(question_id: str, answer: str | float | Iterable[str]) -> None:
    """Print what is right or not yet right about an answer, and remember it.

    `answer` is a letter ("b"), several letters ("ac"), the letters of the steps in order ("bca"), a number or the
    number of a line; `ask` says which.
    """
    question = find_question(question_id)
    try:
        verdict = judge(question, answer)
    except AnswerError as error:
        print(_wrapped(str(error)))
        return
    print(_wrapped(verdict.text))
    record(question.id, verdict.right)


def hint(question_id: str) -> None:
    """Print one step of help: for a question, or the next one for a step of a problem set, as in `hint("ps1.2")`."""
    text = next_hint(question_id) if is_step(question_id) else "Hint: " + find_question(question_id).hint
    print(_wrapped(text))


def explain(question_id: str) -> None:
    """Print the answer and its explanation."""
    print(_wrapped(explanation_text(find_question(question_id))))


def progress() -> None:
    """Print how many questions of each lesson you have answered right, those of the graded quizzes left out."""
    answers = read_progress()
    lessons: dict[str, list[bool]] = {}
    for question in (question for question in _bank().values() if not question.quiz):
        done = answers.get(question.id, {}).get("right", False)
        lessons.setdefault(question.lesson, []).append(done)
    width = max(len(_title(lesson)) for lesson in lessons)
    for lesson, done in lessons.items():
        filled = round(20 * sum(done) / len(done))
        bar = "█" * filled + "░" * (20 - filled)
        print(f"{_title(lesson):{width}}  {bar}  {sum(done):2d} of {len(done):2d} right")
    every = [done for lesson in lessons.values() for done in lesson]
    print(f"{'All lessons':{width}}  {' ' * 20}  {sum(every):2d} of {len(every):2d} right")


def find_question(question_id: str) -> Question:
    """The question with this id; a LookupError names the nearest ids when there is none."""
    bank = _bank()
    if question_id in bank:
        return bank[question_id]
    nearest = difflib.get_close_matches(str(question_id), bank, n=3, cutoff=0.4)
    advice = f" Did you mean {' or '.join(repr(name) for name in nearest)}?" if nearest else ""
    raise LookupError(f"There is no question {question_id!r} in the bank.{advice}")


def judge(question: Question, answer: str | float | Iterable[str]) -> Verdict:
    """Compare an answer with the bank. Raises AnswerError for something that cannot be an answer."""
    if question.kind == "number":
        return _judge_number(question, _number(question, answer))
    if question.kind == "line":
        return _judge_line(question, _number(question, answer))
    return _JUDGE_LETTERS[question.kind](question, _letters(question, answer))


def question_text(question: Question) -> str:
    """The whole question of a lesson as Markdown, without its answer."""
    return f"**Check yourself** ({question.difficulty}). {question_body(question)}"


def question_body(question: Question) -> str:
    """Prompt, code, options and what to do with them, as Markdown."""
    task = _TASK[question.kind]
    if question.kind == "number":
        task += f" ({question.unit})." if question.unit else "."
    parts = [question.prompt]
    if question.kind == "line":
        lines = enumerate(question.code.splitlines(), start=1)
        parts.append(_fenced("\n".join(f"{number:2d}  {line}".rstrip() for number, line in lines), "text"))
    elif question.code:
        parts.append(_fenced(question.code))
    parts += [f"**{letter}.** {option_text(option)}" for letter, option in lettered(question)]
    parts.append(f"*{task}*")
    return "\n\n".join(parts)


def option_text(option: Option) -> str:
    """What an option says, as Markdown."""
    if option.text:
        return option.text
    return f"`{option.code}`" if "\n" not in option.code else "\n\n" + _fenced(option.code)


def explanation_text(question: Question) -> str:
    """The right answer in words, and why, as Markdown."""
    key = answer_key(question)
    if question.kind == "number":
        key = f"{key:.10g} {question.unit}".strip()
    elif question.kind == "line":
        key = f"line {key}"
    else:
        key = ", ".join(key)
    return f"The answer is {key}. {question.explanation}"


def how_to_answer(question: Question) -> str:
    """The line of code that answers a question."""
    return f'Answer with check("{question.id}", {_EXAMPLE[question.kind]}), or ask for hint("{question.id}").'


def _letters(question: Question, answer: str | Iterable[str]) -> str:
    """The letters of an answer such as "b", "B)", "a, c" or ["a", "c"]."""
    offered = [letter for letter, _ in lettered(question)]
    example = f"check({question.id!r}, {_EXAMPLE[question.kind]})".replace("'", '"')
    if isinstance(answer, int | float) or not isinstance(answer, Iterable):
        raise AnswerError(f"This question is answered with letters, for example {example}.")
    letters = re.sub(r"[\s,;.:()\[\]]+", "", "".join(str(part) for part in answer)).lower()
    if not letters:
        raise AnswerError(f"There is no letter in this answer. Try {example}, with your own choice.")
    strange = sorted(set(letters) - set(offered))
    if strange:
        raise AnswerError(f"There is no answer {strange[0]!r} here; the letters go from a to {offered[-1]}.")
    if len(set(letters)) < len(letters):
        raise AnswerError("A letter appears twice in this answer.")
    if question.kind == "one" and len(letters) > 1:
        raise AnswerError("Only one answer is right here; choose one letter.")
    if question.kind == "order" and len(letters) < len(offered):
        raise AnswerError(f"All {len(offered)} steps are needed: give {len(offered)} letters, the first step first.")
    return letters


def _number(question: Question, answer: str | float) -> float:
    """A number from 3.5, "3.5", "87.5 %" or "line 4"."""
    if isinstance(answer, str):
        text = answer.lower().removeprefix("line").strip()
        for unit in (question.unit.lower(), "%"):
            text = text.removesuffix(unit).strip() if unit else text
        text = text.replace("_", "").replace(" ", "").replace("\u202f", "")
        try:
            answer = float(text)
        except ValueError:
            advice = " Write a decimal point, and nothing between thousands." if "," in text else ""
            found = f"{answer!r} is not a number." if text else "There is no number in this answer."
            raise AnswerError(found + advice) from None
    try:
        number = math.nan if isinstance(answer, bool) else float(answer)  # NumPy's and torch's numbers as well
    except (TypeError, ValueError, RuntimeError, OverflowError):
        number = math.nan
    if math.isnan(number):
        raise AnswerError("This question is answered with a number.")
    return number


def _judge_one(question: Question, letter: str) -> Verdict:
    option = dict(lettered(question))[letter]
    return _verdict(question, option.right, [option.feedback])


def _judge_several(question: Question, letters: str) -> Verdict:
    options = dict(lettered(question))
    chosen = {letter: options[letter] for letter in sorted(letters)}
    missing = sum(option.right for option in options.values()) - sum(option.right for option in chosen.values())
    right = missing == 0 and all(option.right for option in chosen.values())
    remarks = [f"{letter}: {option.feedback}" for letter, option in chosen.items() if right or not option.right]
    if missing:
        remarks.append(f"{'One right answer is' if missing == 1 else f'{missing} right answers are'} not chosen yet.")
    return _verdict(question, right, remarks)


def _judge_order(question: Question, letters: str) -> Verdict:
    key = answer_key(question)
    if letters == key:
        return _verdict(question, True, ["Each step stands where it must."])
    place = next(i for i in range(len(key)) if letters[i] != key[i])
    too_early = dict(lettered(question))[letters[place]]
    return _verdict(question, False, [f"Step {place + 1} is not {letters[place]}. {too_early.feedback}"])


def _judge_number(question: Question, value: float) -> Verdict:
    if abs(value - question.answer) <= question.tolerance + 1e-9 * abs(question.answer):
        return _verdict(question, True, [])
    nearest = min(question.options, key=lambda option: abs(value - option.value), default=None)
    if nearest and abs(value - nearest.value) <= question.tolerance + 1e-9 * abs(nearest.value):
        return _verdict(question, False, [nearest.feedback])
    return _verdict(question, False, [f"{value:.10g} is not the number asked for. {question.hint}"])


def _judge_line(question: Question, number: float) -> Verdict:
    for option in question.options:
        if option.line == number:
            return _verdict(question, option.right, [option.feedback])
    last = len(question.code.splitlines())
    raise AnswerError(f"There is no code on line {number:g}; the lines are numbered from 1 to {last}.")


_JUDGE_LETTERS = {"one": _judge_one, "several": _judge_several, "order": _judge_order}


def _verdict(question: Question, right: bool, remarks: list[str]) -> Verdict:
    parts = ["Right." if right else "Not yet.", *remarks]
    text = " ".join(parts) if len(remarks) < 2 else "\n\n".join(parts)
    return Verdict(right, f"{text}\n\n{question.explanation}" if right else text)


@cache
def _bank() -> dict[str, Question]:
    own = os.environ.get("COURSE_QUESTIONS")
    return load_bank(Path(own) if own else None)


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code (then outputs are displayed, not only printed)."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def _title(lesson: str) -> str:
    return lesson.replace("_", " ")


def _fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


def _wrapped(markdown: str) -> str:
    """Markdown as plain text in lines of `WIDTH` characters: no stars, code blocks indented and left alone."""
    lines = []
    in_code = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif in_code:
            lines.append("    " + line if line else "")
        else:
            # Stars go, except inside `code`, which the first alternative steps over.
            plain = re.sub(r"`[^`]*`|\*\*(.+?)\*\*|\*(.+?)\*", lambda m: m[1] or m[2] or m[0], line)
            lines += textwrap.wrap(plain, WIDTH, break_on_hyphens=False, break_long_words=False) or [""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
