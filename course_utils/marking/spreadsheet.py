"""Tables of other programs: read, and written back in the same form, with no cell that a spreadsheet would run."""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

from course_utils.errors import CourseError, reason_of, shown
from course_utils.files import read_regular, write_whole

LARGEST = 50_000_000  # bytes; a class of 10,000 is a fiftieth of it
_BOM = "\ufeff"
_BEGINS_A_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")  # the wide ones are read as formulas in East Asian Excel


class TableError(CourseError, ValueError):
    """A table cannot be read or written; the message says why and what to do."""


@dataclass(frozen=True)
class Table:
    """A CSV file: its rows, the first of them the titles of the columns, and the form in which it was written."""

    rows: tuple[tuple[str, ...], ...]
    delimiter: str = ","
    line_end: str = "\r\n"
    begins_with_mark: bool = False

    @property
    def titles(self) -> tuple[str, ...]:
        return self.rows[0]

    def with_rows(self, rows: list[list[str]]) -> "Table":
        """The same form around other rows."""
        return replace(self, rows=tuple(tuple(row) for row in rows))


def read_table(path: Path) -> Table:
    """Read a CSV file in UTF-8, with commas, semicolons or tabs. Raises TableError."""
    try:
        content = read_regular(path, LARGEST)
    except (OSError, ValueError) as error:
        raise TableError(f"{shown(path)} cannot be opened: {reason_of(error)}.") from None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise TableError(f"{shown(path)} is no CSV file in UTF-8. Export it again, or save it as such.") from None
    marked, text = text.startswith(_BOM), text.removeprefix(_BOM)
    first = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise TableError(f"{shown(path)} is no CSV file: {shown(error)}. Export it again.") from None
    if not rows:
        raise TableError(f"{shown(path)} is empty. Export it again.")
    width = len(rows[0])
    padded = tuple(row + ("",) * (width - len(row)) for row in rows)
    return Table(padded, delimiter, "\r\n" if "\r\n" in text else "\n", marked)


def write_table(path: Path, table: Table) -> None:
    """Write a table whole, or not at all; what a spreadsheet would run becomes text. Raises TableError."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=table.delimiter, lineterminator=table.line_end)
    writer.writerows([no_formula(cell) for cell in row] for row in table.rows)
    content = (_BOM * table.begins_with_mark + stream.getvalue()).encode("utf-8", errors="replace")
    try:
        write_whole(path, lambda partial: partial.write_bytes(content))
    except (OSError, ValueError) as error:
        raise TableError(f"{shown(path)} cannot be written: {reason_of(error)}.") from None


def no_formula(text: str) -> str:
    """Text that no spreadsheet takes for a formula; numbers, and a dash that stands for nothing, stay as they are."""
    harmless = text[:1] not in _BEGINS_A_FORMULA or not text[1:].strip() or as_number(text) is not None
    return text if harmless else f"'{text}"


def as_number(text: str) -> float | None:
    """The number that a cell holds, with a decimal point or comma; None where it holds none."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
