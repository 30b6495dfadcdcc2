"""Questions with buttons."""

import re

import ipywidgets
import pytest
from small_questions import LINE, NUMBER, ONE, ORDER, RIGHT, SEVERAL, SMALL_BANK, WRONG

from course_utils.quiz import notebook as quiz
from course_utils.quiz.notebook import ask, find_question
from course_utils.quiz.progress import read_progress
from course_utils.quiz.question import answer_key
from course_utils.quiz.widgets import CHOSEN, NOT_RIGHT, STYLE, QuestionBox, Row
from course_utils.quiz.widgets import RIGHT as RIGHT_MARK

pytestmark = pytest.mark.usefixtures("small_bank")


def everything(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """The widget and all that is in it."""
    return [widget, *(inner for child in getattr(widget, "children", []) for inner in everything(child))]


def press(box: QuestionBox, name: str) -> None:
    next(w for w in everything(box) if isinstance(w, ipywidgets.Button) and w.description == name).click()


def text_of(row: Row) -> str:
    return re.sub("<[^>]+>", "", row.text.value)


def test_a_click_answers_at_once_in_words(small_bank):
    box = QuestionBox(ONE)
    press(box, WRONG)
    assert f"<strong>{WRONG}</strong>: Not yet. That is &lt;not&gt; it." in box.verdict.value
    press(box, RIGHT)
    assert "Right. This it is." in box.verdict.value and "It was this." in box.verdict.value
    assert read_progress() == {"one-right": {"tries": 2, "right": True}}


def test_the_chosen_and_the_right_option_are_marked_in_words():
    box = QuestionBox(ONE)
    press(box, WRONG)
    assert text_of(box.rows[WRONG]).endswith(NOT_RIGHT)
    assert text_of(box.rows[RIGHT]) == "this", "the right one is not told before it is found or asked for"
    press(box, "Explain")
    assert text_of(box.rows[RIGHT]).endswith(RIGHT_MARK)


def test_the_text_of_an_option_is_part_of_what_is_pressed():
    """The control lies over the whole row, and the text below it lets clicks through."""
    for box in map(QuestionBox, (ONE, SEVERAL, ORDER, LINE)):
        for row in box.rows.values():
            assert "course-option" in row._dom_classes and row.children == (row.control, row.text)
        assert box.children[0].value == STYLE
    assert "position: absolute; inset: 0" in STYLE and "pointer-events: none" in STYLE


def test_a_button_says_its_option_to_a_screen_reader():
    box = QuestionBox(ONE)
    assert box.rows[RIGHT].control.tooltip == f"Answer {RIGHT}: this"


def test_hint_is_there_from_the_start_and_explain_after_a_try():
    box = QuestionBox(ONE)
    assert box.verdict.value == box.hint.value == "" and box.explain_button.disabled
    press(box, "Hint")
    assert "Hint: Not that." in box.hint.value
    press(box, WRONG)
    assert not box.explain_button.disabled


def test_explain_and_hint_leave_the_verdict_where_it_is():
    box = QuestionBox(ONE)
    press(box, WRONG)
    said = box.verdict.value
    press(box, "Hint")
    press(box, "Explain")
    assert box.verdict.value == said and "Not that." in box.hint.value
    assert f"The answer is {RIGHT}. It was this." in box.explanation.value


def test_the_verdict_stands_right_below_the_options():
    box = QuestionBox(ONE)
    below = box.children.index(box.verdict)
    assert all(isinstance(row, Row) for row in box.children[1:below]) and below == 1 + len(box.rows)


def test_several_are_ticked_and_checked():
    box = QuestionBox(SEVERAL)
    press(box, "Check")
    assert "Nothing is ticked yet" in box.verdict.value
    key = answer_key(SEVERAL)
    box.rows[key[0]].control.value = True
    press(box, "Check")
    assert "Not yet." in box.verdict.value and text_of(box.rows[key[0]]).endswith(CHOSEN)
    for letter in key:
        box.rows[letter].control.value = True
    press(box, "Check")
    assert "Right." in box.verdict.value
    assert {letter for letter, row in box.rows.items() if text_of(row).endswith(RIGHT_MARK)} == set(key)


def test_a_number_is_typed_and_checked():
    box = QuestionBox(NUMBER)
    field = next(widget for widget in everything(box) if isinstance(widget, ipywidgets.Text))
    assert field.description == "Number (per cent):"
    field.value = "12,5"
    press(box, "Check")
    assert "Write a decimal point" in box.verdict.value
    field.value = "<b>"
    press(box, "Check")
    assert "&lt;b&gt;" in box.verdict.value
    field.value = "87.5"
    press(box, "Check")
    assert "Right." in box.verdict.value
    press(box, "Explain")
    assert "The answer is 87.5 per cent" in box.explanation.value


def test_steps_are_pressed_in_order():
    box, key = QuestionBox(ORDER), answer_key(ORDER)
    label = next(widget for widget in everything(box) if isinstance(widget, ipywidgets.Label))
    for letter in key[::-1]:
        press(box, letter)
    assert "Not yet. Step 1" in box.verdict.value and label.value == "Your order: " + ", ".join(key[::-1])
    for letter in key:
        press(box, letter)
    assert "Right." in box.verdict.value and label.value == "Your order: " + ", ".join(key)
    assert [text_of(box.rows[letter])[-6:] for letter in key] == ["step 1", "step 2", "step 3"]


def test_a_step_pressed_again_is_taken_out():
    box, key = QuestionBox(ORDER), answer_key(ORDER)
    label = next(widget for widget in everything(box) if isinstance(widget, ipywidgets.Label))
    press(box, key[1])
    press(box, key[1])
    assert label.value == "Your order: empty" and box.verdict.value == ""
    for letter in key:
        press(box, letter)
    assert "Right." in box.verdict.value


def test_a_line_is_pressed():
    box = QuestionBox(LINE)
    assert list(box.rows) == ["1", "3"] and text_of(box.rows["3"]) == "y = x / 0"
    press(box, "3")
    assert "Line 3" in box.verdict.value and "Right." in box.verdict.value


def test_feedback_is_spoken_and_has_no_fixed_colors():
    box = QuestionBox(ONE)
    press(box, RIGHT)
    assert 'role="status"' in box.verdict.value
    for widget in everything(box):
        assert not re.search(r"#[0-9a-f]{3}|rgb|color: (?!var)", str(getattr(widget, "value", "")))


def test_only_controls_that_the_keyboard_reaches():
    for question in SMALL_BANK.values():
        kinds = {type(widget).__name__ for widget in everything(QuestionBox(question))}
        assert kinds <= {"QuestionBox", "Row", "HBox", "HTML", "Button", "Checkbox", "Text", "Label"}


def test_in_a_notebook_the_stored_text_is_the_question_and_holds_no_answer(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(quiz, "in_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    monkeypatch.setattr("course_utils.quiz.widgets.display", lambda data, raw: shown.append(data))
    ask("one-right")
    question, view = shown
    assert "Which one?" in question["text/plain"] and "Which **one**?" in question["text/markdown"]
    assert "that()" not in question["text/plain"], "where buttons are, the options stand beside them"
    for form in ("text/plain", "text/markdown"):
        assert "that()" in view[form] and 'check("one-right"' in view[form]
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "This it is" not in str(shown) and "right" not in str(shown).replace("one-right", "")


def test_find_question_returns_the_question():
    assert find_question("in-order") is ORDER
