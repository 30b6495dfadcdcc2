"""``python -m course_utils mark`` and ``check``: a whole class, broken files, interruptions, and what is written."""

import csv
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from exercise_files import EXERCISES, ROOT
from filelock import FileLock
from marking_tools import answered, as_bytes, cell, hand_in, new_course, total, untouched

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

from nbgrader.api import Gradebook

from course_utils.__main__ import main
from course_utils.marking import command, sandbox
from course_utils.marking.journal import Journal

FULL = total("quiz-1")


def mark(course: Path, *options: str, name: str = "quiz-1") -> tuple[int, dict[str, dict]]:
    """Run the command in this process; return its exit code and the rows of the table by student."""
    table = course / "table.csv"
    code = main(["mark", name, "--course", str(course), "--csv", str(table), *options])
    with table.open(encoding="utf-8") as stream:
        return code, {row["student"]: row for row in csv.DictReader(stream)}


def scores(course: Path, name: str = "quiz-1") -> dict[str, float]:
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as book:
        return {one.student.id: one.score for one in book.assignment_submissions(name)}


def test_a_class_is_marked_into_nbgraders_gradebook(tmp_path, capsys):
    course = new_course(tmp_path, "quiz-1", {"ada": answered("quiz-1"), "ben": untouched("quiz-1")})
    code, rows = mark(course, "--json", str(tmp_path / "all.json"))
    assert code == 0
    assert {student: row["score"] for student, row in rows.items()} == {"ada": f"{FULL:g}", "ben": "0"}
    assert scores(course) == {"ada": FULL, "ben": 0}
    assert "2 graded" in capsys.readouterr().out
    assert {row["student"] for row in json.loads((tmp_path / "all.json").read_text())} == {"ada", "ben"}
    marked = nbformat.read(course / "autograded" / "ada" / "quiz-1" / "quiz-1.ipynb", as_version=4)
    nbformat.validate(marked)
    assert "[passed]" in cell(marked, "test-q1").outputs[0].text
    assert (course / ".marking" / "quiz-1.png").is_file()


@pytest.mark.slow
def test_nbgraders_own_tools_go_on_from_there(tmp_path):
    course = new_course(tmp_path, "quiz-1", {"ada": answered("quiz-1"), "ben": untouched("quiz-1")})
    evil = answered("quiz-1")
    evil.cells.insert(1, nbformat.v4.new_markdown_cell("<script>alert('markdown')</script> [x](javascript:alert(1))"))
    evil.cells.insert(1, nbformat.v4.new_code_cell("print('<script>alert(1)</script>'); here = globals()"))
    hand_in(course, "eve", "quiz-1", evil)
    mark(course)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for arguments in (
        ["generate_feedback", "quiz-1"],
        ["export", "--to=grades.csv"],
        ["autograde", "quiz-1", "--student=ada", "--force"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments], cwd=course, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
    page = (course / "feedback" / "eve" / "quiz-1" / "quiz-1.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and 'href="javascript' not in page
    assert "_sealed" not in page
    with (course / "grades.csv").open() as stream:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)} == {
            "ada": FULL, "ben": 0, "eve": FULL,
        }  # fmt: skip
    assert scores(course)["ada"] == FULL, "plain nbgrader gives the same"


def duplicated(book):
    book.cells.append(cell(book, "test-q1").copy())


def without_metadata(book):
    for one in book.cells:
        one.metadata.clear()


def forged(book):
    for one in book.cells:
        if one.metadata.get("nbgrader", {}).get("grade"):
            one.source, one.metadata.nbgrader.points = "1000.0", 1000


def no_grade_flags(book):
    for one in book.cells:
        if one.metadata.get("nbgrader", {}).get("grade"):
            one.metadata.nbgrader.update(grade=False, solution=True, points="many", locked=[])


def another_kernel(book):
    book.metadata.kernelspec = {"name": "bash", "display_name": "<script>", "language": "bash"}


def changed(harm):
    book = answered("quiz-1")
    harm(book)
    return book


