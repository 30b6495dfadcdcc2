"""What a student has answered is remembered, and no broken file stops the course."""

import json
import os
from dataclasses import replace

import pytest
from small_questions import LINE, RIGHT, SEVERAL, SMALL_BANK, WRONG

from course_utils.quiz import notebook as quiz
from course_utils.quiz import progress as progress_file
from course_utils.quiz.notebook import check, progress
from course_utils.quiz.question import answer_key

pytestmark = pytest.mark.usefixtures("small_bank")


def test_answers_are_remembered_and_right_stays_right(small_bank):
    check("one-right", WRONG)
    check("one-right", RIGHT)
    check("one-right", WRONG)
    assert json.loads(small_bank.read_text(encoding="utf-8")) == {
        "version": 1,
        "questions": {"one-right": {"tries": 3, "right": True}},
    }
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
    ["", "{", "[]", "null", '{"version": 99, "questions": {}}', '{"questions": {}}', '{"version": 1, "questions": 3}',
     '{"version": 1, "questions": {"one-right": {"right": true}}}', "\x00"],
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
    assert json.loads(small_bank.read_text(encoding="utf-8"))["questions"]["one-right"] == {"tries": 2, "right": True}


def test_bytes_that_are_no_text_do_not_stop_the_course(small_bank, capsys):
    small_bank.parent.mkdir()
    small_bank.write_bytes(b"\xff\xfe\x00")
    progress()
    assert "Note:" in capsys.readouterr().out


def test_an_answer_to_a_question_that_is_gone_is_kept(small_bank):
    small_bank.parent.mkdir()
    small_bank.write_text('{"version": 1, "questions": {"gone": {"tries": 1, "right": true}}}', encoding="utf-8")
    check("one-right", RIGHT)
    assert set(json.loads(small_bank.read_text(encoding="utf-8"))["questions"]) == {"gone", "one-right"}


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


def test_a_failed_write_leaves_the_old_file(monkeypatch, small_bank, capsys):
    check("one-right", WRONG)
    before = small_bank.read_text(encoding="utf-8")

    def full_disk(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    check("one-right", RIGHT)
    assert "No space left on device" in capsys.readouterr().out
    assert small_bank.read_text(encoding="utf-8") == before
    assert [path.name for path in small_bank.parent.iterdir()] == ["progress.json"]


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
