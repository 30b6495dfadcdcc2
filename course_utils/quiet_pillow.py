"""Silence for Pillow's remarks on odd metadata, which the reader can do nothing about, in one thread at a time.

A filter of `warnings` would not do: filters belong to the whole process, so two threads that set and restore them
leave each other's behind.
"""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

_thread = threading.local()


class _Warnings:
    """Stands for the module `warnings` inside Pillow: silent while this thread opens a picture, else the same."""

    @staticmethod
    def warn(message: Warning | str, category: type[Warning] | None = None, stacklevel: int = 1) -> None:
        if not getattr(_thread, "is_quiet", False):
            warnings.warn(message, category, stacklevel + 1)

    def __getattr__(self, name: str) -> object:
        return getattr(warnings, name)


@contextmanager
def without_remarks() -> Iterator[None]:
    """Let no warning of Pillow's be shown, or raised, by what this thread does in a ``with`` block."""
    before = getattr(_thread, "is_quiet", False)
    _thread.is_quiet = True
    try:
        yield
    finally:
        _thread.is_quiet = before


def _stand_in() -> None:
    Image.init()  # imports the readers of all formats
    for name, module in list(sys.modules.items()):
        if name.startswith("PIL.") and getattr(module, "warnings", None) is warnings:
            vars(module)["warnings"] = _Warnings()


_stand_in()
