"""The figures: that each reaches the notebook with its text, and that it shows the numbers it was given."""

import base64
import html
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from course_utils import History, Prediction, confusion_matrix, plots
from course_utils.calibration import Reliability

ALT = 'A text, "quoted" & all, that says what the figure shows.'
RED = Image.new("RGB", (20, 10), "red")
HISTORY = History([0.9, 0.5, 0.2], [0.5, 0.7, 0.9], [0.8, 0.6, 0.7], [0.4, 0.6, 0.8], [1.0, 1.0, 1.0])
TOO_SURE = Reliability(*map(np.array, ([0.5, 0.9], [0.6, 0.95], [0.5, 0.8], [10, 40])))
MODELS = {"a1": (1.0, 0.6), "a2": (9.0, 0.7), "b": (100.0, 0.9)}
PREDICTIONS = [Prediction("cat", 0, 0.75), Prediction("dog", 1, 0.2496), Prediction("cow", 2, 0.0004)]


@pytest.fixture
def notebook(monkeypatch) -> list[dict]:
    """What a notebook would be given: the data of each output, by MIME type."""
    outputs = []
    monkeypatch.setattr(plots.figure.InteractiveShell, "initialized", lambda: True)
    monkeypatch.setattr(plots.figure, "display", lambda data, raw: outputs.append(data))
    return outputs


@pytest.fixture
def drawn(monkeypatch, notebook) -> list[Figure]:
    """The figures that were shown, still open for a look inside."""
    figures, show = [], plots.show

    def remember(fig, alt):
        figures.append(fig)
        show(fig, alt)

    for module in (plots.bars, plots.curves, plots.diagrams, plots.errors, plots.pictures):
        monkeypatch.setattr(module, "show", remember)
    return figures


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def tick_labels(axis) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


EVERY_FIGURE = {
    "images": lambda alt: plots.show_images([RED] * 7, list("abcdefg"), alt),
    "images without titles": lambda alt: plots.show_images([RED], alt=alt),
    "steps": lambda alt: plots.show_steps({"photo": RED, "resized": RED.resize((5, 5))}, alt),
    "predictions": lambda alt: plots.show_predictions(RED, PREDICTIONS, alt),
    "confusion": lambda alt: plots.show_confusion(confusion_matrix([0, 1], [0, 0], ["a", "b"], "b"), alt),
    "history": lambda alt: plots.show_history(HISTORY, alt),
    "histories": lambda alt: plots.show_history({"one": HISTORY, "two": HISTORY}, alt),
    "seconds": lambda alt: plots.accuracy_against_seconds([("one", 1, 0.5), ("two", 30, 0.7)], alt),
    "by seconds": lambda alt: plots.accuracy_by_seconds({"one": [(1, [0.5, 0.6])], "two": [(9, [0.7])]}, alt),
    "bars": lambda alt: plots.show_bars({"one": 0.5, "two": [0.6, 0.8]}, alt),
    "panels": lambda alt: plots.show_bar_panels({"size": {"one": 1, "two": 2}, "time": {"one": 0, "two": 0}}, alt),
    "draws": lambda alt: plots.show_draws(
        {"500": {"head": [0.8, 0.9], "all": [0.9]}}, alt, yours={"500": {"all": 1.0}}
    ),
    "flow": lambda alt: plots.show_flow([["data"], ["model\n45 MB", "other"]], alt, marked=["other"]),
    "lines": lambda alt: plots.show_lines([1, 2], {"one": [3, 4]}, alt, xlabel="x", ylabel="y"),
    "reliability": lambda alt: plots.show_reliability({"before": TOO_SURE, "after": TOO_SURE}, alt),
    "trade-off": lambda alt: plots.show_trade_off(MODELS, alt, xlabel="cost", families={"A": ["a1", "a2"]}),
}


@pytest.mark.parametrize("name", EVERY_FIGURE)
def test_every_figure_carries_its_text_and_leaves_nothing_open(name, notebook):
    assert EVERY_FIGURE[name](ALT) is None  # a value would be printed below the figure
    [data] = notebook
    assert data["text/plain"] == ALT
    found = re.fullmatch(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)">', data["text/html"])
    assert html.unescape(found[2]) == ALT
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert picture.format == "PNG"
    assert picture.width <= 800  # no wider than a notebook's text
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", EVERY_FIGURE)
@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_no_figure_without_a_text(name, alt, notebook):
    with pytest.raises(ValueError, match="non-empty `alt`"):
        EVERY_FIGURE[name](alt)
    assert notebook == []
    assert plt.get_fignums() == []


