"""``python -m course_utils collect ASSIGNMENT ARCHIVE ...``: a platform's archive into the folders of the students.

python -m course_utils collect quiz-1 moodle.zip

Nothing of an archive is unpacked: each notebook is read up to a limit and written under a name that cannot lead out of
``submitted/``. What is doubtful stays outside and is listed.
"""

import argparse
import re
import stat
import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError, reason_of, shown
from course_utils.files import open_regular, write_whole
from course_utils.marking.command import course_folder, find_assignment
from course_utils.marking.reader import MOST_BYTES

MOST_ENTRIES = 100_000  # of an archive; a class of 1000 has a few thousand
MOST_IN_ALL = 2 * 2**30  # bytes of all notebooks of an archive
# The names of entries: Moodle's Name_123_assignsubmission_file/quiz-1.ipynb, Canvas's ada_LATE_123_456_quiz-1.ipynb.
_MOODLE = re.compile(r"(?P<student>[^/]*_\d+_assignsubmission_file)_?/?(?P<file>[^/]+)")
_CANVAS = re.compile(r"[^/_]+_(?:LATE_)?(?P<student>\d+)_\d+_(?P<file>[^/]+)")
_FOLDER = re.compile(r"(?:submitted/)?(?P<student>[^/]+)/(?:[^/]+/)*(?P<file>[^/]+)")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)  # RuntimeError: a password


class CannotCollect(CourseError):
    """An archive cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class HandedIn:
    """A notebook in an archive: whose it is, what it is called, and its content."""

    student: str
    file: str
    content: bytes


@dataclass(frozen=True)
class Left:
    """An entry of an archive that was not collected, and why."""

    entry: str
    why: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("assignment", help="its name, for example ps1-heads")
    parser.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE", help="a zip of Moodle, Canvas or your own")
    parser.add_argument("--replace", action="store_true", help="take the archive's file where another one is there")
    parser.add_argument("--course", type=Path, metavar="DIR", help="the folder with submitted/ (default: exercises/)")


def run(args: argparse.Namespace) -> int:
    """Write the notebooks, say what was left, and return 0, or 1 when somebody has to look."""
    course = course_folder(args.course)
    name = find_assignment(course, args.assignment).name
    found: list[HandedIn | Left] = [one for archive in args.archives for one in read_archive(archive)]
    books, left = unambiguous(found)
    written = []
    for book in books:
        if why := _write(book, course / "submitted", name, args.replace):
            left.append(Left(f"{book.student}/{book.file}", why))
        else:
            written.append(book)
    print(f"{len(written)} notebooks of {len({book.student for book in written})} students are in {course}/submitted.")
    for one in left:
        print(f"Not collected: {shown(one.entry)}: {one.why}.")
    return int(bool(left))


def read_archive(path: Path) -> Iterator[HandedIn | Left]:
    """Yield each notebook of an archive, and each one that is not taken. Raises CannotCollect."""
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise CannotCollect(f"{shown(path)} has {len(entries)} entries; more than {MOST_ENTRIES} are not read.")
            room = MOST_IN_ALL
            for entry in entries:
                if not entry.filename.lower().endswith(".ipynb"):  # other files count for nothing
                    continue
                one = _read_entry(archive, entry, room)
                room -= len(one.content) if isinstance(one, HandedIn) else 0
                yield one
    except _DAMAGED as error:
        raise CannotCollect(f"{shown(path)} is no archive that can be read: {reason_of(error)}.") from None


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> HandedIn | Left:
    owner = whose(entry.filename)
    if isinstance(owner, Left):
        return owner
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return Left(entry.filename, "it is a link, or something else that is no file")
    most = min(MOST_BYTES, room)
    try:
        with archive.open(entry) as stream:  # what the entry says of its size may be a lie
            content = stream.read(most + 1)
    except (*_DAMAGED, NotImplementedError) as error:
        return Left(entry.filename, f"it cannot be read ({reason_of(error)})")
    if len(content) > most:
        return Left(entry.filename, "it is too large")
    return HandedIn(*owner, content)


def whose(entry: str) -> tuple[str, str] | Left:
    """The student and the file name that the name of an entry tells."""
    entry = unicodedata.normalize("NFC", entry)
    parts = entry.split("/")
    if entry.startswith("/") or any(part in ("", ".", "..") for part in parts) or not _is_plain(entry):
        return Left(entry, "its name leads out of the archive, or is none")
    if not (found := _MOODLE.fullmatch(entry) or _CANVAS.fullmatch(entry) or _FOLDER.fullmatch(entry)):
        return Left(entry, "nothing says whose it is; put it into a folder with the student's name")
    student, file = found["student"].strip(), found["file"].strip()
    if any(name.startswith(".") or not 0 < len(name.encode()) <= 200 for name in (student, file)):
        return Left(entry, "no folder can have this name")
    return student, file


def _is_plain(entry: str) -> bool:
    return entry.isprintable() and not re.search(r'[\\:*?"<>|]', entry)


def unambiguous(found: list[HandedIn | Left]) -> tuple[list[HandedIn], list[Left]]:
    """The notebooks that are the only ones of their name, also where capitals do not count; and all that is left.

    Of two students with one name nobody could say whose notebook is whose.
    """
    spellings = defaultdict(set)
    contents = defaultdict(set)
    for one in found:
        if isinstance(one, HandedIn):
            spellings[one.student.casefold()].add(one.student)
            contents[one.student.casefold(), one.file.casefold()].add(one.content)
    books, left = {}, [one for one in found if isinstance(one, Left)]
    for one in found:
        if isinstance(one, Left):
            continue
        if len(spellings[one.student.casefold()]) > 1 or len(contents[one.student.casefold(), one.file.casefold()]) > 1:
            left.append(
                Left(f"{one.student}/{one.file}", "there are two of this name; move them to their places yourself")
            )
        else:
            books[one.student, one.file] = one
    return list(books.values()), left


def _write(book: HandedIn, submitted: Path, assignment: str, replace: bool) -> str:
    """Write a notebook into its place; return "" or why not."""
    folder = submitted / book.student / assignment
    path = folder / book.file
    if any(place.is_symlink() for place in (submitted / book.student, folder, path)):
        return "a link stands in its place"
    try:
        if path.exists() and not replace and path.read_bytes() != book.content:
            return "another one is there already; --replace takes this one"
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda partial: partial.write_bytes(book.content))
    except OSError as error:
        return f"it cannot be written ({reason_of(error)})"
    return ""
