"""Guesses before results: a reader commits to one, sees what was measured, and at the end both side by side.

A prediction is an entry of a YAML file in `course_utils/quiz/guesses/`, one file a lesson, named like the lesson:

    - id: head-or-everything           # kebab-case, once in all files
      prompt: Which of the two is more accurate after one minute?     # Markdown
      options: [the head alone, everything, no difference to speak of]

    - id: head-accuracy
      prompt: How many per cent of the test pictures will the new head get right?
      unit: per cent                   # without `options`, the guess is a number

A lesson then has three kinds of cells. The first shows buttons that record a guess; the second computes as always, and
puts what nobody should see too early into a function that prints or plots, and returns what was measured (the text of
an option, or a number); the third closes the lesson:

    commit("head-accuracy")            # or, without buttons, commit("head-accuracy", 80)

    accuracy = ...
    def result():
        print(f"{accuracy:.0%} right")
        return 100 * accuracy
    reveal("head-accuracy", result)

    guesses("05")                      # your guesses against your measurements

`reveal` calls the function at once where a guess was made. Where none was, it says so, and shows the result as soon as
the guess comes, or the button beside it is pressed (in plain code: ``reveal("head-accuracy", result, anyway=True)``).
Nothing stops "Run all cells". With COURSE_GUESSES=skip, as when notebooks are built and compared, results are shown.
"""

import difflib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from course_utils.errors import CourseError
from course_utils.quiz.bank import BankError
from course_utils.quiz.checking import Check, Field
from course_utils.quiz.judging import AnswerError, understood
from course_utils.quiz.markdown import for_notebook, to_text
from course_utils.quiz.notebook import in_notebook
from course_utils.quiz.prediction import Prediction
from course_utils.quiz.progress import read_guesses, record_guess
from course_utils.quiz.question import LETTERS
from course_utils.quiz.reading import FileProblem, read_entries

PREDICTIONS = Path(__file__).parent / "guesses"
_FIELDS = {
    "id": Field("id", "Lower-case words joined by hyphens, once in all files.", required=True),
    "prompt": Field("text", "What is to be guessed, as Markdown.", required=True),
    "options": Field("texts", "What can be guessed; without it, a number."),
    "unit": Field("text", "What the number counts."),
}

_measured: dict[str, Any] = {}  # what each result function returned since the kernel started
_waiting: dict[str, Callable[[], None]] = {}  # results that are shown as soon as their guess is made


class UnknownPrediction(CourseError, LookupError):
    """There is nothing to guess under this name, or in this lesson; the message names what there is."""


def commit(prediction_id: str, guess: object = None) -> None:
    """Show what is to be guessed, with buttons in a notebook; or record ``guess``, a letter or a number.

    Raises UnknownPrediction.
    """
    prediction = _find(prediction_id)
    if guess is not None:
        print(_keep(prediction, guess))
        return
    example = '"a"' if prediction.options else "10"
    how = f'Commit with commit("{prediction.id}", {example}).'
    widgets = _widgets()
    if widgets is None:
        print(to_text(f"{_text(prediction)}\n\n{_options(prediction)}\n\n{how}"))
        return
    from IPython.display import display

    display({"text/markdown": for_notebook(_text(prediction)), "text/plain": to_text(_text(prediction))}, raw=True)
    widgets.show_guess_buttons(prediction, lambda answer: _keep(prediction, answer), f"{_options(prediction)}\n\n{how}")


def reveal(prediction_id: str, show: Callable[[], object], anyway: bool = False) -> None:
    """Call ``show``, which prints or plots a result and returns what was measured, once a guess was made.

    Without a guess it says what to do; ``anyway=True`` shows the result all the same. Raises UnknownPrediction.
    """
    prediction = _find(prediction_id)

    def show_now() -> None:
        _waiting.pop(prediction.id, None)
        _measured[prediction.id] = show()

    if anyway or prediction.id in read_guesses() or os.environ.get("COURSE_GUESSES") == "skip":
        show_now()
        return
    first = f'Commit first: what do you expect? `commit("{prediction.id}")` above asks you.'
    widgets = _widgets()
    if widgets is None:
        print(to_text(f"{first} Then run this cell again, or add `anyway=True` to see the result without a guess."))
    else:
        _waiting[prediction.id] = widgets.show_later(first, show_now)


