"""Moodle GIFT: https://docs.moodle.org/en/GIFT_format

What the format cannot say is mapped or told:

- an order becomes a matching question, each step with its place; the reasons go into the general feedback
- a line with a bug becomes a choice among the lines
- several right answers share 100 per cent, wrong ones cost their share, so that ticking everything earns nothing
- points and hints have no place in GIFT; they stand in a comment, and moodle_xml.py carries them
"""

import re
from itertools import groupby

from course_utils.quiz.export.markup import number, option_html, reasons, shown, stem
from course_utils.quiz.markdown import to_html
from course_utils.quiz.question import POINTS, Option, Question, given


def gift(questions: list[Question]) -> bytes:
    """The questions as one GIFT file, a category for each lesson. A question takes lines that follow one another."""
    blocks = []
    for lesson, of_lesson in groupby(questions, key=lambda question: question.lesson):
        blocks.append(f"$CATEGORY: {lesson}")
        blocks += [_question(question) for question in of_lesson]
    return ("\n\n".join(blocks) + "\n").encode("utf-8")


def escaped(html: str) -> str:
    """HTML on one line in which ~ = # : are escaped and braces and backslashes written as HTML does.

    GIFT allows escaped braces, too, but not every program that reads it does.
    """
    for character in "\\{}":
        html = html.replace(character, f"&#{ord(character)};")
    return re.sub(r"([~=#:])", r"\\\1", html.replace("\n", " "))


def _question(question: Question) -> str:
    comment = f"// {question.id}. Points: {POINTS[question.difficulty]}. Hint: {' '.join(question.hint.split())}"
    answers = {
        "one": _choices,
        "line": _choices,
        "several": _several,
        "number": _numbers,
        "order": _places,
    }[question.kind](question)
    general = to_html(question.explanation)
    if question.kind == "order":
        general += reasons(question)
    body = "\n".join([*answers, f"####{escaped(general)}"])
    opening = "{#" if question.kind == "number" else "{"
    return f"{comment}\n::{escaped(question.id)}::[html]{escaped(stem(question))}{opening}\n{body}\n}}"


def _choices(question: Question) -> list[str]:
    return [_answer("=" if option.right else "~", question, option) for option in shown(question)]


def _several(question: Question) -> list[str]:
    fractions = shares(question)
    return [_answer(f"~%{fractions[option]}%", question, option) for option in shown(question)]


def shares(question: Question) -> dict[Option, str]:
    """Per cent for each option where several are right, with the five decimals that Moodle knows."""
    right = sum(option.right for option in question.options)
    wrong = len(question.options) - right
    return {option: f"{100 / right:.5f}" if option.right else f"{-100 / wrong:.5f}" for option in question.options}


def _answer(sign: str, question: Question, option: Option) -> str:
    return f"{sign}{escaped(option_html(question, option))}#{escaped(to_html(option.feedback))}"


def _numbers(question: Question) -> list[str]:
    tolerance = number(question.tolerance)
    lines = [f"=%100%{number(given(question.answer))}:{tolerance}"]
    for option in question.options:
        lines.append(f"=%0%{number(given(option.value))}:{tolerance}#{escaped(to_html(option.feedback))}")
    return lines


def _places(question: Question) -> list[str]:
    place = {option: number for number, option in enumerate(question.options, start=1)}
    return [f"={escaped(option_html(question, option))} -> {place[option]}" for option in shown(question)]
