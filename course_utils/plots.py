"""Every figure of the course, each with a text that says what it shows.

Colours come from one palette that people with any kind of colour vision can tell apart, and nothing is told by
colour alone: lines also differ in their marks, bars in their hatching.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from PIL import Image

from course_utils.calibration import Reliability
from course_utils.grad_cam import brightest_place
from course_utils.history import History
from course_utils.images import to_rgb
from course_utils.inference import Prediction
from course_utils.metrics import ConfusionMatrix

# Okabe and Ito, "Color Universal Design" (2008), https://jfly.uni-koeln.de/color/. PALETTE leaves out yellow, a
# line that nobody sees on white.
OKABE_ITO = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}
PALETTE = [OKABE_ITO[name] for name in ("blue", "orange", "green", "vermilion", "purple", "sky blue", "black")]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
GRAY = "#B8B8B8"
HATCHES = ["", "//", "..", "xx", "\\\\", "++", "oo"]

WIDTH = 7.5  # inches; at 100 dots an inch as wide as a notebook's text
STYLE: dict[Any, Any] = {"font.size": 11, "axes.titlesize": 12, "axes.spines.top": False, "axes.spines.right": False}

Shown = Image.Image | np.ndarray | torch.Tensor  # whatever is shown as a picture


def show(fig: Figure, alt: str) -> None:
    """Put a figure into the notebook as PNG, with ``alt`` as the text for those who cannot see it, and close it.

    The picture is HTML, because no notebook program gives a bare PNG its text: `<img alt>` reaches a screen reader in
    JupyterLab, in Colab and on the site. Say what the figure shows, not that it is one: "Accuracy rises from 60 % to
    91 % in three epochs, then stays."
    Outside a notebook the text is printed. A text that is missing or empty is a ValueError.
    """
    try:
        if not isinstance(alt, str) or not alt.strip():
            raise ValueError("A figure needs a text that says what it shows: give a non-empty `alt`.")
        png = io.BytesIO()
        fig.savefig(png, format="png", dpi=100, bbox_inches="tight", facecolor="white")
    finally:
        plt.close(fig)  # otherwise the notebook would show it a second time
    if not InteractiveShell.initialized():
        print(alt)
        return
    picture = base64.b64encode(png.getvalue()).decode("ascii")
    tag = f'<img src="data:image/png;base64,{picture}" alt="{escape(alt)}">'
    display({"text/html": tag, "text/plain": alt}, raw=True)


def show_images(images: Sequence, titles: Sequence[str] | None = None, alt: str = "", *, columns: int = 5) -> None:
    """Show pictures in a grid: PIL images, arrays, or tensors of shape (3, H, W), each with an optional title.

    Floats that leave the range 0 to 1 (a normalised tensor) are stretched to fit it; all else is shown as it is.
    """
    images = list(images)
    if not images:
        raise ValueError("There is no picture to show.")
    titles = [""] * len(images) if titles is None else list(titles)
    if len(titles) != len(images):
        raise ValueError(f"There are {len(images)} pictures but {len(titles)} titles.")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    side = WIDTH / max(columns, 3)
    lines = max(title.count("\n") + 1 if title else 0 for title in titles)
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(side * columns, (side + 0.22 * lines) * rows), layout="constrained")
        axes = fig.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.axis("off")
        for ax, image, title in zip(axes, images, titles, strict=False):
            _draw_image(ax, image)
            ax.set_title(title, fontsize=11 if columns <= 4 else 9)
        show(fig, alt)


def show_steps(steps: Mapping[str, Shown], alt: str) -> None:
    """Show what happens to a picture step by step, from left to right: name of the step -> picture after it.

    Below each stands its size in pixels, width × height; arrows lie in between.
    """
    if not steps:
        raise ValueError("There is no step to show.")
    gaps = len(steps) - 1
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, WIDTH / len(steps) + 0.6), layout="constrained")
        ratios = [1, 0.12] * gaps + [1]
        axes = fig.subplots(1, len(ratios), squeeze=False, width_ratios=ratios)[0]
        for ax, (name, image) in zip(axes[::2], steps.items(), strict=True):
            pixels = _draw_image(ax, image)
            ax.set_title(name, fontsize=11)
            ax.set(xticks=[], yticks=[], xlabel=f"{pixels.shape[1]} × {pixels.shape[0]}")
            ax.spines[:].set_visible(False)
        for ax in axes[1::2]:
            ax.axis("off")
            ax.text(0.5, 0.5, "→", ha="center", va="center", fontsize=18, transform=ax.transAxes)
        show(fig, alt)


def show_predictions(image: Shown, predictions: Sequence[Prediction], alt: str, *, title: str = "") -> None:
    """Show a picture and beside it the answers of `predict` for it, as bars from 0 to 100 %, the best on top."""
    if not predictions:
        raise ValueError("There are no predictions to show.")
    if isinstance(predictions[0], Sequence):
        raise ValueError("These are the answers for several pictures; show them one at a time: predictions[0].")
    labels = [_shorten(prediction.label, 28) for prediction in predictions]
    values = [prediction.probability for prediction in predictions]
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, max(2.4, 0.42 * len(labels) + 0.8)), layout="constrained")
        left, right = fig.subplots(1, 2, width_ratios=[1, 1.6])
        _draw_image(left, image)
        left.axis("off")
        left.set_title(title)
        bars = right.barh(range(len(labels)), values, color=[PALETTE[0]] + [GRAY] * (len(labels) - 1))
        right.bar_label(bars, [f"{value:.1%}" if value >= 0.001 else "< 0.1%" for value in values], padding=4)
        right.set_yticks(range(len(labels)), labels)
        right.invert_yaxis()
        right.set(xlim=(0, 1.18), xticks=[0, 0.5, 1], xlabel="probability (softmax)")
        right.xaxis.set_major_formatter(_percent)
        show(fig, alt)


def show_maps(images: Sequence, maps: torch.Tensor, titles: Sequence[str], alt: str) -> None:
    """Show each picture, and below it the same in grey under its map (h, w), bright where the map is high.

    ``maps`` (N, h, w) come from `occlusion_map` or `grad_cam`; each is drawn from 0 to its own highest value. Where
    each map is brightest is added to ``alt``. Raises ValueError unless each picture has a map and a title.
    """
    if not len(images) == len(maps) == len(titles) > 0:
        raise ValueError(f"{len(images)} pictures, {len(maps)} maps and {len(titles)} titles: each picture needs both.")
    side = 128  # px; a map has a few places only and is enlarged smoothly
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 0.3 + 2 * WIDTH / len(images)), layout="constrained")
        for column, (above, below) in enumerate(fig.subplots(2, len(images), squeeze=False).T):
            pixels = _pixels(images[column])
            pixels = (255 * pixels).astype(np.uint8) if pixels.dtype.kind == "f" else pixels
            image = Image.fromarray(pixels).convert("RGB").resize((side, side))
            cam = maps[column].detach().float().cpu()
            cam = torch.nn.functional.interpolate(cam[None, None], (side, side), mode="bilinear")[0, 0]
            above.imshow(image)
            above.set_title(titles[column])
            below.imshow(image.convert("L"), cmap="gray")
            below.imshow(cam, cmap="viridis", alpha=0.55, vmin=0, vmax=max(cam.max().item(), 1e-9))
            above.axis("off")
            below.axis("off")
        places = [f"{title}: {brightest_place(cam)}." for title, cam in zip(titles, maps, strict=True)]
        show(fig, " ".join([alt, *places]))


show_grad_cam = show_maps  # under this name it stands in notebooks that students hold


def show_confusion(confusion: ConfusionMatrix, alt: str) -> None:
    """Show a `metrics.ConfusionMatrix`: counts, and the darker a cell, the larger its share of its row.

    With more than 12 categories only the shades are drawn; ``confusion.table()`` has the numbers.
    """
    matrix, names = confusion.matrix, confusion.categories
    labels = [f"{name}\n(positive)" if name == confusion.positive else name for name in names]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(WIDTH, 2.2 + 0.95 * len(names))
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(side + 0.6, side), layout="constrained")
        ax = fig.subplots()
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if len(names) <= 12:
            for (row, column), count in np.ndenumerate(matrix):
                color = "white" if shares[row, column] > 0.65 else "black"
                text = f"{count}\n{shares[row, column]:.0%}"
                ax.text(column, row, text, ha="center", va="center", color=color)
        turn = {} if len(names) <= 3 else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        ax.set_xticks(range(len(names)), labels, **turn)
        ax.set_yticks(range(len(names)), labels)
        ax.set(xlabel="predicted", ylabel="actual")
        ax.tick_params(length=0)
        show(fig, alt)


def show_history(histories: History | Mapping[str, History], alt: str) -> None:
    """Show loss and accuracy for each epoch, of one `history.History` or of several by name.

    One history is drawn with training (dashed) and validation; of several, validation where all have it, else
    training. A ring marks the epoch whose weights were kept.
    """
    if isinstance(histories, Mapping):
        part = "validation" if all(history.validation_loss for history in histories.values()) else "training"
        curves = [(name, history, part) for name, history in histories.items()]
    else:
        part = ""
        parts = ["training", "validation"] if histories.validation_loss else ["training"]
        curves = [(name, histories, name) for name in parts]
    if not curves or any(history.epochs == 0 for _, history, _ in curves):
        raise ValueError("There is no epoch to show.")
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 3.2), layout="constrained")
        left, right = fig.subplots(1, 2)
        for ax, quantity in ((left, "loss"), (right, "accuracy")):
            for number, (name, history, which) in enumerate(curves):
                values = getattr(history, f"{'train' if which == 'training' else which}_{quantity}")
                dashed = {"ls": "--", "mfc": "white"} if name == "training" else {}
                ax.plot(range(1, history.epochs + 1), values, label=name, ms=5, **_look(number), **dashed)
                if which == "validation":
                    best = history.best_epoch
                    ring = "epoch that was kept" if number == len(curves) - 1 else None
                    ax.plot(best, values[best - 1], "o", ms=12, mfc="none", mec="black", label=ring)
            ax.set(xlabel="epoch", ylabel=f"{part} {quantity}".strip())
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        right.yaxis.set_major_formatter(_percent)
        right.legend(frameon=False, fontsize=10)
        show(fig, alt)


def accuracy_against_seconds(rows: Sequence[tuple[str, float, float]], alt: str) -> None:
    """Show what each way of training cost and gave: rows of (name, seconds, accuracy from 0 to 1).

    Rows of one name are runs with different seeds: each is a small mark, their mean a large one, with bars from
    the least to the greatest. The scale of seconds is logarithmic when they differ more than tenfold.
    """
    if not rows:
        raise ValueError("There are no rows to show; each is (name, seconds, accuracy).")
    methods: dict[str, list[tuple[float, float]]] = {}
    for name, seconds, accuracy in rows:
        methods.setdefault(name, []).append((seconds, accuracy))
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 3.8), layout="constrained")
        ax = fig.subplots()
        for number, (name, runs) in enumerate(methods.items()):
            look = _look(number)
            points = np.array(runs)
            ax.plot(*points.T, ls="", ms=5, alpha=0.6, **look)
            (x, y), low, high = points.mean(axis=0), points.min(axis=0), points.max(axis=0)
            ax.errorbar(
                x, y, xerr=[[x - low[0]], [high[0] - x]], yerr=[[y - low[1]], [high[1] - y]],
                ms=11, mec="black", capsize=4, lw=1.5, ls="", label=name, **look,
            )  # fmt: skip
        seconds, xlabel = [row[1] for row in rows], "seconds of training"
        if min(seconds) > 0 and max(seconds) > 10 * min(seconds):
            xlabel += " (each step multiplies them)"
            _count_in_factors(ax)
        else:
            ax.set_xlim(left=0)
        ax.set(xlabel=xlabel, ylabel="accuracy")
        ax.yaxis.set_major_formatter(_percent)
        ax.grid(alpha=0.3)
        # Above the plot, where no mark can be taken for a point.
        title = "large: mean of the runs" if len(rows) > len(methods) else None
        fig.legend(loc="outside upper center", ncols=3, frameon=False, title=title)
        show(fig, alt)


def accuracy_by_seconds(curves: Mapping[str, Sequence[tuple[float, Sequence[float]]]], alt: str) -> None:
    """Show how accurate each way of training gets for more seconds: for each name its points (seconds, accuracies).

    The accuracies of a point, from 0 to 1, are runs with different seeds: the line goes through their means, and the
    bars go from the least to the greatest. Seconds are on a scale on which each step multiplies them.
    """
    if not curves or not all(points and all(len(runs) for _, runs in points) for points in curves.values()):
        raise ValueError("There is nothing to show; each way needs points (seconds, accuracies).")
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 3.8), layout="constrained")
        ax = fig.subplots()
        for number, (name, points) in enumerate(curves.items()):
            seconds = [x for x, _ in points]
            means = [float(np.mean(runs)) for _, runs in points]
            below = [mean - min(runs) for mean, (_, runs) in zip(means, points, strict=True)]
            above = [max(runs) - mean for mean, (_, runs) in zip(means, points, strict=True)]
            look = {"ms": 8, "mec": "black", "capsize": 4, "lw": 1.5, "label": name, **_look(number)}
            ax.errorbar(seconds, means, yerr=[below, above], **look)
        _count_in_factors(ax)
        ax.set(xlabel="seconds of training (each step multiplies them)", ylabel="accuracy")
        ax.yaxis.set_major_formatter(_percent)
        ax.grid(alpha=0.3)
        fig.legend(loc="outside upper center", ncols=2, frameon=False)
        show(fig, alt)


def _count_in_factors(ax: Axes) -> None:
    """A logarithmic scale of x with plain numbers."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()


