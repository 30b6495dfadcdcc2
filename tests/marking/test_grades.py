"""``python -m course_utils grades``: marks in the tables of Moodle and Canvas, matched by id, and never a wrong one."""

import csv
from pathlib import Path

import pytest
from marking_tools import answered, as_bytes, hand_in, new_course, total, untouched

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

from nbgrader.api import Gradebook

from course_utils.__main__ import main
from course_utils.marking.lms import CANVAS, MOODLE, Grade, LmsError, fill_in, matched
from course_utils.marking.spreadsheet import Table, TableError, no_formula, read_table, write_table

FULL = total("quiz-1")
MOODLE_TITLES = (
    "Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade", "Grade can be changed",
    "Last modified (grade)", "Feedback comments",
)  # fmt: skip
CANVAS_TITLES = (
    "Student",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Section",
    "quiz-1 (4711)",
    "ps1 (4712)",
    "Final Score",
)


def moodle(*people: tuple[str, str, str], maximum: str = f"{FULL:.2f}", grade: str = "") -> Table:
    rows = [
        (f"Participant {number}", name, email, "Submitted for grading", grade, maximum, "Yes", "-", "")
        for number, name, email in people
    ]
    return Table((MOODLE_TITLES, *rows))


def canvas(*people: tuple[str, str, str, str], points: str = f"{FULL:.1f}") -> Table:
    rows = [(name, number, sis, login, "Section 1", "", "3", "50.0") for name, number, sis, login in people]
    manual = ("", "", "", "", "", "Manual Posting", "", "(read only)")
    return Table((CANVAS_TITLES, manual, ("    Points Possible", "", "", "", "", points, "10.0", "(read only)"), *rows))


def column(table: Table, title: str) -> list[str]:
    place = table.titles.index(title)
    return [row[place] for row in table.rows[1:]]


@pytest.fixture(scope="module")
def marked_course(tmp_path_factory) -> Path:
    """A marked class: full marks, none, a file that cannot be read, and somebody whom no table knows."""
    course = new_course(
        tmp_path_factory.mktemp("course"),
        "quiz-1",
        {"ada": answered("quiz-1"), "ben@uni.example": untouched("quiz-1"), "carol": b"{", "dan": answered("quiz-1")},
    )
    hand_in(course, "Eve Example_105_assignsubmission_file", "quiz-1", as_bytes(answered("quiz-1")))
    assert main(["mark", "quiz-1", "--course", str(course)]) == 1
    return course


def test_moodles_worksheet_gets_the_grades(marked_course, tmp_path, capsys):
    template, out = tmp_path / "worksheet.csv", tmp_path / "out.csv"
    write_table(
        template,
        moodle(
            ("101", "Ada", "ada@uni.example"), ("102", "Ben", "BEN@uni.example"), ("103", "Carol", "carol@uni.example"),
            ("104", "Fay", "fay@uni.example"), ("105", "Eve", "e.e@uni.example"),
        ),
    )  # fmt: skip
    before = template.read_bytes()
    assert main(["grades", "quiz-1", "--course", str(marked_course), "--moodle", str(template), "--out", str(out)]) == 1
    assert column(read_table(out), "Grade") == [f"{FULL:g}", "0", "", "", f"{FULL:g}"]
    said = capsys.readouterr().out
    assert "3 grades" in said and "1 have no grade" in said and ": carol." in said and ": dan." in said
    assert "1 people in the table handed nothing in" in said
    assert template.read_bytes() == before


def test_canvas_gradebook_gets_the_grades(marked_course, tmp_path, capsys):
    template, out = tmp_path / "gradebook.csv", tmp_path / "out.csv"
    table = canvas(
        ("A, Ada", "11", "s1", "ada"), ("B, Ben", "12", "s2", "ben@uni.example"), ("Student, Test", "", "", "")
    )
    write_table(template, table)
    assert main(["grades", "quiz-1", "--course", str(marked_course), "--canvas", str(template), "--out", str(out)]) == 1
    filled = read_table(out)
    assert column(filled, "quiz-1 (4711)") == ["Manual Posting", f"{FULL:.1f}", f"{FULL:g}", "0", ""]
    for place, title in enumerate(CANVAS_TITLES):
        assert title == "quiz-1 (4711)" or [row[place] for row in filled.rows] == [row[place] for row in table.rows]
    assert "dan" in capsys.readouterr().out


