"""The words of a question: how it is asked, answered and explained, as Markdown."""

import re

from course_utils.quiz.markdown import is_paragraph, led_by, numbered_lines
from course_utils.quiz.question import Option, Question, given, lettered, letters_key, line_key

TASK = {
    "one": "Choose one answer.",
    "several": "Choose every answer that is right.",
    "number": "Answer with a number",
    "order": "Put the steps in order.",
    "line": "Answer with the number of the line.",
}
_EXAMPLE = {"one": '"a"', "several": '"ab"', "number": "3.5", "order": '"bac"', "line": "2"}


def question_text(question: Question) -> str:
    """The whole question of a lesson as Markdown, without its answer."""
    return f"{question_head(question)}\n\n{question_choices(question)}"


def question_head(question: Question) -> str:
    """What stands above the options in a lesson, as Markdown."""
    return "\n\n".join([led_by(f"**Check yourself** ({question.difficulty}).", question.prompt), *_code(question)])


def question_body(question: Question) -> str:
    """Prompt, code, options and what to do with them, as Markdown."""
    return "\n\n".join([question.prompt, *_code(question), question_choices(question)])


def _code(question: Question) -> list[str]:
    return [_fenced(question.code)] if question.code and question.kind != "line" else []


def question_choices(question: Question) -> str:
    """The options, or the numbered lines of code, and what to do with them, as Markdown."""
    task = TASK[question.kind]
    if question.kind == "number":
        task += f" ({question.unit})." if question.unit else "."
    parts = [_fenced("\n".join(numbered_lines(question.code)), "text")] if question.kind == "line" else []
    parts += [f"**{letter}.** {option_text(option)}" for letter, option in lettered(question)]
    return "\n\n".join([*parts, f"*{task}*"])


def option_text(option: Option) -> str:
    """What an option says, as Markdown; what is more than a paragraph begins on a line of its own."""
    if option.text:
        return option.text if is_paragraph(option.text) else "\n\n" + option.text
    return _code_span(option.code) if "\n" not in option.code else "\n\n" + _fenced(option.code)


def explanation_text(question: Question) -> str:
    """The right answer in words, and why, as Markdown."""
    if question.kind == "number":
        key = f"{given(question.answer):.10g} {question.unit}".strip()
    elif question.kind == "line":
        key = f"line {line_key(question)}"
    else:
        key = ", ".join(letters_key(question))
    return led_by(f"The answer is {key}.", question.explanation)


def hint_text(question: Question) -> str:
    """One step of help, as Markdown."""
    return led_by("Hint:", question.hint)


def how_to_answer(question: Question) -> str:
    """The line of code that answers a question."""
    return f'Answer with check("{question.id}", {_EXAMPLE[question.kind]}), or ask for hint("{question.id}").'


def _code_span(code: str) -> str:
    if "`" not in code:
        return f"`{code}`"
    mark = "`" * (1 + max(len(run) for run in re.findall("`+", code)))
    return f"{mark} {code} {mark}"


def _fenced(code: str, language: str = "python") -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
    return f"{fence}{language}\n{code}\n{fence}"