def show_bars(
    values: Mapping[str, float | Sequence[float]], alt: str, *, label: str = "accuracy", percent: bool = True
) -> None:
    """Compare numbers by name with horizontal bars; several numbers for a name show their mean and their spread.

    The whisker goes from the least to the greatest, and each number is a dot on it. With ``percent``, numbers are
    shares from 0 to 1; without, they are drawn as they are.
    """
    if not values:
        raise ValueError("There is nothing to compare.")
    numbers = {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in values.items()}
    empty = [name for name, array in numbers.items() if array.size == 0]
    if empty:
        raise ValueError(f"{empty[0]!r} has no number to show.")
    means = [array.mean() for array in numbers.values()]
    if len(numbers) < sum(array.size for array in numbers.values()):
        label = f"{label} (bar: mean, dots: single values)"
    top = max([1.0 if percent else 0.0, *(array.max() for array in numbers.values())])
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 0.5 * len(numbers) + 0.9), layout="constrained")
        ax = fig.subplots()
        for position, (mean, array) in enumerate(zip(means, numbers.values(), strict=True)):
            color, hatch = PALETTE[position % len(PALETTE)], HATCHES[position % len(HATCHES)]
            ax.barh(position, mean, height=0.6, edgecolor="white", color=color, hatch=hatch)
            if len(array) > 1:
                ax.plot([array.min(), array.max()], [position] * 2, color="black", marker="|", ms=9)
                ax.plot(array, [position] * len(array), "o", mfc="white", mec="black", ms=4)
            text = f"{mean:.1%}" if percent else f"{mean:.3g}"
            ax.annotate(text, (max(mean, array.max()), position), (6, 0), textcoords="offset points", va="center")
        ax.set_yticks(range(len(numbers)), list(numbers))
        ax.invert_yaxis()
        ax.set(xlabel=label, xlim=(0, 1.14 * top))
        if percent:
            ax.set_xticks(np.linspace(0, 1, 6))
            ax.xaxis.set_major_formatter(_percent)
        show(fig, alt)