def broken_files(course: Path) -> dict[str, tuple[str, str]]:
    """Hand in what cannot be graded, and what can although it looks odd; return the status and score of each."""
    right = as_bytes(answered("quiz-1"))
    secret = course / "secret.txt"
    secret.write_text("secret of the grader", encoding="utf-8")
    expected = {}

    def case(student, status, score, content=None, file=""):
        expected[student] = (status, score)
        place = course / "submitted" / student / "quiz-1"
        place.mkdir(parents=True)
        if content is not None:
            hand_in(course, student, "quiz-1", content, file)
        return place

    for name, content in {
        "json": b"{not json", "empty": b"", "zeros": bytes(50), "half": right[:5000], "list": b"[]",
        "zip": b"PK\x03\x04" * 9,
        "deep": b'{"cells": ' + b"[" * 200_000,
    }.items():  # fmt: skip
        case(f"broken_{name}", "unreadable", "", content)
    for encoding in ("utf-8-sig", "utf-16", "utf-32", "utf-16-be"):
        case(f"encoding_{encoding}", "graded", f"{FULL:g}", right.decode().encode(encoding))
    old = nbformat.writes(nbformat.convert(nbformat.reads(right.decode(), as_version=4), 3), version=3).encode()
    case("format_3", "graded", f"{FULL:g}", old)
    case("renamed", "graded", f"{FULL:g}", right, "quiz-1 (1).ipynb")
    case("another_name", "graded", f"{FULL:g}", right, "Untitled.ipynb")
    case("another_assignment", "unreadable", "", as_bytes(untouched("quiz-2")))
    case("no_notebook", "missing", "").joinpath("readme.txt").write_text("later")
    case("extra_files", "graded", f"{FULL:g}", right).joinpath("course_utils.so").write_bytes(b"\x7fELF")
    case("linked_source", "unreadable", "").joinpath("quiz-1.ipynb").symlink_to(course / "source/quiz-1/quiz-1.ipynb")
    case("linked_nothing", "unreadable", "").joinpath("quiz-1.ipynb").symlink_to("nothing")
    case("linked_extra", "graded", f"{FULL:g}", right).joinpath("notes.txt").symlink_to(secret)
    case("folder", "unreadable", "").joinpath("quiz-1.ipynb").mkdir()
    os.mkfifo(case("pipe", "unreadable", "") / "quiz-1.ipynb")
    case("linked_folder", "unreadable", "").rmdir()
    (course / "submitted/linked_folder/quiz-1").symlink_to(course / "source/quiz-1")
    for harm in (duplicated, without_metadata, no_grade_flags, another_kernel):
        case(harm.__name__, "graded", f"{FULL:g}", as_bytes(changed(harm)))
    cheat = untouched("quiz-1")
    forged(cheat)
    case("forged_tests", "graded", "0", as_bytes(cheat))
    case("=cmd()", "graded", f"{FULL:g}", right)
    expected["'=cmd()"] = expected.pop("=cmd()")
    nothing = untouched("quiz-1")
    nothing.cells = nothing.cells[:2]
    case("all_cells_deleted", "needs a look", "", as_bytes(nothing))
    return expected


def test_every_broken_file_gets_its_status_and_nobody_else_suffers(tmp_path, capsys):
    course = new_course(tmp_path, "quiz-1", {"a_good": answered("quiz-1"), "z_good": answered("quiz-1")})
    expected = broken_files(course)
    code, rows = mark(course)
    assert code == 1
    assert {student: (row["status"], row["score"]) for student, row in rows.items()} == {
        **expected, "a_good": ("graded", f"{FULL:g}"), "z_good": ("graded", f"{FULL:g}"),
    }  # fmt: skip
    for row in rows.values():
        assert bool(row["next_step"]) == (row["status"] not in ("graded", "student error"))
    told = capsys.readouterr().out
    assert all(student in told for student, (status, _) in expected.items() if status == "unreadable")
    written = "".join(path.read_text(errors="replace") for path in (course / "autograded").rglob("*") if path.is_file())
    assert "secret of the grader" not in written
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as book:
        open_ones = {one.student.id for one in book.assignment_submissions("quiz-1") if one.needs_manual_grade}
    assert {"broken_json", "all_cells_deleted"} <= open_ones, "nobody is given a silent zero"


