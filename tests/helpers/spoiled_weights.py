"""Another file in the place of a shipped model's weights."""

import dataclasses
from pathlib import Path

from course_utils.shipped import SHIPPED


def put_in_place_of(monkeypatch, name: str, folder: Path, content: bytes | None) -> Path:
    """Let the file of a shipped model be another one (None: no file at all)."""
    file = folder / "weights.pth"
    if content is not None:
        file.write_bytes(content)
    record = dataclasses.replace(SHIPPED[name], folder=folder, distribution=None, file=file.name)
    monkeypatch.setitem(SHIPPED, name, record)
    return file
