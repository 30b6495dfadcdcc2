"""Reading a notebook that somebody handed in: strictly, and in every form in which notebooks really come.

Nothing here needs nbgrader or nbformat, except for notebooks of the format 3, so that it works for students too.
"""

import codecs
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.errors import CourseError

MOST_BYTES = 20 * 2**20  # a notebook of the course with its pictures has less than one MB
MOST_CELLS = 2000

# The longer marks first: the one of UTF-16 is the beginning of the one of UTF-32.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableNotebook(CourseError):
    """A file that is not a notebook we can grade; the message says why and what the student should do."""


@dataclass(frozen=True)
class Cell:
    """One cell: its kind ("code", "markdown" or "raw"), its text with Unix line ends, its id and its metadata."""

    kind: str
    source: str
    id: str = ""
    metadata: dict = field(default_factory=dict)

    @property
    def grade_id(self) -> str:
        """The name that nbgrader gave to the cell, or ""."""
        about = self.metadata.get("nbgrader")
        name = about.get("grade_id") if isinstance(about, dict) else None
        return name if isinstance(name, str) else ""


@dataclass(frozen=True)
class Notebook:
    """The cells of a file, the SHA-256 of its bytes, and what was unusual about it, a sentence each."""

    cells: tuple[Cell, ...]
    sha256: str
    notes: tuple[str, ...] = ()


def read_notebook(path: Path) -> Notebook:
    """Read a notebook file. Raises UnreadableNotebook."""
    return parse_notebook(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a regular file that is not too large. A link is not followed."""
    try:
        # Without O_NONBLOCK a named pipe would keep us waiting for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if path.is_symlink():
            raise UnreadableNotebook("The file is a link to another file. Hand in the notebook itself.") from None
        raise UnreadableNotebook(f"The file cannot be opened: {error.strerror}.") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise UnreadableNotebook("This is a folder or a device, not a file. Hand in the notebook itself.")
    with os.fdopen(descriptor, "rb") as stream:
        if status.st_size > MOST_BYTES:
            raise UnreadableNotebook(
                f"The file has {status.st_size / 2**20:.0f} MB, more than {MOST_BYTES // 2**20}. Clear the outputs of "
                "all cells, save, and hand it in again."
            )
        return stream.read(MOST_BYTES + 1)


def parse_notebook(content: bytes) -> Notebook:
    """Return the notebook that these bytes hold. Raises UnreadableNotebook."""
    notes: list[str] = []
    if not content.strip(b"\0 \t\r\n"):
        raise UnreadableNotebook("The file is empty. Save the notebook again, and hand in what was saved.")
    book = _json(_text(content, notes))
    cells = tuple(_cells(book, notes))
    if len(cells) > MOST_CELLS:
        raise UnreadableNotebook(f"The notebook has {len(cells)} cells, more than {MOST_CELLS}.")
    return Notebook(cells, hashlib.sha256(content).hexdigest(), tuple(notes))


def _text(content: bytes, notes: list[str]) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            notes.append(f"The file is written as {encoding.upper()} with a byte order mark; it was read as such.")
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                raise UnreadableNotebook(f"The file says that it is {encoding.upper()}, and it is not.") from None
    # The first character of a notebook is ASCII, so that zeros around it tell the width of a character.
    for start, encoding in (
        (b"{\0\0\0", "utf-32-le"),
        (b"\0\0\0{", "utf-32-be"),
        (b"{\0", "utf-16-le"),
        (b"\0{", "utf-16-be"),
    ):
        if content.lstrip(b" \t\r\n").startswith(start):
            notes.append(f"The file is written as {encoding.upper()}; it was read as such.")
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                raise UnreadableNotebook(f"The file looks like {encoding.upper()}, and it is not.") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        notes.append("The file is not UTF-8; it was read as Windows-1252, so accents may look odd.")
        return content.decode("cp1252", errors="replace")


def _json(text: str) -> dict:
    try:
        book = json.loads(text, strict=False)  # real tabs and line ends in texts: harmless
    except json.JSONDecodeError as error:
        raise UnreadableNotebook(
            f"This is not a complete notebook: {error.msg}, line {error.lineno}. Open it, save it, hand it in again."
        ) from None
    except (RecursionError, ValueError, MemoryError) as error:  # nested too deep, or a number of 5000 digits
        raise UnreadableNotebook(f"This is not a notebook ({type(error).__name__}).") from None
    if not isinstance(book, dict) or not ("cells" in book or "worksheets" in book):
        raise UnreadableNotebook("The file holds JSON, but not a notebook: it has no cells.")
    return book


def _cells(book: dict, notes: list[str]) -> Iterator[Cell]:
    if "cells" not in book:
        notes.append("The notebook has the old format 3; it was upgraded.")
        worksheets = book["worksheets"] if isinstance(book["worksheets"], list) else []
        sheets = [sheet["cells"] for sheet in worksheets if isinstance(sheet, dict) and "cells" in sheet]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    else:
        cells = book["cells"]
    if not isinstance(cells, list):
        raise UnreadableNotebook("The notebook has no list of cells.")
    for cell in cells:
        if not isinstance(cell, dict):
            raise UnreadableNotebook(
                "One of the cells is not a cell. Open the notebook, save it, and hand it in again."
            )
        kind = cell.get("cell_type")
        source = _joined(cell.get("source", cell.get("input")))
        if kind == "heading":  # format 3
            level = cell.get("level")
            kind, source = "markdown", "#" * (level if isinstance(level, int) and 0 < level < 7 else 1) + " " + source
        metadata = cell.get("metadata")
        identity = cell.get("id")
        yield Cell(
            kind=kind if kind in ("code", "markdown", "raw") else "raw",
            source=source,
            id=identity if isinstance(identity, str) else "",
            metadata=metadata if isinstance(metadata, dict) else {},
        )


def _joined(source: object) -> str:
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    # A lone surrogate is legal in JSON and cannot be written in UTF-8.
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")
