"""Every figure of the course, each with a text that says what it shows.

Colours come from one palette that people with any kind of colour vision can tell apart, and nothing is told by
colour alone: lines also differ in their marks, bars in their hatching.
"""

from course_utils.plots.bars import show_bar_panels, show_bars, show_draws
from course_utils.plots.curves import (
    accuracy_against_seconds,
    accuracy_by_seconds,
    show_history,
    show_lines,
    show_trade_off,
)
from course_utils.plots.diagrams import show_flow
from course_utils.plots.errors import show_confusion, show_reliability
from course_utils.plots.figure import GRAY, HATCHES, MARKERS, OKABE_ITO, PALETTE, STYLE, WIDTH, show
from course_utils.plots.pictures import show_grad_cam, show_images, show_maps, show_predictions, show_steps

__all__ = [
    "GRAY",
    "HATCHES",
    "MARKERS",
    "OKABE_ITO",
    "PALETTE",
    "STYLE",
    "WIDTH",
    "accuracy_against_seconds",
    "accuracy_by_seconds",
    "show",
    "show_bar_panels",
    "show_bars",
    "show_confusion",
    "show_draws",
    "show_flow",
    "show_grad_cam",
    "show_history",
    "show_images",
    "show_lines",
    "show_maps",
    "show_predictions",
    "show_reliability",
    "show_steps",
    "show_trade_off",
]
