"""Grades in the tables of learning platforms: which row is whose, and which column takes the grade.

The platform's own export is the template, so its ids, columns and order are what it expects back. Moodle: the grading
worksheet of an assignment, or the grades of a course. Canvas: the export of the gradebook.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from course_utils.errors import CourseError, shown
from course_utils.marking.spreadsheet import Table, as_number


class LmsError(CourseError, ValueError):
    """A platform's table cannot be filled in; the message says why and what to do."""


@dataclass(frozen=True)
class Platform:
    """A learning platform: the columns that say who somebody is, and where the most that can be reached stands."""

    name: str
    people: tuple[str, ...]
    grade: str = ""  # the title of the grade's column, where that is always the same
    maximum: str = ""  # the title of the column with the most that can be reached
    maximum_row: str = ""  # the beginning of the row with it
    export: str = ""  # where an instructor finds the table


MOODLE = Platform(
    "Moodle",
    people=("Identifier", "Email address", "ID number", "Username"),
    grade="Grade",
    maximum="Maximum Grade",
    export="the assignment's 'Download grading worksheet', with Moodle in English",
)
CANVAS = Platform(
    "Canvas",
    people=("ID", "SIS User ID", "SIS Login ID", "Integration ID"),
    maximum_row="Points Possible",
    export="the Gradebook's 'Export'",
)


@dataclass(frozen=True)
class Grade:
    """What one student earned; ``score`` is None until somebody has looked. ``names`` are further ids of theirs."""

    student: str
    score: float | None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filled:
    """A table with grades, and what an instructor has to know of it: students, each a list."""

    table: Table
    written: tuple[str, ...]
    replaced: tuple[str, ...]  # of those written: another grade stood there
    ungraded: tuple[str, ...]
    unmatched: tuple[str, ...]  # no row, or more than one
    rows_left: int  # people in the table without a submission


def fill_in(
    table: Table,
    platform: Platform,
    assignment: str,
    grades: Iterable[Grade],
    maximum: float,
    column: str = "",
    scale: bool = False,
) -> Filled:
    """Write grades into their column; a cell without a grade of ours stays as it was.

    ``column`` is the title of the grade's column where it cannot be told. ``scale`` converts points where the platform
    counts to another maximum; without it that raises LmsError, as anything does that leaves a doubt about columns.
    """
    place = grade_column(table, platform, assignment, column)
    people = [title for title in table.titles if _plain(title) in {_plain(name) for name in platform.people}]
    if not people:
        raise LmsError(
            f"The table has none of {platform.name}'s columns {', '.join(platform.people)}. Take {platform.export}."
        )
    who = [table.titles.index(title) for title in people]
    start = _first_person(table, platform)
    top = _maxima(table, platform, place, start)
    if not scale and (other := [number for number in top if abs(number - maximum) > 1e-6]):
        raise LmsError(
            f"{assignment} gives up to {maximum:g} points, and {platform.name} expects up to {other[0]:g}. Set the "
            f"assignment there to {maximum:g}, or add --scale to convert."
        )
    if scale and not top:
        raise LmsError(f"The table does not say up to how many points {platform.name} expects: leave --scale out.")
    factor = top[0] / maximum if scale and top and maximum else 1.0
    rows = [list(row) for row in table.rows]
    names_of = {number: {_key(row[cell]) for cell in who} - {""} for number, row in enumerate(rows) if number >= start}
    numbers = [row[place] for row in rows] + _column(table, platform.maximum)
    has_comma = any("," in cell and as_number(cell) is not None for cell in numbers)
    grades = list(grades)
    places = matched(grades, names_of)
    written, replaced, ungraded = [], [], []
    for grade in grades:
        if grade.score is None:
            ungraded.append(grade.student)
        elif (number := places.get(grade.student)) is not None:
            text = f"{grade.score * factor:.2f}".rstrip("0").rstrip(".")
            before = as_number(rows[number][place])
            if before is not None and abs(before - float(text)) > 0.005:
                replaced.append(grade.student)
            rows[number][place] = text.replace(".", ",") if has_comma else text
            written.append(grade.student)
    unmatched = [grade.student for grade in grades if grade.student not in places]
    left = sum(bool(names) for names in names_of.values()) - len(places)
    return Filled(table.with_rows(rows), tuple(written), tuple(replaced), tuple(ungraded), tuple(unmatched), left)


