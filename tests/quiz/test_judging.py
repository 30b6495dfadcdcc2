"""One judge: whatever somebody types as an answer is understood alike in a lesson and in a graded quiz."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from small_questions import LINE, NUMBER, ONE, ORDER, SEVERAL

from course_utils.grading import questions
from course_utils.grading.points import Unmet
from course_utils.quiz.judging import AnswerError, choices, judge, understood
from course_utils.quiz.markdown import to_text


class Liar(str):
    """Text that says it is equal to all other text, and something else when it is printed."""

    def __eq__(self, other):
        return True

    def __str__(self):
        return "a"

    __hash__ = None


class Impostor:
    __class__ = str


ODD = [
    None, "", "  ", "b", "B)", "a, c", ["a", "c"], {"a"}, ("b", "a", "c"), [["a"]], "aa", "z", "1", "abc", "cab",
    True, False, 0, 2, 3, 3.0, 87.5, -1, float("nan"), float("inf"), "inf", "nan", "-inf", 10**400, 1e308, 2j,
    "5 epochs", "5epochs", "5 400", "5_400", "5 4", "87,5", "1,000", "0,31", "87.5 %", "87.5 per cent", "line 3",
    "Line 3", "3.", ".5", "1e3", "1/3", "2 million", "3k", "five", "-", "\u22122", "\u0663", "x" * 10**6, "1" * 10**6,
    b"b", Decimal("87.5"), Fraction(1, 3), np.int64(3), np.float32(87.5), np.str_("b"), np.array([1, 2]),
    torch.tensor(3), torch.tensor([1.0, 2.0]), Liar("b"), Impostor(), object(), Ellipsis, {}, [], lambda: 1,
]  # fmt: skip


def outcome(door, *arguments):
    try:
        return door(*arguments)
    except (AnswerError, Unmet) as error:
        return f"refused: {error}"


@pytest.mark.parametrize("answer", ODD, ids=[f"{number}-{type(answer).__name__}" for number, answer in enumerate(ODD)])
@pytest.mark.parametrize("question", [ONE, SEVERAL, ORDER, NUMBER, LINE], ids=lambda question: question.kind)
def test_a_lesson_and_a_graded_quiz_say_the_same_of_an_odd_answer(question, answer):
    lesson = outcome(judge, question, answer)
    graded = outcome(questions.answer_is_right, answer, questions.seal(question))
    form = outcome(questions.form_is_right, answer, question.kind, choices(question))
    if isinstance(lesson, str):
        assert lesson == graded == form
        assert len(lesson) < 200 and "\n" not in lesson
    else:
        said = to_text(lesson.text.partition(".")[2])
        assert graded == (said if lesson.right else f"refused: {said}")
        assert not form.startswith("refused")


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("5 epochs", 5),
        ("5 400", 5400),
        ("5_400", 5400),
        ("\u22122.5", -2.5),
        (".5", 0.5),
        ("3.", 3),
        (Decimal("1.5"), 1.5),
    ],
)
def test_a_number_is_understood(answer, number):
    assert understood(answer, "number", "") == number


@pytest.mark.parametrize("answer", ["inf", "nan", "5 4", "2 million", "1/3", "0,31", "\u0663", "-", True, "1" * 10**6])
def test_what_is_not_surely_a_number_is_refused(answer):
    with pytest.raises(AnswerError, match="a number, for example 3.5"):
        understood(answer, "number", "")


def test_text_of_a_class_of_the_students_own_is_refused():
    with pytest.raises(AnswerError, match="Yours is of the type Liar"):
        understood(Liar("b"), "one", "abc")
