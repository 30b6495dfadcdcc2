"""What a student has answered is remembered, and no broken file stops the course."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_questions import LINE, RIGHT, SEVERAL, SMALL_BANK, WRONG

from course_utils.quiz import notebook as quiz
from course_utils.quiz import progress as progress_file
from course_utils.quiz.notebook import check, progress
from course_utils.quiz.progress import ProgressError, read_progress
from course_utils.quiz.question import answer_key

pytestmark = pytest.mark.usefixtures("small_bank")


def test_answers_are_remembered_and_right_stays_right(small_bank):
    check("one-right", WRONG)
    check("one-right", RIGHT)
    check("one-right", WRONG)
    assert read_progress() == {"one-right": {"tries": 3, "right": True}}
    assert len(small_bank.read_text(encoding="utf-8").splitlines()) == 3
    assert [path.name for path in small_bank.parent.iterdir()] == ["progress.json"]


def test_progress_counts_by_lesson(capsys):
    check("one-right", RIGHT)
    check("two-right", answer_key(SEVERAL)[0])
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "01 first lesson   ██████████░░░░░░░░░░   1 of  2 right"
    assert lines[1].startswith("02 second lesson") and lines[1].endswith(" 0 of  3 right")
    assert lines[2].startswith("All lessons") and lines[2].endswith(" 1 of  5 right")


def test_progress_leaves_graded_questions_out(monkeypatch, capsys):
    """No lesson asks them, so with them nobody would ever be done."""
    monkeypatch.setattr(quiz, "_bank", lambda: SMALL_BANK | {"the-line": replace(LINE, quiz="quiz-9")})
    progress()
    assert capsys.readouterr().out.splitlines()[1].endswith(" 0 of  2 right")


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "null", '{"version": 99, "questions": {}}', '{"questions": {}}', '{"version": 1, "questions": 3}',
     '{"version": 1, "questions": {"one-right": {"right": true}}}', "\x00", "[" * 100_000,
     '{"version": 1, "questions": {"one-right": {"tries": 1e400, "right": true}}}',
     '{"version": 1, "questions": {"one-right": {"tries": -1, "right": true}}}',
     '{"question": "one-right", "tries": 1.5, "right": true}', '{"question": "one-right", "tries": 1, "right": 2}',
     '{"question": ["one-right"], "tries": 1, "right": true}', '{"question": "x", "tries": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_a_broken_or_foreign_file_is_set_aside_with_one_note(content, small_bank, capsys):
    small_bank.parent.mkdir()
    small_bank.write_text(content, encoding="utf-8")
    check("one-right", RIGHT)
    check("one-right", RIGHT)
    progress()
    out = capsys.readouterr().out
    assert out.count("Note:") == 1 and "could not be understood" in out
    assert small_bank.with_name("progress.json.old").read_text(encoding="utf-8") == content
    assert read_progress()["one-right"] == {"tries": 2, "right": True}


def test_bytes_that_are_no_text_do_not_stop_the_course(small_bank, capsys):
    small_bank.parent.mkdir()
    small_bank.write_bytes(b"\xff\xfe\x00")
    progress()
    assert "Note:" in capsys.readouterr().out


def test_an_answer_to_a_question_that_is_gone_is_kept(small_bank):
    small_bank.parent.mkdir()
    small_bank.write_text('{"version": 1, "questions": {"gone": {"tries": 1, "right": true}}}', encoding="utf-8")
    check("one-right", RIGHT)
    assert read_progress() == {name: {"tries": 1, "right": True} for name in ("gone", "one-right")}


def test_a_place_that_cannot_be_written_to_gives_one_note(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    check("one-right", RIGHT)
    check("one-right", RIGHT)
    out = capsys.readouterr().out
    assert out.count("Right.") == 2 and out.count("Note:") == 1


def test_a_folder_in_the_place_of_the_file_gives_one_note(small_bank, capsys):
    small_bank.mkdir(parents=True)
    check("one-right", RIGHT)
    progress()
    assert capsys.readouterr().out.count("Note:") == 1
    assert small_bank.is_dir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_the_file_does_not_wait_for_ever(small_bank, capsys):
    small_bank.parent.mkdir()
    os.mkfifo(small_bank)
    check("one-right", RIGHT)
    progress()
    out = capsys.readouterr().out
    assert out.count("Note:") == 1 and "no ordinary file" in out


def test_a_disk_that_is_full_leaves_what_was_there(monkeypatch, small_bank, capsys):
    check("one-right", WRONG)
    before = small_bank.read_text(encoding="utf-8")

    def full_disk(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress_file, "_ends_with_a_line", full_disk)
    check("one-right", RIGHT)
    assert "No space left on device" in capsys.readouterr().out
    assert small_bank.read_text(encoding="utf-8") == before
    assert [path.name for path in small_bank.parent.iterdir()] == ["progress.json"]


def test_a_line_that_was_cut_off_costs_that_line_only(small_bank, capsys):
    check("one-right", RIGHT)
    with small_bank.open("a", encoding="utf-8") as file:
        file.write('{"question": "two-ri')
    check("a-number", 87.5)
    assert {name for name, entry in read_progress().items() if entry["right"]} == {"one-right", "a-number"}
    assert "Note:" not in capsys.readouterr().out


def test_a_file_of_the_first_version_is_continued(small_bank):
    small_bank.parent.mkdir()
    old = {"version": 1, "questions": {"one-right": {"tries": 2, "right": False}}}
    small_bank.write_text(json.dumps(old, indent=1), encoding="utf-8")
    check("one-right", RIGHT)
    check("a-number", 90)
    assert read_progress() == {"one-right": {"tries": 3, "right": True}, "a-number": {"tries": 1, "right": False}}


ANSWER_MANY = """
import sys
from course_utils.quiz.progress import record, record_guess
for number in range(40):
    record(f"question-{sys.argv[1]}-{number}", number % 2 == 0)
    record("shared", False)
    record_guess(f"guess-{sys.argv[1]}-{number}", "a")
