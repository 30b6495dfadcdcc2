"""``python -m course_utils collect``: archives of learning platforms, honest and hostile."""

import io
import stat
import zipfile
from pathlib import Path

import pytest
from marking_tools import answered, as_bytes, new_course

from course_utils.__main__ import main
from course_utils.marking import collect
from course_utils.marking.collect import CannotCollect, HandedIn, Left, read_archive, unambiguous, whose

BOOK = as_bytes(answered("quiz-1"))


def archive(path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.fixture
def course(tmp_path):
    return new_course(tmp_path / "course", "quiz-1", {})


def collected(course: Path, *archives: Path, options: tuple[str, ...] = ()) -> tuple[int, set[str]]:
    """Run the command; return its exit code and all files outside of source/, relative to the folder above."""
    code = main(["collect", "quiz-1", *map(str, archives), "--course", str(course), *options])
    files = {str(path.relative_to(course)) for path in course.rglob("*") if path.is_file() or path.is_symlink()}
    return code, {name for name in files if not name.startswith(("source/", "nbgrader_config"))}


def test_archives_of_moodle_canvas_and_folders(course, tmp_path):
    entries = [
        ("Ada Lovelace_123_assignsubmission_file/quiz-1.ipynb", BOOK),
        ("Ada Lovelace_124_assignsubmission_file_quiz-1 (2).ipynb", BOOK),  # another one of that name
        ("hopper_LATE_77_9001_quiz-1-2.ipynb", BOOK),
        ("ben/notes/quiz-1.ipynb", BOOK),
        ("submitted/cleo/quiz-1/quiz-1.ipynb", BOOK),
        ("submitted/cleo/quiz-1/.ipynb_checkpoints/picture.png", b"x"),
    ]
    code, files = collected(course, archive(tmp_path / "a.zip", entries))
    assert code == 0
    assert files == {
        "submitted/Ada Lovelace_123_assignsubmission_file/quiz-1/quiz-1.ipynb",
        "submitted/Ada Lovelace_124_assignsubmission_file/quiz-1/quiz-1 (2).ipynb",
        "submitted/77/quiz-1/quiz-1-2.ipynb",
        "submitted/ben/quiz-1/quiz-1.ipynb",
        "submitted/cleo/quiz-1/quiz-1.ipynb",
    }
    assert (course / "submitted/ben/quiz-1/quiz-1.ipynb").read_bytes() == BOOK


HOSTILE = [
    "../x.ipynb", "../../x/quiz-1.ipynb", "..", "../quiz-1/x.ipynb", "ada/../../x.ipynb", "/etc/x.ipynb", "//x/y.ipynb",
    "a\\..\\..\\x.ipynb", "C:/x/quiz-1.ipynb", "ada/./x.ipynb", ".git/x.ipynb", "ada/.x.ipynb", " /x.ipynb", "x.ipynb",
    "a\x1b[2J/x.ipynb", "a\n/x.ipynb", "é" * 150 + "/x.ipynb", "a" * 300 + "/x.ipynb", "submitted/../x.ipynb",
    ".._1_assignsubmission_file/../../../x.ipynb",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leads_elsewhere_is_left_and_the_next_is_collected(name, course, tmp_path, capsys):
    entries = [(name, BOOK), ("ben/quiz-1.ipynb", BOOK)]
    before = {path for path in tmp_path.rglob("*") if "submitted" not in path.parts}
    code, files = collected(course, archive(tmp_path / "a.zip", entries))
    assert files == {"submitted/ben/quiz-1/quiz-1.ipynb"}
    assert {path for path in tmp_path.rglob("*") if "submitted" not in path.parts} == before | {tmp_path / "a.zip"}
    told = capsys.readouterr().out
    assert code == int(name.endswith(".ipynb"))
    assert ("Not collected" in told) == name.endswith(".ipynb") and "\x1b" not in told


def test_a_link_is_left(course, tmp_path, capsys):
    code, files = collected(course, archive(tmp_path / "a.zip", [(link("ada/quiz-1.ipynb"), b"/etc/passwd")]))
    assert (code, files) == (1, set())
    assert "a link" in capsys.readouterr().out


def test_a_bomb_costs_no_memory_and_no_disk(course, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(collect, "MOST_BYTES", 100_000)
    bomb = archive(tmp_path / "a.zip", [("eve/quiz-1.ipynb", bytes(50_000_000)), ("ben/quiz-1.ipynb", BOOK[:50_000])])
    assert bomb.stat().st_size < 100_000
    code, files = collected(course, bomb)
    assert (code, files) == (1, {"submitted/ben/quiz-1/quiz-1.ipynb"})
    assert "eve/quiz-1.ipynb: it is too large" in capsys.readouterr().out


def test_what_an_entry_says_of_its_size_is_not_believed(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", [("eve/quiz-1.ipynb", bytes(5_000_000))])
    data = path.read_bytes()
    path.write_bytes(data.replace((5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    (one,) = read_archive(path)
    assert isinstance(one, Left) or len(one.content) <= 10


def test_all_notebooks_together_and_the_number_of_entries_are_limited(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", [(f"s{number}/quiz-1.ipynb", bytes(1000)) for number in range(20)])
    monkeypatch.setattr(collect, "MOST_IN_ALL", 4500)
    found = list(read_archive(path))
    assert [isinstance(one, HandedIn) for one in found].count(True) == 4
    monkeypatch.setattr(collect, "MOST_ENTRIES", 19)
    with pytest.raises(CannotCollect, match="20 entries"):
        list(read_archive(path))


@pytest.mark.parametrize(
    "second", ["ada/quiz-1.ipynb", "ADA/quiz-1.ipynb", "ada/deep/quiz-1.ipynb", "ada/Quiz-1.ipynb"]
)
def test_two_of_one_name_are_both_left(second, course, tmp_path):
    first = archive(tmp_path / "a.zip", [("ada/quiz-1.ipynb", BOOK), ("ben/quiz-1.ipynb", BOOK)])
    other = archive(tmp_path / "b.zip", [(second, b"{}")])
    code, files = collected(course, first, other)
    assert (code, files) == (1, {"submitted/ben/quiz-1/quiz-1.ipynb"})


def test_the_same_archive_twice_is_no_doubt():
    one = HandedIn("ada", "quiz-1.ipynb", BOOK)
    assert unambiguous([one, one]) == ([one], [])


def test_what_is_there_stays_unless_it_is_to_be_replaced(course, tmp_path, capsys):
    first = archive(tmp_path / "a.zip", [("ada/quiz-1.ipynb", b"first")])
    second = archive(tmp_path / "b.zip", [("ada/quiz-1.ipynb", b"second")])
    place = course / "submitted/ada/quiz-1/quiz-1.ipynb"
    assert collected(course, first)[0] == 0
    assert collected(course, second)[0] == 1 and place.read_bytes() == b"first"
    assert "--replace" in capsys.readouterr().out
    assert collected(course, first)[0] == 0
    assert collected(course, second, options=("--replace",))[0] == 0 and place.read_bytes() == b"second"


@pytest.mark.parametrize("place", ["submitted/ada", "submitted/ada/quiz-1", "submitted/ada/quiz-1/quiz-1.ipynb"])
def test_a_link_in_the_place_is_not_followed(place, course, tmp_path, capsys):
    outside = tmp_path / "outside"
    outside.mkdir()
    target = outside / "file" if place.endswith("ipynb") else outside
    (course / place).parent.mkdir(parents=True)
    (course / place).symlink_to(target)
    code, _ = collected(course, archive(tmp_path / "a.zip", [("ada/quiz-1.ipynb", BOOK)]), options=("--replace",))
    assert code == 1 and not list(outside.iterdir())
    assert "a link stands in its place" in capsys.readouterr().out


def test_what_is_no_archive_is_refused_in_a_sentence(course, tmp_path, capsys):
    whole = archive(tmp_path / "a.zip", [("ada/quiz-1.ipynb", BOOK)]).read_bytes()
    broken = {"nothing": b"", "text": b"PK, they said", "half": whole[: len(whole) // 2]}
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    for name in [*broken, "folder", "missing"]:
        code, files = collected(course, tmp_path / name)
        assert (code, files) == (2, set())
        assert name in capsys.readouterr().err


def test_a_damaged_entry_costs_that_entry_only(course, tmp_path, capsys):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ada/quiz-1.ipynb", b"AAAA" * 100)
        file.writestr("ben/quiz-1.ipynb", BOOK)
    path.write_bytes(path.read_bytes().replace(b"AAAA" * 100, b"AAAB" * 100))
    code, files = collected(course, path)
    assert (code, files) == (1, {"submitted/ben/quiz-1/quiz-1.ipynb"})
    assert "cannot be read" in capsys.readouterr().out


def test_an_archive_inside_an_archive_is_not_opened(course, tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("eve/quiz-1.ipynb", BOOK)
    assert collected(course, archive(tmp_path / "a.zip", [("ada/inner.zip", inner.getvalue())])) == (0, set())


def test_names_of_platforms():
    assert whose("Ada B_12_assignsubmission_file_/a.ipynb") == ("Ada B_12_assignsubmission_file", "a.ipynb")
    assert whose("doejane_123_456_my_file.ipynb") == ("123", "my_file.ipynb")
    assert isinstance(whose("quiz-1.ipynb"), Left)