def test_manual_grades_and_late_penalties_count_and_what_a_person_has_to_look_at_does_not(tmp_path):
    course = new_course(tmp_path, "quiz-1", dict.fromkeys(("ada", "ben", "cleo"), answered("quiz-1")))
    main(["mark", "quiz-1", "--course", str(course)])
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as book:
        books = {one: book.find_submission("quiz-1", one).notebooks[0] for one in ("ada", "ben", "cleo")}
        books["ada"].grades[0].manual_score = 0.0
        lost = books["ada"].grades[0].cell.max_score
        books["ben"].late_submission_penalty = 2.5
        books["cleo"].grades[0].needs_manual_grade = True
        book.db.commit()
    template, out = tmp_path / "worksheet.csv", tmp_path / "out.csv"
    write_table(template, moodle(("1", "", "ada@x"), ("2", "", "ben@x"), ("3", "", "cleo@x")))
    main(["grades", "quiz-1", "--course", str(course), "--moodle", str(template), "--out", str(out)])
    assert column(read_table(out), "Grade") == [f"{FULL - lost:g}", f"{FULL - 2.5:g}", ""]


def test_nothing_marked_an_unknown_assignment_and_overwriting_the_export_are_refused(marked_course, tmp_path, capsys):
    template = tmp_path / "worksheet.csv"
    write_table(template, moodle(("1", "Ada", "ada@x")))
    out = ["--moodle", str(template), "--out", str(tmp_path / "out.csv")]
    empty = new_course(tmp_path, "quiz-1", {})
    assert main(["grades", "quiz-1", "--course", str(empty), *out]) == 2
    assert "mark quiz-1` first" in capsys.readouterr().err
    assert not (empty / "gradebook.db").exists()
    assert main(["grades", "ps9", "--course", str(marked_course), *out]) == 2
    assert "mark ps9` first" in capsys.readouterr().err
    before = template.read_bytes()
    same = ["--moodle", str(template), "--out", str(template)]
    assert main(["grades", "quiz-1", "--course", str(marked_course), *same]) == 2
    assert "Choose another name" in capsys.readouterr().err and template.read_bytes() == before


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_the_form_of_the_table_survives(mark, delimiter, line_end, tmp_path):
    people = moodle(("101", f'Zoë{delimiter} "the" Ünal\nof two lines', "ada@x"), ("102", "Ben", "ben@x"))
    content = f"{mark}{line_end.join(delimiter.join(_quoted(cell) for cell in row) for row in people.rows)}{line_end}"
    path = tmp_path / "in.csv"
    path.write_bytes(content.encode("utf-8"))
    table = read_table(path)
    assert table.rows == people.rows
    filled = fill_in(table, MOODLE, "quiz-1", [Grade("ada", 7.25)], FULL)
    write_table(tmp_path / "out.csv", filled.table)
    text = (tmp_path / "out.csv").read_bytes().decode("utf-8")
    assert text.startswith("\ufeff") is bool(mark)
    assert text.removeprefix("\ufeff").startswith(delimiter.join(MOODLE_TITLES) + line_end)
    again = read_table(tmp_path / "out.csv")
    assert column(again, "Grade") == ["7.25", ""] and column(again, "Full name") == column(people, "Full name")


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if cell else ""


def test_a_table_with_decimal_commas_gets_decimal_commas():
    filled = fill_in(moodle(("1", "", "ada@x"), maximum="27,00"), MOODLE, "quiz-1", [Grade("ada", 7.25)], 27)
    assert column(filled.table, "Grade") == ["7,25"]


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A1", "+1+2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"])
def test_a_formula_becomes_text(cell, tmp_path):
    write_table(tmp_path / "out.csv", moodle(("101", cell, "ada@x")))
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream))[1][1] == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "-", "-3.5", "+4", "-1,5", "Ada", "2024-01-01", "'=1"])
def test_what_is_no_formula_stays(cell):
    assert no_formula(cell) == cell


def test_rows_are_found_by_id_email_or_login_and_never_by_guess():
    rows = {
        1: {"101", "ada@x"}, 2: {"102", "ben@x"}, 3: {"103", "ben@y"}, 4: {"104", "cleo@x"}, 5: {"105", "dan"},
        6: {"106", "dan@z"}, 7: {"107", "eve"},
    }  # fmt: skip
    students = {
        "ADA@x": 1,
        "Participant 102": 2,
        "ben": 3,
        "cleo@elsewhere": None,
        "dan": 5,
        "eve@w": 7,
        "nobody": None,
    }
    found = matched([Grade(student, 1.0) for student in students], rows)
    assert found == {student: row for student, row in students.items() if row}