def guesses(lesson: str = "") -> None:
    """Print your guesses against what was measured, for a lesson ("05") or for all. Raises UnknownPrediction."""
    known = _predictions().values()
    asked = [p for p in known if not lesson or lesson in (p.lesson, p.lesson.split("_")[0])]
    if not asked:
        lessons = ", ".join(sorted({p.lesson.split("_")[0] for p in known})) or "none"
        raise UnknownPrediction(f"There is nothing to guess in lesson {lesson!r}; lessons with guesses: {lessons}.")
    made = read_guesses()
    for prediction in asked:
        guess, measured = made.get(prediction.id), _measured.get(prediction.id)
        print(to_text(prediction.prompt))
        print(f"    you expected  {'no guess' if guess is None else _said(prediction, guess)}")
        print(f"    measured      {'not yet: run its cell' if measured is None else _said(prediction, measured)}")
        if guess is not None and measured is not None:
            print(f"    {_distance(prediction, guess, measured)}")
        print()


def _distance(prediction: Prediction, guess: str, measured: str | float) -> str:
    """How near a guess came, in words."""
    if prediction.options:
        return "as you expected" if _said(prediction, guess) == _said(prediction, measured) else "a surprise"
    off = float(guess) - float(measured)
    return f"{abs(off):.3g} too {'high' if off > 0 else 'low'}" if off else "exactly"


def _said(prediction: Prediction, answer: str | float) -> str:
    """A guess or a measurement in words: the text of the option, or the number with its unit."""
    if not prediction.options:
        return f"{float(answer):.4g} {prediction.unit}".strip()
    letters = dict(zip(LETTERS, prediction.options, strict=False))
    return to_text(letters.get(str(answer), str(answer)))


def _keep(prediction: Prediction, guess: object) -> str:
    """Record a guess, let a waiting result appear, and return what to tell, as Markdown."""
    offered = LETTERS[: len(prediction.options)]
    try:
        answer = understood(guess, "one" if prediction.options else "number", offered)
    except AnswerError as error:
        return str(error)
    record_guess(prediction.id, str(answer))
    if prediction.id in _waiting:
        _waiting[prediction.id]()
    return f"Noted: {_said(prediction, answer)}."


def _text(prediction: Prediction) -> str:
    """What is asked, as Markdown."""
    return f"**Predict first.** {prediction.prompt}"


def _options(prediction: Prediction) -> str:
    """What can be guessed, as Markdown."""
    if not prediction.options:
        return f"*Guess a number{f' ({prediction.unit})' if prediction.unit else ''}.*"
    return "\n\n".join(f"**{letter}.** {text}" for letter, text in zip(LETTERS, prediction.options, strict=False))


def _widgets() -> ModuleType | None:
    """The module with the buttons, or None where there is no notebook, or a notebook without ipywidgets."""
    if not in_notebook():
        return None
    try:
        from course_utils.quiz import guess_widgets
    except ImportError:
        return None
    return guess_widgets


def _find(prediction_id: str) -> Prediction:
    known, name = _predictions(), str(prediction_id)[:60]
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    advice = f" Did you mean {' or '.join(repr(name) for name in nearest)}?" if nearest else ""
    raise UnknownPrediction(f"There is nothing to guess under the name {name!r}.{advice}")


@cache
def _predictions() -> dict[str, Prediction]:
    return load_predictions(PREDICTIONS)


def load_predictions(folder: Path) -> dict[str, Prediction]:
    """Return all predictions by id, in the order of the lessons. Raises BankError that lists every problem."""
    found: dict[str, Prediction] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            entries = read_entries(path)
        except FileProblem as problem:
            problems.append(f"{path.name}, line {problem.line}: {problem}")
            continue
        for fields in entries:
            check = Check(fields.get("id"))
            values = check.all(fields, _FIELDS, "a prediction")
            if "options" in fields and "unit" in fields:
                check.wrong(fields.line_of("unit"), "give either `options`, or `unit` for a number")
            if values["id"] in found:
                check.wrong(fields.line, "this id is used twice")
            problems += [f"{path.name}, line {line}: {sentence}" for line, sentence in check.problems]
            found[values["id"]] = Prediction(lesson=path.stem, **values)
    if problems:
        raise BankError("\n".join(["The predictions cannot be used:", *problems]))
    return found