def grade_column(table: Table, platform: Platform, assignment: str, column: str = "") -> int:
    """The place of the column that takes the grade. Raises LmsError where there is none, or more than one."""
    wanted = column or assignment
    alike = [
        place
        for place, title in enumerate(table.titles)
        if title.strip() == wanted.strip() or _plain(title) == _plain(wanted) or _of_assignment(title) == _plain(wanted)
    ]
    exact = [place for place in alike if table.titles[place].strip() == wanted.strip()]
    if not column and platform.grade:
        fixed = [place for place, title in enumerate(table.titles) if _plain(title) == _plain(platform.grade)]
        alike = fixed or alike
    found = exact if len(exact) == 1 else alike
    if len(found) == 1:
        return found[0]
    offered = [title for title in table.titles if re.search(r"\(.+\)\s*$", title)] or table.titles
    told = ", ".join(shown(title, 60) for title in offered[:12])
    what = "more than one column" if found else "no column"
    raise LmsError(f'The table has {what} for {shown(wanted)}. Name the one that is meant with --column "...": {told}.')


def matched(grades: Sequence[Grade], names_of: Mapping[int, set[str]]) -> dict[str, int]:
    """The row of each student: where an id is the same, failing that where the part of an e-mail before its @ is.

    Who fits two rows, or shares a row with somebody else, has none: a wrong grade is worse than a missing one.
    """
    found = {grade.student: _rows({_key(name) for name in (grade.student, *grade.names)}, names_of) for grade in grades}
    taken = {number for numbers in found.values() for number in numbers}
    free = {number: names for number, names in names_of.items() if number not in taken}
    logins = {number: {name for name in names if "@" not in name} for number, names in free.items()}
    locals_ = {number: {name.partition("@")[0] for name in names if "@" in name} for number, names in free.items()}
    for student in (student for student, numbers in found.items() if not numbers):
        login, at, _ = _key(student).partition("@")  # an address fits a login, never another address
        found[student] = _rows({login}, logins if at else locals_)
    claims = [number for numbers in found.values() for number in numbers]
    return {
        student: numbers[0] for student, numbers in found.items() if len(numbers) == 1 and claims.count(numbers[0]) == 1
    }


def _rows(names: set[str], names_of: Mapping[int, set[str]]) -> list[int]:
    return [number for number, others in names_of.items() if names & others]


def student_names(student: str) -> Iterator[str]:
    """Further ids in the name of a folder, as Moodle makes it for a download: Name_123_assignsubmission_file."""
    if found := re.search(r"_(\d+)_assignsubmission", student):
        yield found[1]


def _key(name: str) -> str:
    """An id without what platforms write differently: 'Participant 123' is 123, 'ADA' is ada."""
    return re.sub(r"^(participant )|^'", "", name.strip().casefold())


def _plain(title: str) -> str:
    return re.sub(r"[\W_]+", "", title.casefold())


def _of_assignment(title: str) -> str:
    """The assignment in the title of a column: 'quiz-1 (4711)' in Canvas, 'Assignment: quiz-1 (Real)' in Moodle."""
    return _plain(re.sub(r"^[^:()]*:|\([^()]*\)\s*$", "", title.strip()))


def _first_person(table: Table, platform: Platform) -> int:
    """The place of the first row of a person; Canvas has one or two of its own before."""
    if not platform.maximum_row:
        return 1
    heads = [place for place, row in enumerate(table.rows[:5]) if row[0].strip().startswith(platform.maximum_row)]
    return 1 + max(heads, default=0)


def _maxima(table: Table, platform: Platform, column: int, start: int) -> list[float]:
    """What the platform says can be reached; nothing where it does not say."""
    if platform.maximum_row:
        cells = [table.rows[start - 1][column]] if start > 1 else []
    else:
        cells = _column(table, platform.maximum)
    return [number for cell in cells if (number := as_number(cell)) is not None and number > 0]


def _column(table: Table, title: str) -> list[str]:
    places = [place for place, other in enumerate(table.titles) if title and _plain(other) == _plain(title)]
    return [row[places[0]] for row in table.rows[1:]] if places else []
