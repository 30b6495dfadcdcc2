"""Figures of one quantity over another: epochs, seconds, the cost of a model, anything that is counted."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from course_utils.history import History
from course_utils.plots.figure import STYLE, WIDTH, as_percent, look_of, show


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
                ax.plot(range(1, history.epochs + 1), values, label=name, ms=5, **look_of(number), **dashed)
                if which == "validation":
                    best = history.best_epoch
                    ring = "epoch that was kept" if number == len(curves) - 1 else None
                    ax.plot(best, values[best - 1], "o", ms=12, mfc="none", mec="black", label=ring)
            ax.set(xlabel="epoch", ylabel=f"{part} {quantity}".strip())
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        right.yaxis.set_major_formatter(as_percent)
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
            look = look_of(number)
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
        ax.yaxis.set_major_formatter(as_percent)
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
            look = {"ms": 8, "mec": "black", "capsize": 4, "lw": 1.5, "label": name, **look_of(number)}
            ax.errorbar(seconds, means, yerr=[below, above], **look)
        _count_in_factors(ax)
        ax.set(xlabel="seconds of training (each step multiplies them)", ylabel="accuracy")
        ax.yaxis.set_major_formatter(as_percent)
        ax.grid(alpha=0.3)
        fig.legend(loc="outside upper center", ncols=2, frameon=False)
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
            look = look_of(number) if len(x) <= 40 else {"color": look_of(number)["color"]}
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
            ax.plot(*np.array([points[name] for name in names]).T, ls="", ms=7, label=family, **look_of(number))
        if min(costs) > 0 and max(costs) > 10 * min(costs):
            ax.set_xscale("log")
            if max(costs) < 1000 * min(costs):  # few powers of ten: label some steps in between as well
                ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.xaxis.set_minor_formatter("")
        ax.set(xlabel=xlabel, ylabel="top-1 accuracy")
        ax.yaxis.set_major_formatter(as_percent)
        ax.grid(alpha=0.3)
        if families or front:
            ax.legend(frameon=False)
        show(fig, alt)


def _count_in_factors(ax: Axes) -> None:
    """A logarithmic scale of x with plain numbers."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