"""


@pytest.mark.parametrize("old", [False, True], ids=["new file", "file of version 1"])
def test_notebooks_side_by_side_lose_nothing_of_each_other(small_bank, old):
    kernels = 6
    if old:
        small_bank.parent.mkdir()
        small_bank.write_text(
            '{"version": 1,\n "questions": {"shared": {"tries": 1, "right": true}}}', encoding="utf-8"
        )
    running = [subprocess.Popen([sys.executable, "-c", ANSWER_MANY, str(kernel)]) for kernel in range(kernels)]
    assert [process.wait(timeout=120) for process in running] == [0] * kernels
    kept = read_progress()
    assert len(kept) == 40 * kernels + 1
    assert kept["shared"] == {"tries": 40 * kernels + old, "right": old}
    assert sum(entry["right"] for entry in kept.values()) == 20 * kernels + old
    assert len(progress_file.read_guesses()) == 40 * kernels


# A file to take along, for places that forget


def test_answers_go_from_one_computer_to_another(small_bank, tmp_path, monkeypatch, capsys):
    check("one-right", WRONG)
    check("one-right", RIGHT)
    progress_file.record_guess("faster", "b")
    progress_file.save_progress(tmp_path / "mine.json")
    assert "Answers to 1 question saved in" in capsys.readouterr().out
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "elsewhere" / "progress.json"))
    check("a-number", 87.5)
    for _ in range(2):
        progress_file.load_progress(tmp_path / "mine.json")
    assert read_progress() == {"one-right": {"tries": 2, "right": True}, "a-number": {"tries": 1, "right": True}}
    assert progress_file.read_guesses() == {"faster": "b"}


def test_a_loaded_file_takes_no_right_answer_away(small_bank, tmp_path):
    check("one-right", WRONG)
    progress_file.save_progress(tmp_path / "mine.json")
    check("one-right", RIGHT)
    progress_file.load_progress(tmp_path / "mine.json")
    assert read_progress() == {"one-right": {"tries": 2, "right": True}}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be loaded from .*No such file"), ("a letter to a friend", "is no file of answers"), ("", None)],
)
def test_what_is_no_file_of_answers_is_told(small_bank, tmp_path, content, sentence):
    file = tmp_path / "letter.txt"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    if sentence is None:
        progress_file.load_progress(file)
        return
    with pytest.raises(ProgressError, match=sentence):
        progress_file.load_progress(file)
    assert content is None or file.read_text(encoding="utf-8") == content


def test_a_place_that_cannot_be_saved_to_is_told(small_bank, tmp_path):
    with pytest.raises(ProgressError, match="cannot be saved in .*No such file or directory"):
        progress_file.save_progress(tmp_path / "nowhere" / "mine.json")


def test_in_colab_the_file_goes_through_the_browser(small_bank, tmp_path, monkeypatch):
    browser = {}

    def download(path):
        browser["my-course-progress (1).json"] = Path(path).read_bytes()

    def upload():
        for name, content in browser.items():
            Path(name).write_bytes(content)
        return browser

    colab = SimpleNamespace(download=download, upload=upload)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setitem(sys.modules, "google.colab.files", colab)
    monkeypatch.chdir(tmp_path)
    check("one-right", RIGHT)
    progress_file.save_progress()
    Path("my-course-progress.json").unlink()  # a new session: nothing is left
    small_bank.unlink()
    progress_file.load_progress()
    assert read_progress() == {"one-right": {"tries": 1, "right": True}}
    browser.clear()
    with pytest.raises(ProgressError, match="cannot be loaded from my-course-progress.json"):
        progress_file.load_progress()  # the reader chose no file


def test_without_a_setting_the_file_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_PROGRESS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert progress_file.progress_path() == tmp_path / ".pretrained_vision_course" / "progress.json"


def test_an_unreadable_file_never_takes_the_place_of_another(small_bank):
    small_bank.parent.mkdir()
    for content in ("first", "second"):
        small_bank.write_text(content, encoding="utf-8")
        check("one-right", RIGHT)
    aside = {path.read_text(encoding="utf-8") for path in small_bank.parent.glob("progress.json.old*")}
    assert aside == {"first", "second"}