def test_the_same_figure_gives_the_same_bytes(notebook):
    EVERY_FIGURE["bars"](ALT)
    EVERY_FIGURE["bars"](ALT)
    assert notebook[0] == notebook[1]


def test_a_figure_made_with_pyplot_is_closed(notebook):
    fig, _ = plt.subplots()
    plots.show(fig, ALT)
    assert plt.get_fignums() == []


def test_outside_a_notebook_the_text_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(plots.figure.InteractiveShell, "initialized", lambda: False)
    plots.show(Figure(), ALT)
    assert capsys.readouterr().out == f"{ALT}\n"


def test_own_drawing_settings_are_not_changed(notebook):
    before = dict(plt.rcParams)
    EVERY_FIGURE["history"](ALT)
    assert dict(plt.rcParams) == before


def test_images_are_shown_as_they_are(drawn):
    gray = torch.rand(1, 6, 8)
    plots.show_images([RED, gray, np.zeros((4, 4, 3), dtype=np.uint8)], ["a", "b", "c"], ALT, columns=2)
    first, second, third, empty = drawn[0].axes
    assert (first.images[0].get_array() == np.asarray(RED)).all()
    assert (second.images[0].get_array() == gray[0].numpy()).all()
    assert second.images[0].get_clim() == (0, 1)  # no contrast is added
    assert [ax.get_title() for ax in (first, second, third, empty)] == ["a", "b", "c", ""]
    assert not empty.images


def test_a_transparent_picture_is_shown_as_the_network_sees_it(drawn):
    plots.show_images([Image.new("RGBA", (2, 2), (0, 0, 0, 0))], alt=ALT)
    assert (drawn[0].axes[0].images[0].get_array() == 255).all()


def test_panels_of_one_kind_share_a_scale(drawn):
    panels = {"before": {"a": 0.9}, "after": {"a": 0.3}}
    plots.show_bar_panels(panels, ALT)
    plots.show_bar_panels(panels, ALT, formats={"before": "{:.1f} s", "after": "{:.0f} MB"})
    shared, own = ([ax.get_xlim()[1] for ax in figure.axes] for figure in drawn)
    assert shared[0] == shared[1] and own[0] > own[1]


def test_a_normalised_tensor_is_stretched_to_what_can_be_shown(drawn):
    plots.show_images([torch.linspace(-2, 2, 3 * 4).reshape(3, 2, 2)], alt=ALT)
    shown = drawn[0].axes[0].images[0].get_array()
    assert shown.shape == (2, 2, 3)
    assert (shown.min(), shown.max()) == (0, 1)


def test_one_gray_value_outside_the_range_does_not_divide_by_zero(drawn):
    plots.show_images([torch.full((3, 2, 2), 7.0)], alt=ALT)
    assert np.isfinite(drawn[0].axes[0].images[0].get_array()).all()


def test_steps_tell_their_names_and_sizes(drawn):
    plots.show_steps({"photo": RED, "crop": torch.zeros(3, 6, 8)}, ALT)
    photo, arrow, crop = drawn[0].axes
    assert (photo.get_title(), photo.get_xlabel()) == ("photo", "20 × 10")
    assert texts(arrow) == ["→"]
    assert (crop.get_title(), crop.get_xlabel()) == ("crop", "8 × 6")


def test_predictions_are_bars_with_their_probabilities(drawn):
    plots.show_predictions(RED, PREDICTIONS, ALT, title="what is it?")
    picture, bars = drawn[0].axes
    assert picture.get_title() == "what is it?"
    assert [bar.get_width() for bar in bars.patches] == [0.75, 0.2496, 0.0004]
    assert texts(bars) == ["75.0%", "25.0%", "< 0.1%"]
    assert tick_labels(bars.yaxis) == ["cat", "dog", "cow"]
    assert bars.yaxis_inverted()  # the first is on top


