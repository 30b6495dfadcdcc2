"""The buttons under a question. They work by keyboard alone: Tab to move, Space or Enter to press.

Only Button, Checkbox and Text are used: JupyterLab's command mode takes the arrow keys and letters from radio buttons
and drop-downs. A button lies over the whole row of its option, so that the option's text can be clicked. Where several
are right there are boxes to tick, which tell a screen reader by themselves whether they are ticked. Marks are words and
signs, never colours alone, and no colour is fixed, so that light and dark themes both stay readable.
"""

from collections.abc import Callable
from html import escape

import ipywidgets as widgets
from IPython.display import display

from course_utils.quiz.judging import AnswerError, judge
from course_utils.quiz.markdown import for_notebook, to_html, to_text
from course_utils.quiz.progress import record
from course_utils.quiz.question import Question, given, lettered, letters_key, line_key
from course_utils.quiz.words import explanation_text, hint_text, how_to_answer, option_text, question_choices

STYLE = """<style>
.course-option { position: relative; max-width: 50em; min-height: 2.4em; margin: 2px 0; }
.course-option .widget-html { position: relative; z-index: 1; margin: 0.2em 0.6em 0.2em 4em; pointer-events: none; }
.course-option .widget-html-content { line-height: 1.5; }
.course-option p, .course-option pre { margin: 0; }
.course-option > button, .course-option > .widget-checkbox { position: absolute; inset: 0; width: 100%; height: 100%;
  margin: 0; padding-left: 1em; text-align: left; background: transparent;
  border: 1px solid var(--jp-border-color1, silver); }
.course-option:hover > * { background: var(--jp-layout-color2, transparent); }
.course-option > button:focus-visible { outline: 2px solid currentColor; outline-offset: 1px; }
.course-option > .widget-checkbox label { display: flex; align-items: center; width: 100%; height: 100%; }
.course-option > .widget-checkbox input { flex: none; width: auto; margin: 0 0.6em 0 0; }
.course-option > .widget-checkbox label span { flex: none; width: auto; }
.course-option.course-chosen > button, .course-option.course-chosen > .widget-checkbox { border-width: 2px; }
</style>"""
RIGHT, NOT_RIGHT, CHOSEN = "✓ right", "✗ not this one", "your choice"
_SAYS = (
    '<div role="status" style="max-width: 50em; line-height: 1.5; '
    'font-size: var(--jp-content-font-size1, inherit); color: var(--jp-content-font-color1, inherit)">'
)


class Row(widgets.Box):
    """One option: its control (a button or a box to tick), its text, and behind it a mark in words."""

    def __init__(self, control: widgets.Widget, html: str) -> None:
        self.control, self._html = control, html
        self.text = widgets.HTML(html)
        super().__init__([control, self.text])
        self.add_class("course-option")

    def mark(self, words: str) -> None:
        """Put words behind the option, or take them away with ""."""
        self.text.value = self._html + (f" <strong>{escape(words)}</strong>" if words else "")
        (self.add_class if words else self.remove_class)("course-chosen")


