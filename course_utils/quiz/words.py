"""The words of a question: how it is asked, answered and explained, as Markdown and as plain text."""

import re
import textwrap

from course_utils.quiz.bank import Option, Question, answer_key, lettered

WIDTH = 88  # characters in a line of printed text

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
    return f"**Check yourself** ({question.difficulty}). {question_body(question)}"


def question_body(question: Question) -> str:
    """Prompt, code, options and what to do with them, as Markdown."""
    task = TASK[question.kind]
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


def _fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


def wrapped(markdown: str) -> str:
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