def test_a_confusion_matrix_shows_counts_and_shares_of_the_row(drawn):
    actual, predicted = [1] * 10 + [0] * 4, [1] * 9 + [0] * 5
    plots.show_confusion(confusion_matrix(actual, predicted, ["good", "defect"], "defect"), ALT)
    [ax] = drawn[0].axes
    assert texts(ax) == ["9\n90%", "1\n10%", "0\n0%", "4\n100%"]
    assert tick_labels(ax.xaxis) == tick_labels(ax.yaxis) == ["defect\n(positive)", "good"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "actual")


def test_a_category_without_pictures_is_a_row_of_zeros(drawn):
    plots.show_confusion(confusion_matrix([0, 0], [0, 1], ["a", "b"]), ALT)
    assert texts(drawn[0].axes[0]) == ["1\n50%", "1\n50%", "0\n0%", "0\n0%"]


def test_one_history_shows_training_validation_and_the_epoch_that_was_kept(drawn):
    plots.show_history(HISTORY, ALT)
    loss, accuracy = drawn[0].axes
    training, validation, ring = loss.lines
    assert list(training.get_ydata()) == HISTORY.train_loss
    assert list(validation.get_ydata()) == HISTORY.validation_loss
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([2], [0.6])
    assert [list(line.get_ydata()) for line in accuracy.lines[:2]] == [
        HISTORY.train_accuracy,
        HISTORY.validation_accuracy,
    ]
    assert training.get_marker() != validation.get_marker()
    assert training.get_linestyle() != validation.get_linestyle()


def test_several_histories_show_validation_only_where_all_have_it(drawn):
    without = History([0.9], [0.5], [], [], [1.0])
    plots.show_history({"one": HISTORY, "two": HISTORY}, ALT)
    plots.show_history({"one": HISTORY, "two": without}, ALT)
    assert [fig.axes[1].get_ylabel() for fig in drawn] == ["validation accuracy", "training accuracy"]
    assert list(drawn[1].axes[1].lines[0].get_ydata()) == HISTORY.train_accuracy


def test_seconds_show_each_run_and_the_mean_of_a_method(drawn):
    rows = [("scratch", 40, 0.6), ("head", 1, 0.8), ("scratch", 60, 0.7)]
    plots.accuracy_against_seconds(rows, ALT)
    [ax] = drawn[0].axes
    assert ax.get_xscale() == "log"
    runs = [line for line in ax.lines if line.get_alpha() == 0.6]
    assert [line.get_xydata().tolist() for line in runs] == [[[40, 0.6], [60, 0.7]], [[1, 0.8]]]
    means = [tuple(container.lines[0].get_xydata()[0]) for container in ax.containers]
    assert means == [pytest.approx((50, 0.65)), pytest.approx((1, 0.8))]
    assert len({container.lines[0].get_marker() for container in ax.containers}) == 2


def test_seconds_that_are_alike_get_an_even_scale(drawn):
    plots.accuracy_against_seconds([("one", 10, 0.5), ("two", 30, 0.7)], ALT)
    [ax] = drawn[0].axes
    assert ax.get_xscale() == "linear"
    assert ax.get_xlim()[0] == 0


def test_bars_show_means_and_each_number(drawn):
    plots.show_bars({"one": 0.5, "two": [0.6, 0.8]}, ALT)
    [ax] = drawn[0].axes
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.5, 0.7])
    assert texts(ax) == ["50.0%", "70.0%"]
    assert list(ax.lines[-1].get_xdata()) == [0.6, 0.8]
    assert ax.patches[0].get_hatch() != ax.patches[1].get_hatch()


def test_bars_of_plain_numbers_have_no_percent(drawn):
    plots.show_bars({"ResNet-18": 11.7, "VGG-16": 138.0}, ALT, label="million parameters", percent=False)
    [ax] = drawn[0].axes
    assert texts(ax) == ["11.7", "138"]
    assert ax.get_xlim()[1] > 138


def test_counted_things_have_no_ticks_between_them(drawn):
    plots.show_lines(range(1, 4), {"one": [3, 4, 5]}, ALT, xlabel="layer", ylabel="y")
    assert all(float(tick).is_integer() for tick in drawn[0].axes[0].get_xticks())