def test_the_same_command_again_grades_nothing_twice_and_a_second_hand_in_is_graded(tmp_path, monkeypatch):
    course = new_course(tmp_path, "quiz-1", {"ada": answered("quiz-1"), "ben": untouched("quiz-1")})
    graded = []
    original = command.engine.mark
    monkeypatch.setattr(
        command.engine, "mark", lambda student, *rest: graded.append(student) or original(student, *rest)
    )
    mark(course)
    before = (course / "autograded/ada/quiz-1/quiz-1.ipynb").read_bytes()
    mark(course)
    assert sorted(graded) == ["ada", "ben"]
    assert (course / "autograded/ada/quiz-1/quiz-1.ipynb").read_bytes() == before
    hand_in(course, "ben", "quiz-1", answered("quiz-1"))
    mark(course)
    assert sorted(graded) == ["ada", "ben", "ben"] and scores(course) == {"ada": FULL, "ben": FULL}
    mark(course, "--again", "--student", "a*")
    assert sorted(graded) == ["ada", "ada", "ben", "ben"]


def test_a_manual_grade_stays(tmp_path):
    course = new_course(tmp_path, "quiz-1", {"ada": untouched("quiz-1")})
    mark(course)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as book:
        grade = book.find_grade("test-q1", "quiz-1", "quiz-1", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()
    mark(course, "--again")
    assert scores(course) == {"ada": 1.0}
    hand_in(course, "ada", "quiz-1", answered("quiz-1"))
    mark(course)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as book:
        grade = book.find_grade("test-q1", "quiz-1", "quiz-1", "ada")
        assert grade.manual_score == 1.0 and grade.auto_score > 0 and grade.needs_manual_grade


def test_changed_tests_regrade(tmp_path):
    course = new_course(tmp_path, "quiz-1", {"ada": answered("quiz-1")})
    mark(course)
    path = course / "source/quiz-1/quiz-1.ipynb"
    book = nbformat.read(path, as_version=4)
    cell(book, "test-q1").source = "0.0"
    nbformat.write(book, path)
    _, rows = mark(course)
    assert float(rows["ada"]["score"]) < FULL


def test_late_penalties_are_nbgraders(tmp_path):
    course = new_course(tmp_path, "quiz-1", {"ada": answered("quiz-1"), "ben": answered("quiz-1")})
    with (course / "nbgrader_config.py").open("a") as stream:
        stream.write("\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    mark(course)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as book:
        book.update_or_create_assignment("quiz-1", duedate="2027-03-01 12:00:00 UTC")
    for student, stamp in {"ada": "2027-03-01 13:00:00 UTC", "ben": "2027-03-01 11:00:00 UTC"}.items():
        (course / "submitted" / student / "quiz-1" / "timestamp.txt").write_text(stamp)
    mark(course, "--again")
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as book:
        penalties = {one.student.id: one.late_submission_penalty for one in book.assignment_submissions("quiz-1")}
    assert penalties == {"ada": FULL, "ben": 0}


@pytest.mark.slow
def test_a_locked_gradebook_is_waited_for(tmp_path, capsys):
    course = new_course(tmp_path, "quiz-1", {"ada": answered("quiz-1")})
    mark(course)
    hand_in(course, "ben", "quiz-1", answered("quiz-1"))
    other = sqlite3.connect(course / "gradebook.db", isolation_level=None, check_same_thread=False)
    other.execute("begin exclusive")
    release = threading.Timer(7, lambda: other.execute("rollback"))
    release.start()
    code, _ = mark(course)
    other.close()
    assert code == 0 and scores(course) == {"ada": FULL, "ben": FULL}
    assert "waiting" in capsys.readouterr().out


def refused(capsys, *arguments) -> str:
    assert main(["mark", *map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_what_cannot_run_is_said_in_a_sentence(tmp_path, capsys, monkeypatch):
    course = new_course(tmp_path, "quiz-1", {"ada": answered("quiz-1")})
    assert "There are quiz-1" in refused(capsys, "quiz-9", "--course", course)
    assert "no submission" in refused(capsys, "quiz-1", "--course", course, "--student", "zoe")
    assert "above 0" in refused(capsys, "quiz-1", "--course", course, "--timeout", "0")
    (course / ".marking").mkdir(exist_ok=True)
    with FileLock(course / ".marking" / "lock"):
        assert "Another program is marking" in refused(capsys, "quiz-1", "--course", course)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", full)
        assert "disk is full" in refused(capsys, "quiz-1", "--course", course)
    assert mark(course)[0] == 0, "it goes on when there is room again"


def test_without_a_sandbox_nothing_runs_unless_it_is_asked_for(tmp_path, capsys, monkeypatch):
    course = new_course(tmp_path, "ps4-metrics", {"ada": untouched("ps4-metrics")})
    monkeypatch.setattr(sandbox.shutil, "which", lambda _: None)
    assert "apt install bubblewrap" in refused(capsys, "ps4-metrics", "--course", course)


def in_a_process(course: Path) -> multiprocessing.Process:
    """The command in a process of its own, which has imported everything already."""
    arguments = ["mark", "quiz-1", "--course", str(course), "--csv", str(course / "t.csv")]
    process = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(main(arguments)))
    process.start()
    return process


def ends_well(process: multiprocessing.Process) -> bool:
    process.join(timeout=120)
    return process.exitcode == 0


@pytest.mark.slow
def test_killed_at_20_random_moments_it_loses_nothing_and_grades_nothing_twice(tmp_path):
    students = {f"s{i:03}": answered("quiz-1") if i % 3 else untouched("quiz-1") for i in range(60)}
    for i, book in enumerate(students.values()):
        book.cells.append(nbformat.v4.new_markdown_cell(f"the {i}th"))  # no two files are the same
    course = new_course(tmp_path, "quiz-1", students)
    started = time.monotonic()
    assert ends_well(in_a_process(course))
    whole = time.monotonic() - started
    shutil.rmtree(course / ".marking")
    (course / "gradebook.db").unlink()
    shutil.rmtree(course / "autograded")
    moments = random.Random(0)
    for _ in range(20):
        process = in_a_process(course)
        time.sleep(moments.uniform(0.3, 1.0) * whole)
        process.kill()
        process.join()
    assert ends_well(in_a_process(course))
    journal = (course / ".marking" / "quiz-1.jsonl").read_bytes().splitlines()
    names = [json.loads(line.partition(b" ")[2])["student"] for line in journal if line]
    assert len(names) == len(set(names)) == 60, "each is marked once"
    assert scores(course) == {student: FULL if int(student[1:]) % 3 else 0 for student in students}
    assert len(list((course / "autograded").glob("*/quiz-1/quiz-1.ipynb"))) == 60


def test_check_gives_a_student_the_doctors_report(tmp_path, capsys):
    path = hand_in(tmp_path, "ada", "quiz-1", answered("quiz-1"))
    assert main(["check", str(path)]) == 0
    assert "can be handed in" in capsys.readouterr().out
    book = answered("quiz-1")
    cell(book, "q2").source = cell(untouched("quiz-1"), "q2").source
    book.cells.remove(cell(book, "test-q3"))
    path = hand_in(tmp_path, "ben", "quiz-1", book, "quiz-1 (2).ipynb")
    assert main(["check", str(path)]) == 1
    said = capsys.readouterr().out
    assert "should be called quiz-1.ipynb" in said and "test-q3 is not there" in said and "Not answered yet: q2" in said
    for name in sorted(folder.name for folder in (EXERCISES / "release").iterdir()):
        assert main(["check", str(EXERCISES / "release" / name / f"{name}.ipynb")]) == 1
        assert f"is {name}." in capsys.readouterr().out


def test_check_refuses_in_a_sentence(tmp_path, capsys):
    path = hand_in(tmp_path, "ada", "quiz-1", b"{")
    assert main(["check", str(path)]) == 2
    assert "complete notebook" in capsys.readouterr().err
    path.write_text(json.dumps({"cells": []}))
    assert main(["check", str(path)]) == 2
    assert main(["check", str(tmp_path / "nothing.ipynb")]) == 2
    assert "cannot be opened" in capsys.readouterr().err


def test_check_needs_no_nbgrader(tmp_path):
    path = hand_in(tmp_path, "ada", "quiz-1", answered("quiz-1"))
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['nbgrader', 'nbformat', 'IPython', 'jupytext']));"
        "from course_utils.__main__ import main; sys.exit(main(['check', sys.argv[1]]))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
