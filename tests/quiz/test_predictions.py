"""Guesses before results: committed, kept, and set against what was measured."""

import os

import ipywidgets
import pytest

from course_utils.quiz import guess_widgets, predictions
from course_utils.quiz.bank import BankError
from course_utils.quiz.predictions import (
    PREDICTIONS,
    Prediction,
    UnknownPrediction,
    commit,
    guesses,
    load_predictions,
    reveal,
)
from course_utils.quiz.progress import read_guesses, record_guess
from course_utils.quiz.widgets import Row

FASTER = Prediction("faster", "05_lesson", "Which is **faster**?", ("the head", "everything"))
ACCURACY = Prediction("accuracy", "05_lesson", "How accurate?", unit="per cent")
TWO = {prediction.id: prediction for prediction in (FASTER, ACCURACY)}


@pytest.fixture(autouse=True)
def two_predictions(monkeypatch):
    monkeypatch.setattr(predictions, "_predictions", lambda: TWO)
    monkeypatch.setattr(predictions, "_measured", {})
    monkeypatch.setattr(predictions, "_waiting", {})


def result():
    print("87.5 % right")
    return 87.5


def test_without_a_notebook_the_guess_is_asked_for_in_words(capsys):
    commit("faster")
    said = capsys.readouterr().out
    assert "Predict first. Which is faster?" in said and "b. everything" in said and 'commit("faster", "a")' in said
    commit("accuracy")
    said = capsys.readouterr().out
    assert "Guess a number (per cent)." in said and 'commit("accuracy", 10)' in said


@pytest.mark.parametrize(("guess", "kept"), [("b", "b"), (" B) ", "b")])
def test_a_letter_is_kept(guess, kept, capsys):
    commit("faster", guess)
    assert capsys.readouterr().out == "Noted: everything.\n"
    assert read_guesses() == {"faster": kept}


def test_the_last_guess_counts_and_what_is_none_is_told(capsys):
    for guess in (70, "80 %", "many", 10**400):
        commit("accuracy", guess)
    assert read_guesses() == {"accuracy": "80"}
    assert capsys.readouterr().out.count("The answer is a number") == 2


def test_a_result_waits_for_the_guess(capsys):
    reveal("accuracy", result)
    said = capsys.readouterr().out
    assert "Commit first" in said and 'commit("accuracy")' in said and "anyway=True" in said and "87.5" not in said
    commit("accuracy", 80)
    capsys.readouterr()
    reveal("accuracy", result)
    assert capsys.readouterr().out == "87.5 % right\n"


def test_there_is_a_way_past_the_guess(capsys):
    reveal("accuracy", result, anyway=True)
    assert capsys.readouterr().out == "87.5 % right\n"