class QuestionBox(widgets.VBox):
    """What answers one question: the options, the verdict below them, and below that Hint and Explain."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.verdict, self.hint, self.explanation = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.hint_button = _button("Hint", "One step of help")
        self.explain_button = _button("Explain", "The answer and why")
        self.explain_button.disabled = True  # until the student has tried
        self.hint_button.on_click(lambda _: _say(self.hint, hint_text(question)))
        self.explain_button.on_click(lambda _: self._explain())
        self.rows: dict[str, Row] = {}  # by letter, or by the number of the line
        answers = _ANSWERS[question.kind](self)
        help_row = widgets.HBox([self.hint_button, self.explain_button])
        parts = [widgets.HTML(STYLE), *answers, self.verdict, help_row, self.hint, self.explanation]
        super().__init__(parts)

    def submit(self, answer: str, shown: str = "") -> None:
        """Judge an answer, say what came of it, mark the options and remember it."""
        try:
            verdict = judge(self.question, answer)
        except AnswerError as error:
            self.verdict.value = f"{_SAYS}<p>{escape(str(error))}</p></div>"
            return
        self.explain_button.disabled = False
        _say(self.verdict, f"**{shown or answer}**: {verdict.text}")
        if self.question.kind in ("one", "line"):
            self.rows[answer].mark(RIGHT if verdict.right else NOT_RIGHT)
        elif self.question.kind == "several":
            for letter, row in self.rows.items():
                row.mark((RIGHT if verdict.right else CHOSEN) if letter in answer else "")
        record(self.question.id, verdict.right)

    def _explain(self) -> None:
        _say(self.explanation, explanation_text(self.question))
        if self.question.kind == "line":
            self.rows[str(line_key(self.question))].mark(RIGHT)
        elif self.question.kind in ("one", "several"):
            for letter in letters_key(self.question):
                self.rows[letter].mark(RIGHT)


def show_buttons(question: Question) -> QuestionBox:
    """Display the options of `question` with their buttons, and return their box.

    Where no widgets are, and in a notebook that is stored, the options stand there as text.
    """
    box = QuestionBox(question)
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    instead = f"{question_choices(question)}\n\nRun this cell for buttons. {how_to_answer(question)}"
    texts = {"text/plain": to_text(instead), "text/markdown": for_notebook(instead)}
    display({**texts, "application/vnd.jupyter.widget-view+json": view}, raw=True)
    return box


def _one(box: QuestionBox) -> list[widgets.Widget]:
    for letter, option in lettered(box.question):
        button = _button(letter, f"Answer {letter}: {_one_line(option_text(option))}")
        button.on_click(lambda pressed: box.submit(pressed.description))
        box.rows[letter] = Row(button, to_html(option_text(option)))
    return list(box.rows.values())


def _several(box: QuestionBox) -> list[widgets.Widget]:
    ticks: dict[str, widgets.Checkbox] = {}
    for letter, option in lettered(box.question):
        ticks[letter] = widgets.Checkbox(description=letter, tooltip=f"Choose {letter}", indent=False)
        box.rows[letter] = Row(ticks[letter], to_html(option_text(option)))

    def submit() -> None:
        letters = "".join(letter for letter, tick in ticks.items() if tick.value)
        if letters:
            box.submit(letters, ", ".join(letters))
        else:
            _say(box.verdict, "Nothing is ticked yet. Tick every answer that is right, then press Check.")

    check = _button("Check", "Check the answers that are ticked")
    check.on_click(lambda _: submit())
    return [*box.rows.values(), widgets.HBox([check])]


def _number(box: QuestionBox) -> list[widgets.Widget]:
    unit = box.question.unit
    label = f"Number ({unit}):" if unit else "Number:"
    # With continuous updates, a quick press on Check can overtake the last digits on their way to the kernel.
    field = widgets.Text(description=label, continuous_update=False, style={"description_width": "initial"})
    check = _button("Check", "Check the number")
    check.on_click(lambda _: box.submit(field.value))
    return [widgets.HBox([field, check])]


def _order(box: QuestionBox) -> list[widgets.Widget]:
    """Press the steps in their order; the last one checks. A step pressed again is taken out."""
    label = widgets.Label("Press the steps in their order, the first one first.")
    letters: list[str] = []

    def press(letter: str) -> None:
        if len(letters) == len(box.rows):  # the last order was judged, so a new one begins
            letters.clear()
        if letter in letters:
            letters.remove(letter)
        else:
            letters.append(letter)
        label.value = "Your order: " + (", ".join(letters) or "empty")
        for name, row in box.rows.items():
            row.mark(f"step {letters.index(name) + 1}" if name in letters else "")
        if len(letters) == len(box.rows):
            box.submit("".join(letters), ", ".join(letters))

    for letter, option in lettered(box.question):
        button = _button(letter, f"Next step, {letter}: {_one_line(option_text(option))}")
        button.on_click(lambda pressed: press(pressed.description))
        box.rows[letter] = Row(button, to_html(option_text(option)))
    return [*box.rows.values(), label]


def _line(box: QuestionBox) -> list[widgets.Widget]:
    lines = box.question.code.splitlines()
    for option in box.question.options:
        number = given(option.line)
        line = lines[number - 1]
        button = _button(str(number), f"Line {number}: {line.strip()}")
        button.on_click(lambda pressed: box.submit(pressed.description, f"Line {pressed.description}"))
        box.rows[str(number)] = Row(button, f"<code style='white-space: pre'>{escape(line)}</code>")
    return list(box.rows.values())


_ANSWERS: dict[str, Callable[[QuestionBox], list[widgets.Widget]]] = {
    "one": _one,
    "several": _several,
    "number": _number,
    "order": _order,
    "line": _line,
}


def _say(where: widgets.HTML, markdown: str) -> None:
    where.value = f"{_SAYS}{to_html(markdown)}</div>"


def _one_line(markdown: str) -> str:
    return " ".join(to_text(markdown).split())


def _button(description: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=description, tooltip=tooltip, layout=widgets.Layout(width="auto"))
