"""Asking, answering, hints and progress, in plain code and with buttons."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from course_utils import progress_file, quiz
from course_utils.bank import Option, Question, answer_key, lettered, load_bank
from course_utils.quiz import AnswerError, ask, check, explain, find_question, hint, judge, progress
from course_utils.quiz_widgets import question_box, to_html

ONE = Question(
    "one-right", "01_first_lesson", "one", "easy", ("S1",), "Which **one**?",
    (
        Option(text="this", right=True, feedback="This it is."),
        Option(code="that()", feedback="That is <not> it."),
        Option(code="a = 1\nb = 2", feedback="Two lines, both wrong."),
    ),
    hint="Not that.", explanation="It was this.",
)  # fmt: skip
SEVERAL = Question(
    "two-right", "01_first_lesson", "several", "easy", ("S1",), "Which ones?",
    (
        Option(text="odd", right=True, feedback="Odd belongs."),
        Option(text="even", feedback="Even does not."),
        Option(text="prime", right=True, feedback="Prime belongs."),
        Option(text="zero", feedback="Zero does not."),
    ),
    hint="Two of them.", explanation="Odd and prime.",
)  # fmt: skip
NUMBER = Question(
    "a-number", "02_second_lesson", "number", "easy", ("S1",), "How much?",
    (Option(value=90, feedback="Rounded too early."),),
    hint="Between 80 and 90.", explanation="Seven eighths.", answer=87.5, tolerance=0.1, unit="per cent",
)  # fmt: skip
ORDER = Question(
    "in-order", "02_second_lesson", "order", "easy", ("S1",), "In which order?",
    (
        Option(text="load", feedback=""),
        Option(text="train", feedback="Nothing is loaded that could be trained."),
        Option(text="test", feedback="Nothing is trained that could be tested."),
    ),
    hint="Test last.", explanation="Load, train, test.",
)  # fmt: skip
LINE = Question(
    "the-line", "02_second_lesson", "line", "easy", ("S1",), "Where is the bug?",
    (
        Option(line=1, feedback="This line is fine."),
        Option(line=3, right=True, feedback="Here it is."),
    ),
    hint="Not the first.", explanation="The third line.", code="x = 1\n\ny = x / 0",
)  # fmt: skip
SMALL_BANK = {question.id: question for question in (ONE, SEVERAL, NUMBER, ORDER, LINE)}

RIGHT, WRONG = answer_key(ONE), next(letter for letter, option in lettered(ONE) if option.code == "that()")


@pytest.fixture(autouse=True)
def small_bank(monkeypatch, tmp_path):
    """Each test has five questions, and a progress file of its own."""
    monkeypatch.setattr(quiz, "_bank", lambda: SMALL_BANK)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "kept" / "progress.json"))
    monkeypatch.setattr(progress_file, "_told", set())
    return tmp_path / "kept" / "progress.json"


# ask


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
    with pytest.raises(LookupError, match=r"There is no question 'xyz' in the bank\.$"):
        hint("xyz")


# check


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
        (ONE, "", "There is no letter"),
        (ONE, "  ", "There is no letter"),
        (ONE, "z", "There is no answer 'z' here; the letters go from a to c."),
        (ONE, "ab", "Only one answer is right here"),
        (ONE, 2, "answered with letters"),
        (ONE, None, "answered with letters"),
        (SEVERAL, "aa", "appears twice"),
        (ORDER, "ab", "All 3 steps are needed"),
        (NUMBER, "", "There is no number"),
        (NUMBER, "many", "'many' is not a number."),
        (NUMBER, "87,5", "Write a decimal point"),
        (NUMBER, True, "answered with a number"),
        (NUMBER, float("nan"), "answered with a number"),
        (NUMBER, None, "answered with a number"),
        (LINE, 2, "There is no code on line 2; the lines are numbered from 1 to 3."),
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
    bank = load_bank()
    monkeypatch.setattr(quiz, "_bank", lambda: bank)
    for question in bank.values():
        ask(question.id)
        check(question.id, answer_key(question))
    out = capsys.readouterr().out
    assert "```" not in out and "**" not in re.sub("`.*?`", "", out)
    assert max(len(line) for line in out.splitlines() if not line.startswith("    ")) <= 120


def test_every_key_of_the_bank_is_judged_right_and_every_other_letter_wrong():
    for question in load_bank().values():
        assert judge(question, answer_key(question)).right, question.id
        if question.kind == "one":
            for letter, option in lettered(question):
                assert judge(question, letter).right == option.right


# progress


def test_answers_are_remembered_and_right_stays_right(small_bank):
    check("one-right", WRONG)
    check("one-right", RIGHT)
    check("one-right", WRONG)
    assert json.loads(small_bank.read_text(encoding="utf-8")) == {
        "version": 1,
        "questions": {"one-right": {"tries": 3, "right": True}},
    }
    assert [path.name for path in small_bank.parent.iterdir()] == ["progress.json"]


def test_progress_counts_by_lesson(capsys):
    check("one-right", RIGHT)
    check("two-right", answer_key(SEVERAL)[0])
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "01 first lesson   ██████████░░░░░░░░░░   1 of  2 right"
    assert lines[1].startswith("02 second lesson") and lines[1].endswith(" 0 of  3 right")
    assert lines[2].startswith("All lessons") and lines[2].endswith(" 1 of  5 right")


def test_progress_leaves_graded_questions_out(monkeypatch, capsys):
    """No lesson asks them, so with them nobody would ever be done."""
    monkeypatch.setattr(quiz, "_bank", lambda: SMALL_BANK | {"the-line": replace(LINE, quiz="quiz-9")})
    progress()
    assert capsys.readouterr().out.splitlines()[1].endswith(" 0 of  2 right")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"version": 99, "questions": {}}', '{"questions": {}}', '{"version": 1, "questions": 3}',
     '{"version": 1, "questions": {"one-right": {"right": true}}}', "\x00"],
)  # fmt: skip
def test_a_broken_or_foreign_file_is_set_aside_with_one_note(content, small_bank, capsys):
    small_bank.parent.mkdir()
    small_bank.write_text(content, encoding="utf-8")
    check("one-right", RIGHT)
    check("one-right", RIGHT)
    progress()
    out = capsys.readouterr().out
    assert out.count("Note:") == 1 and "could not be understood" in out
    assert small_bank.with_name("progress.json.old").read_text(encoding="utf-8") == content
    assert json.loads(small_bank.read_text(encoding="utf-8"))["questions"]["one-right"] == {"tries": 2, "right": True}


def test_bytes_that_are_no_text_do_not_stop_the_course(small_bank, capsys):
    small_bank.parent.mkdir()
    small_bank.write_bytes(b"\xff\xfe\x00")
    progress()
    assert "Note:" in capsys.readouterr().out


def test_an_answer_to_a_question_that_is_gone_is_kept(small_bank):
    small_bank.parent.mkdir()
    small_bank.write_text('{"version": 1, "questions": {"gone": {"tries": 1, "right": true}}}', encoding="utf-8")
    check("one-right", RIGHT)
    assert set(json.loads(small_bank.read_text(encoding="utf-8"))["questions"]) == {"gone", "one-right"}


def test_a_place_that_cannot_be_written_to_gives_one_note(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    check("one-right", RIGHT)
    check("one-right", RIGHT)
    out = capsys.readouterr().out
    assert out.count("Right.") == 2 and out.count("Note:") == 1


def test_a_folder_in_the_place_of_the_file_gives_one_note(small_bank, capsys):
    small_bank.mkdir(parents=True)
    check("one-right", RIGHT)
    progress()
    assert capsys.readouterr().out.count("Note:") == 1
    assert small_bank.is_dir()


def test_a_failed_write_leaves_the_old_file(monkeypatch, small_bank, capsys):
    check("one-right", WRONG)
    before = small_bank.read_text(encoding="utf-8")

    def full_disk(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    check("one-right", RIGHT)
    assert "No space left on device" in capsys.readouterr().out
    assert small_bank.read_text(encoding="utf-8") == before
    assert [path.name for path in small_bank.parent.iterdir()] == ["progress.json"]


def test_without_a_setting_the_file_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_PROGRESS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert progress_file.progress_path() == tmp_path / ".pretrained_vision_course" / "progress.json"


def test_an_unreadable_file_never_takes_the_place_of_another(small_bank):
    small_bank.parent.mkdir()
    for content in ("first", "second"):
        small_bank.write_text(content, encoding="utf-8")
        check("one-right", RIGHT)
    aside = {path.read_text(encoding="utf-8") for path in small_bank.parent.glob("progress.json.old*")}
    assert aside == {"first", "second"}


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
    code = "from course_utils.quiz import hint; hint('mine')"
    environment = os.environ | {"COURSE_QUESTIONS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "Hint: Yes.\n"


# buttons


def buttons(box):
    widgets = [widget for row in box.children[:2] for widget in row.children]
    return {widget.description: widget for widget in widgets if hasattr(widget, "icon")}


def says(box):
    return box.children[2].value


def test_a_click_answers_at_once_in_words(small_bank):
    box = question_box(ONE)
    buttons(box)[WRONG].click()
    assert f"<strong>{WRONG}</strong>: Not yet. That is &lt;not&gt; it." in says(box)
    buttons(box)[RIGHT].click()
    assert "Right. This it is." in says(box) and "It was this." in says(box)
    assert json.loads(small_bank.read_text(encoding="utf-8"))["questions"]["one-right"] == {"tries": 2, "right": True}


def test_hint_is_there_from_the_start_and_explain_after_a_try():
    box = question_box(ONE)
    assert says(box) == "" and buttons(box)["Explain"].disabled
    buttons(box)["Hint"].click()
    assert "Hint: Not that." in says(box)
    buttons(box)[WRONG].click()
    assert not buttons(box)["Explain"].disabled
    buttons(box)["Explain"].click()
    assert f"The answer is {RIGHT}. It was this." in says(box)


def test_several_letters_are_pressed_and_checked():
    box = question_box(SEVERAL)
    buttons(box)["Check"].click()
    assert "There is no letter" in says(box)
    for letter in answer_key(SEVERAL):
        buttons(box)[letter].value = True
    buttons(box)["Check"].click()
    assert "Right." in says(box)


def test_a_number_is_typed_and_checked():
    box = question_box(NUMBER)
    field = box.children[0].children[0]
    field.value = "12,5"
    buttons(box)["Check"].click()
    assert "Write a decimal point" in says(box)
    field.value = "87.5"
    buttons(box)["Check"].click()
    assert "Right." in says(box)


def test_steps_are_pressed_in_order():
    box, key = question_box(ORDER), answer_key(ORDER)
    label = box.children[0].children[-1]
    for letter in key[::-1]:
        buttons(box)[letter].click()
    assert "Not yet. Step 1" in says(box) and label.value == "Your order: " + ", ".join(key[::-1])
    for letter in key:
        buttons(box)[letter].click()
    assert "Right." in says(box) and label.value == "Your order: " + ", ".join(key)


def test_a_step_pressed_again_is_taken_out():
    box, key = question_box(ORDER), answer_key(ORDER)
    label = box.children[0].children[-1]
    buttons(box)[key[1]].click()
    buttons(box)[key[1]].click()
    assert label.value == "Your order: empty" and says(box) == ""
    for letter in key:
        buttons(box)[letter].click()
    assert "Right." in says(box)


def test_a_line_is_pressed():
    box = question_box(LINE)
    assert [name for name in buttons(box) if name.isdigit()] == ["1", "3"]
    buttons(box)["3"].click()
    assert "Line 3" in says(box) and "Right." in says(box)


def test_feedback_is_safe_html_without_fixed_colors():
    html = to_html("Use `x < y` and **not** <b>.\n\nNext & last.")
    assert html == "<p>Use <code>x &lt; y</code> and <strong>not</strong> &lt;b&gt;.</p><p>Next &amp; last.</p>"
    box = question_box(ONE)
    buttons(box)[RIGHT].click()
    assert "#" not in says(box) and "rgb" not in says(box) and 'role="status"' in says(box)


def test_buttons_are_of_the_kinds_that_the_keyboard_reaches():
    for question in SMALL_BANK.values():
        kinds = {type(widget).__name__ for row in question_box(question).children[:2] for widget in row.children}
        assert kinds <= {"Button", "ToggleButton", "Text", "Label"}


def test_in_a_notebook_the_stored_text_is_the_question_and_holds_no_answer(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(quiz, "_in_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    monkeypatch.setattr("course_utils.quiz_widgets.display", lambda data, raw: shown.append(data))
    ask("one-right")
    question, view = shown
    assert "Which one?" in question["text/plain"] and "Which **one**?" in question["text/markdown"]
    assert "application/vnd.jupyter.widget-view+json" in view and 'check("one-right"' in view["text/plain"]
    assert "This it is" not in str(shown) and "right" not in str(shown).replace("one-right", "")


def test_find_question_returns_the_question():
    assert find_question("in-order") is ORDER