def show_draws(
    groups: Mapping[str, Mapping[str, Sequence[float]]],
    alt: str,
    *,
    xlabel: str = "",
    ylabel: str = "accuracy",
    yours: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """Show every draw of an experiment as a mark: group on the x axis -> way -> its shares from 0 to 1.

    A short line marks the mean of each way. ``yours`` has the same names with one number each, drawn as a ring over
    the draws, so that a run of your own can be seen among those that are stored.
    """
    yours = yours or {}
    ways = list(dict.fromkeys(way for group in groups.values() for way in group))
    if not ways:
        raise ValueError("There is nothing to show.")
    unknown = [name for name in yours if name not in groups] + [
        way for group in yours.values() for way in group if way not in ways
    ]
    if unknown:
        raise ValueError(f"There are no draws called {unknown[0]!r} that yours could be shown among.")
    step = 0.8 / len(ways)
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 4), layout="constrained")
        ax = fig.subplots()
        for number, way in enumerate(ways):
            look, first = _look(number), True
            for place, (name, group) in enumerate(groups.items()):
                x = place + (number - (len(ways) - 1) / 2) * step
                if values := list(group.get(way, ())):
                    spread = np.linspace(-0.25, 0.25, len(values)) * step if len(values) > 1 else [0]
                    ax.plot(x + np.array(spread), values, ls="", ms=5, alpha=0.7, label=way if first else None, **look)
                    ax.hlines(np.mean(values), x - 0.4 * step, x + 0.4 * step, color=look["color"], lw=2.5)
                    first = False
                if way in yours.get(name, {}):
                    ax.plot(x, yours[name][way], "o", ms=13, mfc="none", mec="black", mew=2)
        if any(yours.values()):
            ax.plot([], [], "o", ms=11, mfc="none", mec="black", mew=2, ls="", label="your run")
        ax.set_xticks(range(len(groups)), list(groups))
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(-0.6, len(groups) - 0.4))
        ax.yaxis.set_major_formatter(_percent)
        ax.grid(alpha=0.3, axis="y")
        fig.legend(loc="outside upper center", ncols=3, frameon=False)
        show(fig, alt)


