"""Something to guess before it is measured; `predictions` asks, keeps and compares."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """Something to guess: one of the `options`, or, where there are none, a number that counts `unit`."""

    id: str
    lesson: str
    prompt: str
    options: tuple[str, ...] = ()
    unit: str = ""
