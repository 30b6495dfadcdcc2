"""Figures of how a classifier errs: what it takes for what, and how sure it is."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from course_utils.calibration import Reliability
from course_utils.metrics import ConfusionMatrix
from course_utils.plots.figure import GRAY, STYLE, WIDTH, as_percent, look_of, show


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
            ax.scatter(table.confidence, table.accuracy, s=sizes, zorder=3, **look_of(number))
            for x, y, count in zip(table.confidence, table.accuracy, table.count, strict=True):
                away, side = (11, "bottom") if y > x else (-11, "top")  # on the side where the gray line is not
                ax.annotate(str(count), (x, y), (0, away), textcoords="offset points", ha="center", va=side, fontsize=9)
            ax.set(title=name, xlabel="how sure (softmax)", xlim=(0, 1.05), ylim=(0, 1.05), aspect="equal")
            ax.xaxis.set_major_formatter(as_percent)
            ax.grid(alpha=0.3)
        axes[0].set_ylabel("how often right")
        axes[0].yaxis.set_major_formatter(as_percent)
        show(fig, alt)