def test_panels_share_their_names_and_write_numbers_in_their_own_way(drawn):
    panels = {"file": {"full": 40.0, "half": 20.0}, "right": {"full": 0.9, "half": 0.88}}
    plots.show_bar_panels(panels, ALT, formats={"file": "{:.0f} MB", "right": "{:.0%}"})
    left, right = drawn[0].axes
    assert tick_labels(left.yaxis) == ["full", "half"]
    assert [bar.get_width() for bar in left.patches] == [40, 20]
    assert (texts(left), texts(right)) == (["40 MB", "20 MB"], ["90%", "88%"])
    assert len({bar.get_hatch() for bar in left.patches}) == 2
    assert left.get_ylim()[0] > left.get_ylim()[1]  # the first name is on top


def test_draws_shows_every_draw_its_mean_and_yours_above_them(drawn):
    groups = {"50": {"head": [0.6, 0.8], "all": [0.7]}, "500": {"all": [0.9, 1.0, 0.8]}}
    plots.show_draws(groups, ALT, yours={"500": {"all": 0.95}})
    [ax] = drawn[0].axes
    marks = {line.get_marker(): [] for line in ax.lines}
    for line in ax.lines:
        marks[line.get_marker()] += list(line.get_ydata())
    assert sorted(marks["s"]) == [0.7, 0.8, 0.9, 1.0]
    assert sorted(marks["o"]) == [0.6, 0.8, 0.95]  # the two draws of the head, and the ring
    means = [segment[0][1] for collection in ax.collections for segment in collection.get_segments()]
    assert means == pytest.approx([0.7, 0.7, 0.9])
    assert tick_labels(ax.xaxis) == ["50", "500"]
    legend = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert legend == ["head", "all", "your run"]


def test_a_flow_shows_each_box_an_arrow_to_every_next_one_and_its_mark_without_colour(drawn):
    plots.show_flow([["data"], ["small\n14 MB", "large\n528 MB"], ["answer"]], ALT, marked=["answer"])
    [ax] = drawn[0].axes
    written = [text for text in texts(ax) if text]
    assert written == ["data", "small", "14 MB", "large", "528 MB", "answer"]
    assert sum(text.get_text() == "" and getattr(text, "arrow_patch", None) is not None for text in ax.texts) == 4
    edges = [box.get_linewidth() for box in ax.patches]
    assert edges[-1] > max(edges[:-1])


def test_a_flow_refuses_an_empty_column_and_an_unknown_mark(notebook):
    with pytest.raises(ValueError, match="at least one box"):
        plots.show_flow([["a"], []], ALT)
    with pytest.raises(ValueError, match="no box 'b'"):
        plots.show_flow([["a"]], ALT, marked=["b"])
    assert notebook == []


def test_lines_can_be_told_apart_without_colour(drawn):
    plots.show_lines([1, 2, 4], {"a": [1, 2, 3], "b": [2, 4, 8]}, ALT, xlabel="batch", ylabel="speed", log_x=True)
    [ax] = drawn[0].axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[1, 2, 3], [2, 4, 8]]
    assert len({(line.get_marker(), line.get_linestyle()) for line in ax.lines}) == 2
    assert tick_labels(ax.xaxis) == ["1", "2", "4"]


def test_reliability_shows_each_bin_with_its_distance_to_the_diagonal(drawn):
    plots.show_reliability({"before": TOO_SURE}, ALT)
    [ax] = drawn[0].axes
    assert ax.get_title() == "before"
    gaps, marks = ax.collections
    assert marks.get_offsets().tolist() == [[0.6, 0.5], [0.95, 0.8]]
    assert [segment.tolist() for segment in gaps.get_segments()] == [
        [[0.6, 0.5], [0.6, 0.6]],
        [[0.95, 0.8], [0.95, 0.95]],
    ]
    assert texts(ax) == ["10", "40"]
    few, many = marks.get_sizes()
    assert few < many


def test_a_trade_off_marks_families_and_the_front(drawn):
    plots.show_trade_off(MODELS, ALT, xlabel="GFLOPs", families={"A": ["a1", "a2"]}, front=["b", "a1"])
    [ax] = drawn[0].axes
    front, others, family = ax.lines
    assert front.get_xydata().tolist() == [[1.0, 0.6], [100.0, 0.9]]
    assert front.get_drawstyle() == "steps-post"
    assert others.get_xydata().tolist() == [[100.0, 0.9]]
    assert family.get_xydata().tolist() == [[1.0, 0.6], [9.0, 0.7]]
    assert family.get_marker() != others.get_marker()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Pareto front", "others", "A"]
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "GFLOPs")


