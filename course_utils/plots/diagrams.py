"""Figures of boxes and arrows: what comes from what."""

import itertools
from collections.abc import Collection, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_utils.plots.figure import OKABE_ITO, STYLE, WIDTH, show

GAP = 0.28  # between two columns, where a box is 1 wide
HALF_HEIGHT = 0.34  # of a box, where the rows are 1 apart


def show_flow(columns: Sequence[Sequence[str]], alt: str, *, marked: Collection[str] = ()) -> None:
    """Show boxes in columns, from left to right, with an arrow from each box to every box of the next column.

    A box is its text; lines after the first are smaller print. Boxes in ``marked`` get a colour and a thick edge.
    """
    if not columns or not all(columns):
        raise ValueError("There is nothing to show; each column needs at least one box.")
    if unknown := [text for text in marked if not any(text in column for column in columns)]:
        raise ValueError(f"There is no box {unknown[0]!r} that could be marked.")
    rows = max(len(column) for column in columns)
    places = [
        [(number * (1 + GAP), (rows - len(column)) / 2 + row) for row in range(len(column))]
        for number, column in enumerate(columns)
    ]
    title_size = 10 if len(columns) < 4 else 9  # what fits into a box
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 0.95 * rows + 0.1), layout="constrained")
        ax = fig.subplots()
        ax.axis("off")
        for boxes, following in itertools.pairwise(places):
            for x, y in boxes:
                for next_x, next_y in following:
                    tip, tail = (next_x - 0.03, next_y), (x + 1.03, y)
                    arrow = {"arrowstyle": "->", "color": "black", "lw": 1.2}
                    ax.annotate("", xy=tip, xytext=tail, arrowprops=arrow)
        for column, boxes in zip(columns, places, strict=True):
            for text, (x, y) in zip(column, boxes, strict=True):
                color, edge = (OKABE_ITO["sky blue"], 2.5) if text in marked else ("white", 1)
                corner = (x, y - HALF_HEIGHT)
                look = {"boxstyle": "round,pad=0,rounding_size=0.08", "fc": color, "ec": "black", "lw": edge}
                ax.add_patch(FancyBboxPatch(corner, 1, 2 * HALF_HEIGHT, **look))
                title, _, small = text.partition("\n")
                lines = small.count("\n") + 1 if small else 0
                bold = {"size": title_size, "weight": "bold"}
                ax.text(x + 0.5, y - 0.1 * lines, title, fontdict=bold, ha="center", va="center")
                ax.text(x + 0.5, y + 0.14, small, fontdict={"size": 8.5}, ha="center", va="center")
        ax.set(xlim=(-0.05, len(columns) * (1 + GAP) - GAP + 0.05), ylim=(rows - 0.55, -0.45))
        show(fig, alt)