def show_bar_panels(
    panels: Mapping[str, Mapping[str, float]], alt: str, *, formats: str | Mapping[str, str] = "{:.0%}"
) -> None:
    """Show several measurements of the same things side by side: title of a panel -> name of a bar -> number.

    Every panel has the same names, in the same order. ``formats`` says how the numbers are written, as in
    ``"{:.1f} MB".format(number)``: one for all panels, which then share a scale, so that bars of different panels can
    be compared, or one for each title, and each panel gets a scale of its own. Every scale begins at 0.
    """
    if not panels or not all(panels.values()):
        raise ValueError("There is nothing to compare.")
    names = list(next(iter(panels.values())))
    for title, values in panels.items():
        if list(values) != names:
            raise ValueError(f"The panel {title!r} has {', '.join(values)}, but the first one has {', '.join(names)}.")
    tops = {title: max(*values.values(), 1e-9) for title, values in panels.items()}
    if isinstance(formats, str):
        tops = dict.fromkeys(tops, max(tops.values()))
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 0.36 * len(names) + 0.6), layout="constrained")
        axes = fig.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for ax, (title, values) in zip(axes, panels.items(), strict=True):
            form = formats if isinstance(formats, str) else formats[title]
            for position, value in enumerate(values.values()):
                look = {"color": PALETTE[position % len(PALETTE)], "hatch": HATCHES[position % len(HATCHES)]}
                ax.barh(position, value, height=0.65, edgecolor="white", **look)
                ax.annotate(form.format(value), (value, position), (4, 0), textcoords="offset points", va="center")
            ax.set(title=title, xticks=[], xlim=(0, 1.45 * tops[title]))
            ax.spines["bottom"].set_visible(False)
            ax.tick_params(length=0)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].invert_yaxis()
        show(fig, alt)