def test_two_who_could_be_meant_get_no_grade():
    rows = {1: {"101", "ben@x"}, 2: {"102", "ben@y"}, 3: {"103", "ada@x"}}
    assert matched([Grade("ben", 1.0)], rows) == {}
    assert matched([Grade("103", 1.0), Grade("ada@x", 2.0)], rows) == {}
    assert matched([Grade("101", 1.0, ("103",))], rows) == {}


def test_what_stood_there_is_told_where_it_is_replaced_and_kept_where_we_have_nothing():
    table = moodle(("1", "", "ada@x"), ("2", "", "ben@x"), ("3", "", "cleo@x"), grade="5.00")
    filled = fill_in(table, MOODLE, "quiz-1", [Grade("ada", 7.0), Grade("ben", None), Grade("cleo", 5.0)], FULL)
    assert column(filled.table, "Grade") == ["7", "5.00", "5"]
    assert (filled.replaced, filled.ungraded) == (("ada",), ("ben",))


@pytest.mark.parametrize(("platform", "make"), [
    (MOODLE, lambda points: moodle(("1", "", "ada@x"), maximum=points)),
    (CANVAS, lambda points: canvas(("A", "1", "s", "ada"), points=points)),
])  # fmt: skip
def test_another_maximum_is_refused_or_converted(platform, make):
    place = {"Moodle": "Grade", "Canvas": "quiz-1 (4711)"}[platform.name]
    with pytest.raises(LmsError, match="--scale"):
        fill_in(make("100"), platform, "quiz-1", [Grade("ada", 13.5)], 27)
    filled = fill_in(make("100"), platform, "quiz-1", [Grade("ada", 13.5)], 27, scale=True)
    assert column(filled.table, place)[-1] == "50"
    with pytest.raises(LmsError, match="leave --scale out"):
        fill_in(make(""), platform, "quiz-1", [Grade("ada", 13.5)], 27, scale=True)
    assert column(fill_in(make(""), platform, "quiz-1", [Grade("ada", 13.5)], 27).table, place)[-1] == "13.5"


@pytest.mark.parametrize(("titles", "asked", "expected"), [
    (("Email address", "Assignment: Quiz 1 (Real)", "Quiz total (Real)"), "", 1),
    (("Email address", "quiz-1 (Real)", "quiz-1 (Percentage)"), "quiz-1 (Percentage)", 2),
    (("Email address", "Grade", "Assignment: quiz-1 (Real)"), "", 1),
    (("Email address", "My test (12)"), "My test", 1),
])  # fmt: skip
def test_the_column_of_the_grade_is_found(titles, asked, expected):
    table = Table((titles, ("ada@x", *[""] * (len(titles) - 1))))
    filled = fill_in(table, MOODLE, "quiz-1", [Grade("ada", 3.0)], FULL, column=asked)
    assert [place for place, cell in enumerate(filled.table.rows[1]) if cell == "3"] == [expected]


@pytest.mark.parametrize(("titles", "says"), [
    (("Email address", "Name"), "no column for quiz-1"),
    (("Email address", "quiz-1 (1)", "quiz-1 (2)"), "more than one column for quiz-1"),
    (("Name", "Grade"), "Identifier"),
])  # fmt: skip
def test_a_doubt_about_columns_is_a_sentence(titles, says):
    with pytest.raises(LmsError, match=says):
        fill_in(Table((titles, ("ada@x",) * len(titles))), MOODLE, "quiz-1", [Grade("ada@x", 3.0)], FULL)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfeI\x00d\x00", b'a,"' + b"x" * 200_000 + b'"'])
def test_what_is_no_table_is_refused_in_a_sentence(content, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match="table.csv"):
        read_table(path)
    with pytest.raises(TableError, match="cannot be opened"):
        read_table(tmp_path)


def test_a_table_that_is_too_large_is_told_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.marking.spreadsheet.LARGEST", 1000)
    path = tmp_path / "table.csv"
    path.write_bytes(b"a" * 1001)
    with pytest.raises(TableError, match="more than 0.001 MB"):
        read_table(path)


def test_a_table_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(TableError, match="cannot be written"):
        write_table(tmp_path / "none" / "out.csv", Table((("a",),)))
