"""Questions with buttons."""

import json

import pytest
from small_questions import LINE, NUMBER, ONE, ORDER, RIGHT, SEVERAL, SMALL_BANK, WRONG

from course_utils.quiz import notebook as quiz
from course_utils.quiz.notebook import ask, find_question
from course_utils.quiz.question import answer_key
from course_utils.quiz.widgets import question_box, to_html

pytestmark = pytest.mark.usefixtures("small_bank")


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
    assert "Yours is empty" in says(box)
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
    monkeypatch.setattr("course_utils.quiz.widgets.display", lambda data, raw: shown.append(data))
    ask("one-right")
    question, view = shown
    assert "Which one?" in question["text/plain"] and "Which **one**?" in question["text/markdown"]
    assert "application/vnd.jupyter.widget-view+json" in view and 'check("one-right"' in view["text/plain"]
    assert "This it is" not in str(shown) and "right" not in str(shown).replace("one-right", "")


def test_find_question_returns_the_question():
    assert find_question("in-order") is ORDER