def show_lines(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    alt: str,
    *,
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
) -> None:
    """Show one or several named curves over the same ``x``, for example pictures a second over the batch size."""
    if not lines:
        raise ValueError("There is no line to show.")
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 3.4), layout="constrained")
        ax = fig.subplots()
        for number, (name, y) in enumerate(lines.items()):
            if len(y) != len(x):
                raise ValueError(f"The line {name!r} has {len(y)} values for {len(x)} positions on the x axis.")
            look = _look(number) if len(x) <= 40 else {"color": _look(number)["color"]}
            ax.plot(x, y, ls=("-", "--", "-.", ":")[number % 4], label=name, **look)
        if all(float(value).is_integer() for value in x):  # counted things, such as layers: no tick at 2.5
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if log_x:
            ax.set_xscale("log")
            ax.set_xticks(list(x), [f"{value:g}" for value in x], minor=False)
            ax.minorticks_off()
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.grid(alpha=0.3)
        if len(lines) > 1:
            ax.legend(frameon=False)
        show(fig, alt)


def show_reliability(tables: Mapping[str, Reliability], alt: str) -> None:
    """Show for each name a `calibration.Reliability`: how often answers are right over how sure they were.

    A mark on the diagonal keeps its promise, one below it was too sure. The larger a mark, the more answers it stands
    for; their number is written beside it.
    """
    if not tables:
        raise ValueError("There is nothing to show.")
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, WIDTH / max(len(tables), 2) + 0.4), layout="constrained")
        axes = fig.subplots(1, len(tables), squeeze=False, sharey=True)[0]
        for number, (ax, (name, table)) in enumerate(zip(axes, tables.items(), strict=True)):
            ax.plot([0, 1], [0, 1], ls="--", color="black", lw=1)
            ax.vlines(table.confidence, table.accuracy, table.confidence, color=GRAY, lw=3)
            sizes = 30 + 270 * table.count / table.count.sum()
            ax.scatter(table.confidence, table.accuracy, s=sizes, zorder=3, **_look(number))
            for x, y, count in zip(table.confidence, table.accuracy, table.count, strict=True):
                away, side = (11, "bottom") if y > x else (-11, "top")  # on the side where the gray line is not
                ax.annotate(str(count), (x, y), (0, away), textcoords="offset points", ha="center", va=side, fontsize=9)
            ax.set(title=name, xlabel="how sure (softmax)", xlim=(0, 1.05), ylim=(0, 1.05), aspect="equal")
            ax.xaxis.set_major_formatter(_percent)
            ax.grid(alpha=0.3)
        axes[0].set_ylabel("how often right")
        axes[0].yaxis.set_major_formatter(_percent)
        show(fig, alt)