def test_where_notebooks_are_built_and_compared_results_are_shown(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_GUESSES", "skip")
    reveal("accuracy", result)
    assert capsys.readouterr().out == "87.5 % right\n"


def test_builds_skip_guesses():
    from course_utils.authoring.lessons import BUILD_ENVIRONMENT

    assert BUILD_ENVIRONMENT["COURSE_GUESSES"] == "skip" and "COURSE_GUESSES" not in os.environ


def test_guesses_stand_beside_measurements(capsys):
    record_guess("accuracy", "80")
    record_guess("faster", "a")
    reveal("accuracy", result)
    reveal("faster", lambda: "everything")
    capsys.readouterr()
    guesses("05")
    assert capsys.readouterr().out == (
        "Which is faster?\n    you expected  the head\n    measured      everything\n    a surprise\n\n"
        "How accurate?\n    you expected  80 per cent\n    measured      87.5 per cent\n    7.5 too low\n\n"
    )


def test_what_was_not_guessed_or_not_measured_is_said(capsys):
    record_guess("faster", "a")
    reveal("accuracy", result, anyway=True)
    capsys.readouterr()
    guesses()
    said = capsys.readouterr().out
    assert "you expected  the head\n    measured      not yet" in said and "you expected  no guess" in said


@pytest.mark.parametrize("measured", ["b", "everything"])
def test_a_measurement_is_an_option_by_its_letter_or_its_text(measured, capsys):
    record_guess("faster", "b")
    reveal("faster", lambda: measured)
    guesses("05_lesson")
    assert "as you expected" in capsys.readouterr().out


def test_unknown_names_are_told_with_known_ones():
    with pytest.raises(UnknownPrediction, match="'acuracy'. Did you mean 'accuracy'"):
        commit("acuracy")
    with pytest.raises(UnknownPrediction, match="lessons with guesses: 05"):
        guesses("07")


# In a notebook


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, as if in a notebook."""
    import IPython.display

    displayed = []
    monkeypatch.setattr(predictions, "in_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", lambda data, **_: displayed.append(data))
    monkeypatch.setattr(guess_widgets, "display", lambda data, **_: displayed.append(data))
    return displayed


def everything(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    return [widget, *(inner for child in getattr(widget, "children", []) for inner in everything(child))]


def test_a_button_commits_and_marks_the_guess():
    box = guess_widgets.show_guess_buttons(FASTER, lambda guess: predictions._keep(FASTER, guess), "")
    row = next(widget for widget in everything(box) if isinstance(widget, Row) and widget.control.description == "b")
    row.control.click()
    assert read_guesses() == {"faster": "b"}
    assert "Noted: everything." in box.children[-1].value and "your guess" in row.text.value


def test_a_number_is_typed_and_committed():
    box = guess_widgets.show_guess_buttons(ACCURACY, lambda guess: predictions._keep(ACCURACY, guess), "")
    field = next(widget for widget in everything(box) if isinstance(widget, ipywidgets.Text))
    enter = next(widget for widget in everything(box) if isinstance(widget, ipywidgets.Button))
    field.value = "many"
    enter.click()
    assert "a number" in box.children[-1].value and read_guesses() == {}
    field.value = "80"
    enter.click()
    assert read_guesses() == {"accuracy": "80"}


def test_a_waiting_result_appears_when_the_guess_comes(shown, capsys):
    reveal("accuracy", result)
    (box,) = shown
    waiting = box.children[0]
    assert "Commit first" in waiting.children[0].value and "87.5" not in capsys.readouterr().out
    commit("accuracy", 80)
    assert "87.5 % right" in capsys.readouterr().out and waiting.layout.display == "none"
    assert predictions._measured == {"accuracy": 87.5} and predictions._waiting == {}


def test_a_waiting_result_appears_without_a_guess_when_it_is_asked_for(shown, capsys):
    reveal("accuracy", result)
    next(widget for widget in everything(shown[0]) if isinstance(widget, ipywidgets.Button)).click()
    assert "87.5 % right" in capsys.readouterr().out and read_guesses() == {}


def test_what_is_stored_of_a_prediction_can_be_read_without_buttons(shown):
    commit("faster")
    asked, buttons = shown
    assert "Which is faster?" in asked["text/plain"] and "everything" not in asked["text/plain"]
    assert "b. everything" in buttons["text/plain"] and "**b.** everything" in buttons["text/markdown"]


# The files


GOOD = "- id: faster\n  prompt: Which?\n  options: [this, that]\n- id: much\n  prompt: How much?\n  unit: s\n"


def test_a_file_is_read(tmp_path):
    (tmp_path / "05_x.yaml").write_text(GOOD, encoding="utf-8")
    assert load_predictions(tmp_path) == {
        "faster": Prediction("faster", "05_x", "Which?", ("this", "that")),
        "much": Prediction("much", "05_x", "How much?", unit="s"),
    }


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("prompt: Which?", "promt: Which?", "line 2: .*no field `promt`"),
        ("[this, that]", "[this]", "line 3: .*2 to 8 different texts"),
        ("[this, that]", "[this, this]", "line 3: .*2 to 8 different texts"),
        ("id: much", "id: faster", "line 4: .*used twice"),
        ("unit: s", "unit: s\n  options: [a, b]", "line 6: .*either `options`, or `unit`"),
        ("id: faster", "id: [", "line"),
    ],
)
def test_a_bad_file_is_told(tmp_path, old, new, sentence):
    (tmp_path / "05_x.yaml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BankError, match=sentence):
        load_predictions(tmp_path)


def test_the_predictions_of_the_course_can_be_read_and_belong_to_lessons():
    lessons = {path.stem for path in (PREDICTIONS.parents[2] / "lessons").glob("*.py")}
    assert {prediction.lesson for prediction in load_predictions(PREDICTIONS).values()} <= lessons
