"""Figures that compare numbers by name: bars, panels of bars, and every draw of an experiment."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from course_utils.plots.figure import HATCHES, PALETTE, STYLE, WIDTH, as_percent, look_of, show


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
            ax.xaxis.set_major_formatter(as_percent)
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
            look, first = look_of(number), True
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
        ax.yaxis.set_major_formatter(as_percent)
        ax.grid(alpha=0.3, axis="y")
        fig.legend(loc="outside upper center", ncols=3, frameon=False)
        show(fig, alt)