def show_trade_off(
    points: Mapping[str, tuple[float, float]],
    alt: str,
    *,
    xlabel: str,
    families: Mapping[str, Sequence[str]] | None = None,
    front: Sequence[str] = (),
) -> None:
    """Show what each model costs and gives: name -> (cost, accuracy from 0 to 1). To the left is cheap, up is good.

    ``families`` are drawn with a colour and a mark of their own and named in the legend, all others as gray dots.
    A stepped line goes through the names in ``front``, the Pareto front.
    """
    families = families or {}
    unknown = [
        name for name in [*front, *(name for names in families.values() for name in names)] if name not in points
    ]
    if not points or unknown:
        raise ValueError(f"There is no point for {unknown[0]!r}." if unknown else "There are no points to show.")
    in_families = {name for names in families.values() for name in names}
    costs = [cost for cost, _ in points.values()]
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 4.4), layout="constrained")
        ax = fig.subplots()
        if front:
            steps = np.array(sorted(points[name] for name in front))
            ax.step(*steps.T, where="post", color="black", lw=1, ls="--", label="Pareto front")
        others = [point for name, point in points.items() if name not in in_families]
        if others:
            ax.plot(*np.array(others).T, ls="", marker=".", ms=7, color="#8C8C8C", label="others" if families else None)
        for number, (family, names) in enumerate(families.items()):
            ax.plot(*np.array([points[name] for name in names]).T, ls="", ms=7, label=family, **_look(number))
        if min(costs) > 0 and max(costs) > 10 * min(costs):
            ax.set_xscale("log")
            if max(costs) < 1000 * min(costs):  # few powers of ten: label some steps in between as well
                ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.xaxis.set_minor_formatter("")
        ax.set(xlabel=xlabel, ylabel="top-1 accuracy")
        ax.yaxis.set_major_formatter(_percent)
        ax.grid(alpha=0.3)
        if families or front:
            ax.legend(frameon=False)
        show(fig, alt)


def _draw_image(ax: Axes, image: Shown) -> np.ndarray:
    pixels = _pixels(image)
    brightest = 255 if pixels.dtype.kind in "iu" else 1  # else matplotlib would stretch the contrast of gray pictures
    smooth = None if max(pixels.shape) >= 128 else "nearest"  # show small pictures as the squares that they are
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=brightest, interpolation=smooth)
    return pixels


def _pixels(image: Shown) -> np.ndarray:
    """Anything that is a picture as an array (H, W) or (H, W, 3) that matplotlib shows."""
    if isinstance(image, Image.Image):
        return np.asarray(image if image.mode == "L" else to_rgb(image))  # as the network sees it
    if isinstance(image, torch.Tensor):
        if image.ndim != 3 or image.shape[0] not in {1, 3}:
            raise ValueError(f"A tensor must have shape (3, H, W) or (1, H, W) to be shown, got {tuple(image.shape)}.")
        image = image.detach().cpu().permute(1, 2, 0).squeeze(2).numpy()
    array = np.asarray(image)
    if array.ndim not in {2, 3} or array.dtype == object:
        raise ValueError(f"Not a picture: {type(image).__name__}. Give a PIL image, an array or a tensor.")
    if array.dtype.kind == "f" and (array.min() < 0 or array.max() > 1):
        array = (array - array.min()) / max(float(array.max() - array.min()), 1e-12)
    return array


def _look(number: int) -> dict:
    """Colour and mark of the curve with this number: two ways to tell it from the others."""
    return {"color": PALETTE[number % len(PALETTE)], "marker": MARKERS[number % len(MARKERS)]}


def _percent(value: float, _position: float = 0) -> str:
    return f"{100 * value:g}%"


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
