"""Graded questions: what is understood as an answer, and what a sealed question says."""

import base64
import bz2
import json
import re
from itertools import combinations, permutations

import pytest
import torch
from exercise_files import ASSIGNMENTS, graded_cells, notebook

from course_utils.grading import questions
from course_utils.grading.points import Points, Unmet
from course_utils.quiz.bank import whole_bank
from course_utils.quiz.judging import AnswerError, judge, understood
from course_utils.quiz.markdown import to_text
from course_utils.quiz.question import Question, answer_key, lettered

BANK = whole_bank()
QUIZ = [question for question in BANK.values() if question.quiz]


@pytest.mark.parametrize("answer", ["b", "B", " b ", "b)", "(b)", "b."])
def test_a_letter_is_understood_in_any_dress(answer):
    assert understood(answer, "one", "abcd") == "b"
    assert questions.form_is_right(answer, "one", "abcd") == "You chose b."


@pytest.mark.parametrize(
    ("kind", "offered", "answer", "expected", "said"),
    [
        ("several", "abcd", "ca", "ac", "You chose a, c."),
        ("several", "abcd", "(A), (C)", "ac", "You chose a, c."),
        ("several", "abcd", {"a"}, "a", "You chose a."),
        ("order", "abc", "c, a, b", "cab", "Your order is c, a, b."),
        ("order", "abc", ["c", "a", "b"], "cab", "Your order is c, a, b."),
        ("number", "", 87.5, 87.5, "Your number is 87.5."),
        ("number", "", "87.5 %", 87.5, "Your number is 87.5."),
        ("number", "", "-2.5e-1", -0.25, "Your number is -0.25."),
        ("number", "", torch.tensor(3), 3, "Your number is 3."),
        ("line", [1, 2, 4], 4, 4, "You chose line 4."),
        ("line", [1, 2, 4], "Line 4", 4, "You chose line 4."),
    ],
)
def test_an_answer_of_another_kind_is_understood_in_any_dress(kind, offered, answer, expected, said):
    assert understood(answer, kind, offered) == expected
    assert questions.form_is_right(answer, kind, offered) == said


class Joker(float):
    """A number that says it is equal to all others."""

    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("kind", "offered", "answer", "sentence"),
    [
        ("several", "abcd", "", "Yours is empty"),
        ("several", "abcd", "aa", "The letter a appears twice"),
        ("several", "abcd", "ae", "There is no option 'e'"),
        ("several", "abcd", ["a", 1], "type list"),
        ("several", "abcd", True, "Yours is True"),
        ("order", "abc", "ab", "All 3 steps are needed"),
        ("order", "abc", None, "There is no answer yet"),
        ("number", "", "many", "a number, for example 3.5. Yours is 'many'"),
        ("number", "", "3,5", "Yours is '3,5'"),
        ("number", "", True, "Yours is True"),
        ("number", "", float("nan"), "Yours is nan"),
        ("number", "", [1, 2], "type list"),
        ("number", "", (0, 31), "Write a decimal point and no comma: 0.31 instead of 0,31"),
        ("number", "", (1, 2, 3), "type tuple"),
        ("number", "", (-1, 5), "type tuple"),
        ("line", [1, 2, 4], (2, 5), "no comma: 2.5 instead of 2,5"),
        ("number", "", torch.tensor([1.0, 2.0]), "type Tensor"),
        ("line", [1, 2, 4], 3, "There is no code on line 3; the lines go from 1 to 4"),
        ("line", [1, 2, 4], 1.5, "There is no code on line 1.5"),
        ("line", [1, 2, 4], Joker(9), "There is no code on line 9"),
    ],
)
def test_what_is_no_answer_of_its_kind_gets_a_sentence_on_the_form(kind, offered, answer, sentence):
    with pytest.raises(AnswerError, match=sentence):
        understood(answer, kind, offered)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "There is no answer yet"),
        (7, "Yours is 7"),
        (True, "Yours is True"),
        ([7], "type list"),
        ("", "Yours is empty"),
        ("ab", "Give one letter"),
        ("fc is missing", "Give one letter"),
        ("e", "the letters go from a to d"),
        ("1", "There is no option '1'"),
    ],
)
def test_what_is_no_letter_gets_a_sentence_on_the_form(answer, sentence):
    with pytest.raises(AnswerError, match=sentence):
        understood(answer, "one", "abcd")


def test_a_number_without_end_gets_a_sentence():
    with pytest.raises(AnswerError, match="a number, for example 3.5"):
        understood(10**400, "number", "")


def test_a_set_has_no_order():
    with pytest.raises(AnswerError, match="Yours is of the type set"):
        understood({"a", "b", "c"}, "order", "abc")


@pytest.mark.parametrize(("answer", "number"), [("5epochs", 5), ("5 epochs", 5), ("1e3", 1000), ("2.5e-1 s", 0.25)])
def test_a_number_may_have_a_unit(answer, number):
    assert understood(answer, "number", "") == number