def test_costs_that_are_alike_get_an_even_scale_and_no_empty_legend(drawn):
    plots.show_trade_off({"a": (1.0, 0.6), "b": (2.0, 0.7)}, ALT, xlabel="ms")
    [ax] = drawn[0].axes
    assert ax.get_xscale() == "linear"
    assert ax.get_legend() is None


def test_the_palette_is_okabe_and_ito_s():
    """Their eight colours, as R, G, B in the published table."""
    published = [(0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0)]
    published.append((204, 121, 167))
    expected = [to_hex([part / 255 for part in color]) for color in published]
    assert [color.lower() for color in plots.OKABE_ITO.values()] == expected
    assert set(plots.PALETTE) < set(plots.OKABE_ITO.values())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.show_images([], alt=ALT), "no picture"),
        (lambda: plots.show_images([RED], ["a", "b"], ALT), "1 pictures but 2 titles"),
        (lambda: plots.show_images([torch.zeros(5, 5, 3)], alt=ALT), r"\(3, H, W\).*\(5, 5, 3\)"),
        (lambda: plots.show_images(["cat.jpg"], alt=ALT), "Not a picture: str"),
        (lambda: plots.show_steps({}, ALT), "no step"),
        (lambda: plots.show_predictions(RED, [], ALT), "no predictions"),
        (lambda: plots.show_predictions(RED, [PREDICTIONS], ALT), "one at a time"),
        (lambda: plots.show_history({}, ALT), "no epoch"),
        (lambda: plots.show_history(History(), ALT), "no epoch"),
        (lambda: plots.accuracy_against_seconds([], ALT), "no rows"),
        (lambda: plots.show_bars({}, ALT), "nothing to compare"),
        (lambda: plots.show_reliability({}, ALT), "nothing to show"),
        (lambda: plots.show_trade_off({}, ALT, xlabel="x"), "no points"),
        (lambda: plots.show_trade_off(MODELS, ALT, xlabel="x", front=["c"]), "no point for 'c'"),
        (lambda: plots.show_trade_off(MODELS, ALT, xlabel="x", families={"A": ["c"]}), "no point for 'c'"),
        (lambda: plots.show_bars({"one": []}, ALT), "'one' has no number"),
        (lambda: plots.show_bar_panels({}, ALT), "nothing to compare"),
        (
            lambda: plots.show_bar_panels({"x": {"a": 1}, "y": {"b": 1}}, ALT),
            "panel 'y' has b, but the first one has a",
        ),
        (lambda: plots.show_draws({}, ALT), "nothing to show"),
        (lambda: plots.show_draws({"x": {"a": [1]}}, ALT, yours={"y": {"a": 1}}), "no draws called 'y'"),
        (lambda: plots.show_draws({"x": {"a": [1]}}, ALT, yours={"x": {"b": 1}}), "no draws called 'b'"),
        (lambda: plots.show_lines([1], {}, ALT, xlabel="x", ylabel="y"), "no line"),
        (lambda: plots.show_lines([1], {"a": [1, 2]}, ALT, xlabel="x", ylabel="y"), "'a' has 2 values for 1"),
    ],
)
def test_bad_input_is_named(call, message, notebook):
    with pytest.raises(ValueError, match=message):
        call()
    assert plt.get_fignums() == []


def test_accuracy_by_seconds_goes_through_the_means_of_the_seeds(drawn):
    plots.accuracy_by_seconds({"head": [(2, [0.8, 0.9])], "scratch": [(1, [0.5]), (10, [0.6, 0.7])]}, ALT)
    containers = drawn[-1].axes[0].containers
    assert [container.get_label() for container in containers] == ["head", "scratch"]
    assert containers[1].lines[0].get_ydata() == pytest.approx([0.5, 0.65])
    assert drawn[-1].axes[0].get_xscale() == "log"


@pytest.mark.parametrize("curves", [{}, {"head": []}, {"head": [(1, [])]}])
def test_accuracy_by_seconds_needs_points(curves):
    with pytest.raises(ValueError, match="each way needs points"):
        plots.accuracy_by_seconds(curves, ALT)
