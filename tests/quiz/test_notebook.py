"""Asking, answering and hints, in plain code."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from small_questions import LINE, NUMBER, ONE, ORDER, RIGHT, SEVERAL, WRONG

from course_utils.quiz import notebook as quiz
from course_utils.quiz.bank import whole_bank
from course_utils.quiz.judging import AnswerError, judge
from course_utils.quiz.notebook import UnknownQuestion, ask, check, explain, hint
from course_utils.quiz.question import answer_key, lettered

pytestmark = pytest.mark.usefixtures("small_bank")


def test_ask_prints_the_whole_question_where_there_is_no_notebook(capsys):
    ask("one-right")
    text = capsys.readouterr().out
    assert "Which one?" in text and "this" in text and "`that()`" in text and "    b = 2" in text
    assert 'Answer with check("one-right", "a")' in text
    assert "This it is." not in text and "It was this." not in text


def test_ask_numbers_the_lines_of_code(capsys):
    ask("the-line")
    assert " 3  y = x / 0" in capsys.readouterr().out


def test_ask_says_the_unit_of_a_number(capsys):
    ask("a-number")
    assert "Answer with a number (per cent)." in capsys.readouterr().out


def test_unknown_question_suggests_near_ones():
    with pytest.raises(LookupError, match="There is no question 'two-rihgt'.*'two-right'"):
        ask("two-rihgt")
    with pytest.raises(LookupError, match=r"There is no question 'xyz' among the practice questions\.$"):
        hint("xyz")


@pytest.mark.parametrize("name", ["q1", "q12", "quiz-1", "quiz-1.3", " Q3 "])
def test_a_question_of_a_graded_quiz_has_no_hints_here(name):
    for door in (ask, hint, explain):
        with pytest.raises(UnknownQuestion, match="belongs to a graded quiz: it has no hints here"):
            door(name)


@pytest.mark.parametrize("name", [["one-right"], None, 3, "x" * 10**6, {"a": 1}])
def test_what_is_no_name_is_one_short_sentence(name):
    with pytest.raises(UnknownQuestion) as error:
        ask(name)
    assert len(str(error.value)) < 250


def test_right_answer_gives_feedback_and_explanation(capsys):
    assert check("one-right", RIGHT) is None
    assert capsys.readouterr().out == "Right. This it is.\n\nIt was this.\n"


def test_wrong_answer_gives_its_own_feedback_and_no_explanation(capsys):
    check("one-right", WRONG)
    assert capsys.readouterr().out == "Not yet. That is <not> it.\n"


@pytest.mark.parametrize("answer", ["{}", " {} ", "{})", "({})", "{}.", ["{}"]])
def test_a_letter_may_be_written_in_many_ways(answer):
    form = [answer[0].format(RIGHT)] if isinstance(answer, list) else answer.format(RIGHT)
    assert judge(ONE, form).right and judge(ONE, RIGHT.upper()).right


@pytest.mark.parametrize(
    ("question", "answer", "message"),
    [
        (ONE, "", "Yours is empty"),
        (ONE, "  ", "Yours is empty"),
        (ONE, "z", "There is no option 'z'; the letters go from a to c."),
        (ONE, "ab", "Give one letter"),
        (ONE, 2, "a letter in quotes"),
        (ONE, None, "There is no answer yet"),
        (SEVERAL, "aa", "appears twice"),
        (ORDER, "ab", "All 3 steps are needed"),
        (NUMBER, "", "Yours is empty"),
        (NUMBER, "many", "Yours is 'many'."),
        (NUMBER, "87,5", "Write a decimal point"),
        (NUMBER, True, "Yours is True"),
        (NUMBER, float("nan"), "Yours is nan"),
        (NUMBER, None, "There is no answer yet"),
        (NUMBER, 10**400, "a number, for example 3.5"),
        (LINE, 2, "There is no code on line 2; the lines go from 1 to 3."),
        (LINE, 99, "There is no code on line 99"),
    ],
)
def test_what_cannot_be_an_answer_gets_a_sentence_and_is_not_counted(question, answer, message, capsys, small_bank):
    with pytest.raises(AnswerError, match=message):
        judge(question, answer)
    check(question.id, answer)
    assert message in capsys.readouterr().out.replace("\n", " ")
    assert not small_bank.exists()


def test_several_right_answers_in_any_order():
    key = answer_key(SEVERAL)
    for form in (key, key[::-1], ", ".join(key), list(key), set(key)):
        verdict = judge(SEVERAL, form)
        assert verdict.right and "Odd belongs." in verdict.text and "Prime belongs." in verdict.text


def test_a_part_of_several_says_how_many_are_missing():
    verdict = judge(SEVERAL, answer_key(SEVERAL)[0])
    assert not verdict.right and "One right answer is not chosen yet." in verdict.text


def test_one_too_many_of_several_gets_the_feedback_of_the_wrong_one():
    wrong = next(letter for letter, option in lettered(SEVERAL) if option.text == "zero")
    verdict = judge(SEVERAL, answer_key(SEVERAL) + wrong)
    assert not verdict.right and f"{wrong}: Zero does not." in verdict.text and "missing" not in verdict.text
    assert "2 right answers are not chosen yet." in judge(SEVERAL, wrong).text


@pytest.mark.parametrize("answer", [87.5, 87.42, "87.5", " 87.5 % ", "87.5 per cent"])
def test_a_number_within_the_tolerance_is_right(answer):
    assert judge(NUMBER, answer).right


def test_a_mistaken_number_gets_its_own_feedback():
    assert judge(NUMBER, 90).text == "Not yet. Rounded too early."


def test_any_other_number_gets_the_hint():
    assert judge(NUMBER, 12).text == "Not yet. 12 is not the number asked for. Between 80 and 90."


def test_order_names_the_first_step_that_comes_too_early():
    key = answer_key(ORDER)
    assert judge(ORDER, key).right and judge(ORDER, ", ".join(key)).right
    assert judge(ORDER, key[0] + key[2] + key[1]).text == (
        f"Not yet. Step 2 is not {key[2]}. Nothing is trained that could be tested."
    )
    rights = [letters for letters in permutations(key) if judge(ORDER, "".join(letters)).right]
    assert rights == [tuple(key)]


@pytest.mark.parametrize("answer", [3, "3", "line 3", "Line 3", 3.0])
def test_the_line_of_the_bug(answer):
    assert judge(LINE, answer).right


def test_a_line_without_the_bug_gets_its_own_feedback():
    assert judge(LINE, 1).text == "Not yet. This line is fine."


def test_hint_and_explanation(capsys):
    hint("one-right")
    explain("one-right")
    explain("a-number")
    explain("the-line")
    assert capsys.readouterr().out == (
        f"Hint: Not that.\nThe answer is {RIGHT}. It was this.\n"
        "The answer is 87.5 per cent. Seven eighths.\nThe answer is line 3. The third line.\n"
    )


def test_printed_lines_have_a_readable_length(monkeypatch, capsys):
    bank = whole_bank()
    monkeypatch.setattr(quiz, "_bank", lambda: bank)
    for question in bank.values():
        ask(question.id)
        check(question.id, answer_key(question))
    out = capsys.readouterr().out
    assert "```" not in out and "**" not in re.sub("`.*?`", "", out)
    assert max(len(line) for line in out.splitlines() if not line.startswith("    ")) <= 120


def test_every_key_of_the_bank_is_judged_right_and_every_other_letter_wrong():
    for question in whole_bank().values():
        assert judge(question, answer_key(question)).right, question.id
        if question.kind == "one":
            for letter, option in lettered(question):
                assert judge(question, letter).right == option.right


@pytest.mark.parametrize("number", [np.int64(444), np.float32(444), torch.tensor(444)])
def test_numbers_of_numpy_and_torch_are_answers(number):
    question = replace(NUMBER, answer=444, options=())
    assert judge(question, number).right
    assert not judge(question, number + 1).right  # also where no mistaken value has a feedback of its own


def test_own_questions_come_from_the_folder_in_the_environment(tmp_path, monkeypatch):
    monkeypatch.undo()  # the real bank
    (tmp_path / "own.yaml").write_text(
        "- {id: mine, covers: [], difficulty: easy, prompt: Mine?, hint: Yes.,\n"
        "   explanation: It is., no_proof: A test.,\n"
        "   options: [{text: yes, right: true, feedback: It is.}, {text: no, feedback: It is not.}]}\n",
        encoding="utf-8",
    )
    code = "from course_utils.quiz.notebook import hint; hint('mine')"
    environment = os.environ | {"COURSE_QUESTIONS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "Hint: Yes.\n"