def possible_answers(question: Question) -> list:
    """Every answer to a choice, an order or a line, and the numbers that the bank knows."""
    letters = [letter for letter, _ in lettered(question)]
    if question.kind == "one":
        return letters
    if question.kind == "several":
        sizes = range(1, len(letters) + 1)
        return ["".join(some) for size in sizes for some in combinations(letters, size)]
    if question.kind == "order":
        return ["".join(order) for order in permutations(letters)]
    if question.kind == "line":
        return [option.line for option in question.options]
    return [question.answer, *(option.value for option in question.options)]


@pytest.mark.parametrize("question", QUIZ, ids=lambda question: question.id)
def test_a_sealed_question_grades_like_the_bank(question):
    sealed = questions.seal(question)
    assert questions.seal(question) == sealed
    right = []
    for answer in possible_answers(question):
        verdict = judge(question, answer)
        assert judge(questions.unseal(sealed), answer) == verdict
        if verdict.right:
            right.append(answer)
            assert to_text(question.explanation) in questions.answer_is_right(answer, sealed)
            continue
        with pytest.raises(Unmet) as caught:
            questions.answer_is_right(answer, sealed)
        assert to_text(verdict.text.removeprefix("Not yet.")) == str(caught.value)
        assert to_text(question.explanation) not in str(caught.value)
    assert right == [answer_key(question)], "one answer is right, and no other"


@pytest.mark.parametrize("question", QUIZ, ids=lambda question: question.id)
def test_a_sealed_question_cannot_be_read_in_passing(question):
    sealed = questions.seal(question)
    assert not [word for word in (question.id, "right", "feedback") if word in sealed]


def repacked(**changes: object) -> str:
    """A sealed question with other fields; None takes one away."""
    fields = json.loads(bz2.decompress(base64.b64decode(questions.seal(QUIZ[0]))))
    fields = {name: value for name, value in (fields | changes).items() if value is not None}
    return base64.b64encode(bz2.compress(json.dumps(fields).encode())).decode()


def test_a_seal_says_its_version_and_an_older_one_is_read():
    assert json.loads(bz2.decompress(base64.b64decode(questions.seal(QUIZ[0]))))["seal"] == questions.SEAL
    assert questions.unseal(repacked(seal=None)) == questions.unseal(questions.seal(QUIZ[0]))


@pytest.mark.parametrize("version", [questions.SEAL + 1, 99, "new"])
def test_a_newer_seal_is_one_sentence(version, capsys):
    with pytest.raises(questions.SealError, match="built by a newer course"):
        questions.answer_is_right("a", repacked(seal=version))
    points = Points(1)
    points.check("q1 is right", questions.answer_is_right, "a", repacked(seal=version))
    assert points.total() == 0
    assert "Bring the course on this computer up to date" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("sealed", ["", "x", "a" * 100, "QlpoOTFBWSZTWQ=="])
def test_a_damaged_seal_is_one_sentence(sealed):
    with pytest.raises(questions.SealError, match="is damaged"):
        questions.unseal(sealed)


def test_the_seals_of_the_released_quizzes_are_read():
    sealed = [
        re.search(r'_sealed = """\n(.*?)\n"""', cell.source, re.DOTALL)[1]
        for name in ASSIGNMENTS
        if name.startswith("quiz-")
        for cell in graded_cells(notebook("source", name))
    ]
    assert len(sealed) == len(QUIZ)
    assert {questions.unseal(text).id for text in sealed} == {question.id for question in QUIZ}


def test_an_answer_that_is_not_there_is_told_about_quotes():
    assert questions.given({"q1": "b"}, "q1") == "b"
    with pytest.raises(Unmet, match=r'q1 has no value: .* Letters need quotes, as in q1 = "b"'):
        questions.given({}, "q1")


LONG = ["x" * 10**6, "1" * 10**6, ["a"] * 10**6, "b" * 10**6, 1e308, "9" * 300, {1: "x" * 10**6}]


@pytest.mark.parametrize("answer", LONG, ids=lambda answer: str(answer)[:10])
@pytest.mark.parametrize(("kind", "offered"), [("one", "abcd"), ("several", "abcd"), ("order", "abc"), ("number", "")])
def test_a_long_answer_is_not_echoed(kind, offered, answer):
    try:
        said = questions.form_is_right(answer, kind, offered)
    except Unmet as unmet:
        said = str(unmet)
    assert len(said) < 200


def test_each_quiz_mixes_kinds_and_difficulties():
    for name in {question.quiz for question in QUIZ} - {"quiz-1"}:
        chosen = [question for question in QUIZ if question.quiz == name]
        assert 8 <= len(chosen) <= 12
        assert {question.kind for question in chosen} == {"one", "several", "number", "order", "line"}
        assert {question.difficulty for question in chosen} == {"easy", "medium", "hard"}
