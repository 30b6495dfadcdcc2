"""The buttons of `commit`, and the place where `reveal` shows a result that waits for its guess."""

from collections.abc import Callable

import ipywidgets as widgets
from IPython.display import display

from course_utils.quiz.markdown import for_notebook, to_html, to_text
from course_utils.quiz.prediction import Prediction
from course_utils.quiz.question import LETTERS
from course_utils.quiz.widgets import STYLE, Row

CHOSEN = "your guess"


def show_guess_buttons(prediction: Prediction, keep: Callable[[object], str], instead: str) -> widgets.VBox:
    """Display buttons, or a field for a number, that hand the guess to ``keep`` and say what it returns.

    ``instead`` is Markdown for places without widgets.
    """
    said = widgets.HTML()

    def say(words: str) -> None:
        said.value = f'<div role="status">{to_html(words)}</div>'

    if prediction.options:
        rows: dict[str, Row] = {}

        def press(pressed: widgets.Button) -> None:
            for letter, row in rows.items():
                row.mark(CHOSEN if letter == pressed.description else "")
            say(keep(pressed.description))

        for letter, text in zip(LETTERS, prediction.options, strict=False):
            button = _button(letter, f"Guess {letter}: {to_text(text)}")
            button.on_click(press)
            rows[letter] = Row(button, to_html(text))
        parts = list(rows.values())
    else:
        # With continuous updates, a quick press can overtake the last digits on their way to the kernel.
        field = widgets.Text(description=f"{prediction.unit or 'Number'}:", continuous_update=False)
        enter = _button("Commit", "Record this guess")
        enter.on_click(lambda _: say(keep(field.value)))
        parts = [widgets.HBox([field, enter])]
    box = widgets.VBox([widgets.HTML(STYLE), *parts, said])
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    texts = {"text/plain": to_text(instead), "text/markdown": for_notebook(instead)}
    display({**texts, "application/vnd.jupyter.widget-view+json": view}, raw=True)
    return box


def show_later(sentence: str, show: Callable[[], None]) -> Callable[[], None]:
    """Display a sentence and a button that shows the result all the same; return what shows it in their place."""
    place = widgets.Output()
    anyway = _button("Show it without a guess", "See the result now")
    waiting = widgets.VBox([widgets.HTML(to_html(sentence)), anyway])

    def show_here() -> None:
        waiting.layout.display = "none"
        with place:
            show()

    anyway.on_click(lambda _: show_here())
    display(widgets.VBox([waiting, place]))
    return show_here


def _button(description: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=description, tooltip=tooltip, layout=widgets.Layout(width="auto"))
