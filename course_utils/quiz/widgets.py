"""The buttons under a question. They work by keyboard alone: Tab to move, Space or Enter to press.

Only Button, ToggleButton and Text are used: JupyterLab's command mode takes the arrow keys and letters from radio
buttons and drop-downs. There are no fixed colours, so that light and dark themes both stay readable.
"""

import html
import re
from collections.abc import Callable

import ipywidgets as widgets
from IPython.display import display

from course_utils.quiz.bank import Question, lettered
from course_utils.quiz.judging import AnswerError, judge
from course_utils.quiz.progress import record
from course_utils.quiz.words import explanation_text, how_to_answer

_SAYS = (
    '<div role="status" style="max-width: 50em; line-height: 1.5; '
    'font-size: var(--jp-content-font-size1, inherit); color: var(--jp-content-font-color1, inherit)">'
)


def show_buttons(question: Question) -> widgets.VBox:
    """Display the buttons that answer `question`, and return their box."""
    box = question_box(question)
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    instead = "Run this cell for buttons. " + how_to_answer(question)  # shown where widgets are not
    display({"text/plain": instead, "application/vnd.jupyter.widget-view+json": view}, raw=True)
    return box


def question_box(question: Question) -> widgets.VBox:
    """The answer buttons, Hint and Explain, and below them the place where feedback appears."""
    feedback = widgets.HTML()
    help_buttons = [_button("Hint", "One step of help"), _button("Explain", "The answer and why")]
    hint_button, explain_button = help_buttons
    explain_button.disabled = True  # until the student has tried

    def say(markdown: str) -> None:
        feedback.value = _SAYS + to_html(markdown) + "</div>"

    def submit(answer: str, shown: str = "") -> None:
        try:
            verdict = judge(question, answer)
        except AnswerError as error:
            say(str(error))
            return
        explain_button.disabled = False
        say(f"**{shown or answer}**: {verdict.text}")
        record(question.id, verdict.right)

    hint_button.on_click(lambda _: say("Hint: " + question.hint))
    explain_button.on_click(lambda _: say(explanation_text(question)))
    answer_row = _ROWS[question.kind](question, submit)
    return widgets.VBox([_row(answer_row), _row(help_buttons), feedback])


def to_html(markdown: str) -> str:
    """The Markdown of the bank (paragraphs, `code`, **bold**) as HTML, everything else escaped."""
    text = html.escape(markdown.strip())
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return "".join(f"<p>{paragraph}</p>" for paragraph in re.split(r"\n\s*\n", text))


def _one(question: Question, submit: Callable) -> list[widgets.Widget]:
    buttons = [_button(letter, f"Answer {letter}") for letter, _ in lettered(question)]
    for button in buttons:
        button.on_click(lambda pressed: submit(pressed.description))
    return buttons


def _several(question: Question, submit: Callable) -> list[widgets.Widget]:
    toggles = [
        widgets.ToggleButton(description=letter, tooltip=f"Choose {letter}", layout=widgets.Layout(width="4em"))
        for letter, _ in lettered(question)
    ]
    check = _button("Check", "Check the letters that are pressed")
    check.on_click(lambda _: submit("".join(toggle.description for toggle in toggles if toggle.value)))
    return [*toggles, check]


def _number(question: Question, submit: Callable) -> list[widgets.Widget]:
    label = f"Number ({question.unit}):" if question.unit else "Number:"
    # With continuous updates, a quick press on Check can overtake the last digits on their way to the kernel.
    field = widgets.Text(description=label, continuous_update=False, style={"description_width": "initial"})
    check = _button("Check", "Check the number")
    check.on_click(lambda _: submit(field.value))
    return [field, check]


def _order(question: Question, submit: Callable) -> list[widgets.Widget]:
    """Press the letters in the order of the steps; the last one checks. A letter pressed again is taken out."""
    steps = [_button(letter, f"Next step: {letter}") for letter, _ in lettered(question)]
    label = widgets.Label("Press the letters, the first step first.")
    letters: list[str] = []

    def press(step: widgets.Button) -> None:
        letter = step.description
        if len(letters) == len(steps):  # the last order was judged, so a new one begins
            letters.clear()
        if letter in letters:
            letters.remove(letter)
        else:
            letters.append(letter)
        label.value = "Your order: " + (", ".join(letters) or "empty")
        if len(letters) == len(steps):
            submit("".join(letters), ", ".join(letters))

    for step in steps:
        step.on_click(press)
    return [*steps, label]


def _line(question: Question, submit: Callable) -> list[widgets.Widget]:
    buttons = [_button(str(option.line), f"Line {option.line}") for option in question.options]
    for button in buttons:
        button.on_click(lambda pressed: submit(pressed.description, f"Line {pressed.description}"))
    return buttons


_ROWS = {"one": _one, "several": _several, "number": _number, "order": _order, "line": _line}


def _button(description: str, tooltip: str) -> widgets.Button:
    width = "4em" if len(description) <= 2 else "auto"
    return widgets.Button(description=description, tooltip=tooltip, layout=widgets.Layout(width=width))


def _row(children: list[widgets.Widget]) -> widgets.HBox:
    return widgets.HBox(children, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))
