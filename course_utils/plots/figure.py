"""What every figure has in common: colours, marks, style, and the way into the notebook with a text."""

import base64
import io
from html import escape
from typing import Any

import matplotlib.pyplot as plt
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from matplotlib.figure import Figure

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


def look_of(number: int) -> dict:
    """Colour and mark of the curve with this number: two ways to tell it from the others."""
    return {"color": PALETTE[number % len(PALETTE)], "marker": MARKERS[number % len(MARKERS)]}


def as_percent(value: float, _position: float = 0) -> str:
    """Write a share from 0 to 1 as the label of an axis: 0.25 is "25%". matplotlib gives its position as well."""
    return f"{100 * value:g}%"
