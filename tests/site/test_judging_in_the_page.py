"""``judging.js`` and ``course_utils.quiz.judging`` say the same of the same answers, letter for letter."""

from itertools import combinations, permutations

import pytest

from course_utils.authoring.site_pages import practice_questions, record
from course_utils.quiz.judging import AnswerError, judge
from course_utils.quiz.markdown import to_html

TYPED = [
    "5", " 5 ", "5.0", "0", "-3", "+4", "1e3", "87.5 %", "5 400", "5_400", "5 epochs", "line 4", "0.123456789012",
    "123456789012", "0.00001", "\u22123", "1e-7", "3,5", "two", "5 million", "5 k", "", "  ", "1 2", ".", "-", "1e999",
    "it's", "x" * 60,
]  # fmt: skip
RUN = """
const { readFileSync } = await import("node:fs");
const { runInNewContext } = await import("node:vm");
const page = runInNewContext(readFileSync("judging.js", "utf8") + "; ({ judge, shortNumber });");
"""


def answers_to(question) -> list[str]:
    """Every answer that its form can give, and for numbers those that people type."""
    letters = [option["letter"] for option in record(question)["options"]]
    if question.kind == "one":
        return ["", *letters]
    if question.kind == "several":
        return ["".join(some) for count in range(len(letters) + 1) for some in combinations(sorted(letters), count)]
    if question.kind == "order":
        return ["", letters[0], letters[0] * len(letters), *("".join(order) for order in permutations(letters))]
    if question.kind == "line":
        return ["", *(str(option.line) for option in question.options)]
    near = [question.answer + shift * question.tolerance for shift in (-1.01, -0.99, 0, 0.99, 1.01)]
    return [*TYPED, *map(repr, near), *(repr(option.value) for option in question.options)]


def said_by_python(question, answer: str) -> dict:
    if not answer.strip():
        return {"problem": "There is no answer yet: give one, then press Check."}
    try:
        verdict = judge(question, answer)
    except AnswerError as error:
        return {"problem": str(error)}
    return {"right": verdict.right, "html": to_html(verdict.text)}


@pytest.mark.parametrize("kind", ["one", "several", "number", "order", "line"])
def test_the_page_judges_every_answer_as_the_notebook_does(node, kind):
    questions = [question for question in practice_questions().values() if question.kind == kind]
    cases = [(question, answer) for question in questions for answer in answers_to(question)]
    assert cases
    found = node(
        RUN + "console.log(JSON.stringify(given.cases.map(([record, answer]) => page.judge(record, answer))));",
        cases=[(record(question), answer) for question, answer in cases],
    )
    for (question, answer), said in zip(cases, found, strict=True):
        if "it's" in answer:
            said["problem"] = said["problem"].replace("\\'", "'")
        assert said == said_by_python(question, answer), (question.id, answer)


def test_numbers_are_written_as_python_writes_them(node):
    numbers = [0.1, 12, 1e10, 123456789.123, 12345678901.5, 1e-5, 0.0001234, -2.5e-9, 1 / 3, 1e300]
    found = node(RUN + "console.log(JSON.stringify(given.numbers.map(page.shortNumber)));", numbers=numbers)
    assert found == [f"{number:.10g}" for number in numbers]
