"""The completion record: what it counts, that it cannot be changed unnoticed, and its page."""

import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from small_questions import RIGHT, WRONG

from course_utils.__main__ import main
from course_utils.files import ROOT
from course_utils.quiz import completion_record
from course_utils.quiz.certificate import save_certificate
from course_utils.quiz.completion_page import STYLE
from course_utils.quiz.completion_record import (
    DOES_NOT_PROVE,
    PROVES,
    CertificateError,
    LessonCount,
    read_certificate,
)
from course_utils.quiz.notebook import check
from course_utils.quiz.prediction import Prediction
from course_utils.quiz.progress import load_progress, record, record_guess, save_progress

pytest.importorskip("cryptography", reason="the lab extra is not installed")
pytestmark = pytest.mark.usefixtures("small_bank")


@pytest.fixture
def answered(small_bank, monkeypatch) -> Path:
    """Two questions answered, one of them at the second try, and one result guessed."""
    guess = Prediction("how-good", "02_second_lesson", "How good?", unit="per cent")
    monkeypatch.setattr(completion_record, "load_predictions", lambda _: {"how-good": guess})
    check("one-right", WRONG)
    check("one-right", RIGHT)
    record("a-number", True)
    record("no-longer-asked", True)
    record_guess("how-good", "80")
    return small_bank


def written(folder: Path, name: str = "Ada") -> Path:
    save_certificate(name, folder)
    return folder / "completion-record.json"


def test_it_counts_lesson_by_lesson(answered, tmp_path):
    signed = read_certificate(written(tmp_path))
    assert signed.record.lessons == (
        LessonCount("01_first_lesson", 2, answered=1, right=1, right_at_first_try=0, predictions=0, guesses=0),
        LessonCount("02_second_lesson", 3, answered=1, right=1, right_at_first_try=1, predictions=1, guesses=1),
    )
    assert signed.record.total == LessonCount("All lessons", 5, 2, 2, 1, 1, 1)
    assert signed.record.name == "Ada" and signed.is_valid


def test_a_first_try_that_was_added_up_with_others_does_not_count(answered, tmp_path, monkeypatch):
    record("the-line", False)
    record("the-line", True)
    save_progress(tmp_path / "saved.json")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "elsewhere.json"))
    load_progress(tmp_path / "saved.json")
    assert read_certificate(written(tmp_path)).record.total.right_at_first_try == 1  # a-number, and not the-line


def test_the_hash_is_that_of_the_saved_answers(answered, tmp_path):
    save_progress(tmp_path / "saved.json")
    digest = hashlib.sha256((tmp_path / "saved.json").read_bytes()).hexdigest()
    assert read_certificate(written(tmp_path)).record.answers_sha256 == digest


def test_all_records_of_a_student_have_one_key_that_others_cannot_read(answered, tmp_path, monkeypatch):
    first = read_certificate(written(tmp_path / "one"))
    assert read_certificate(written(tmp_path / "two")).public_key == first.public_key
    key = answered.with_name("certificate-key.pem")
    assert sys.platform == "win32" or key.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "ben" / "progress.json"))
    record("one-right", True)
    other = read_certificate(written(tmp_path / "three", "Ben"))
    assert other.public_key != first.public_key and other.fingerprint != first.fingerprint


def every_change(stored: dict) -> list[dict]:
    """The record with one of its values changed, each in turn."""
    changed = []

    def walk(value: object, way: tuple) -> None:
        if isinstance(value, dict | list):
            for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
                walk(inner, (*way, step))
            return
        copy = json.loads(json.dumps(stored))
        place = copy
        for step in way[:-1]:
            place = place[step]
        if isinstance(value, int):
            place[way[-1]] = value + 1
        else:
            place[way[-1]] = value[:-1] + ("0" if value[-1] != "0" else "1")
        changed.append(copy)

    walk(stored, ())
    return changed


def test_a_record_with_any_value_changed_is_noticed(answered, tmp_path, capsys):
    path = written(tmp_path)
    assert main(["certificate", "--check", str(path)]) == 0
    said = capsys.readouterr().out
    assert PROVES in said and DOES_NOT_PROVE in said and "Ada" in said
    changes = every_change(json.loads(path.read_text(encoding="utf-8")))
    assert len(changes) == 2 + 4 + 2 * 7
    for changed in changes:
        path.write_text(json.dumps(changed), encoding="utf-8")
        assert main(["certificate", "--check", str(path)]) in (1, 2)
        assert "as it was signed" not in capsys.readouterr().out


def test_another_layout_of_the_same_record_is_still_signed(answered, tmp_path):
    path = written(tmp_path, "Zoë ماریا\u200cم")
    stored = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(stored, ensure_ascii=False, indent=8).replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    assert read_certificate(path).is_valid


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", b'{"record": {}}', b" " * 2_000_000,
     b'{"record": {"form": "x", "name": "a", "date": "", "answers_sha256": "", "lessons": []},'
     b' "public_key": "", "signature": ""}'],
)  # fmt: skip
def test_a_file_that_is_no_record_is_refused_in_a_sentence(content, tmp_path, capsys):
    path = tmp_path / "record.json"
    path.write_bytes(content)
    assert main(["certificate", "--check", str(path)]) == 2
    assert "is no completion record" in capsys.readouterr().err


def test_a_field_given_twice_is_refused(answered, tmp_path):
    path = written(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"name": "Ada"', '"name": "Eve", "name": "Ada"'), encoding="utf-8")
    with pytest.raises(CertificateError):
        read_certificate(path)


def test_the_page_of_a_record_is_refused(answered, tmp_path, capsys):
    written(tmp_path)
    assert main(["certificate", "--check", str(tmp_path / "completion-record.html")]) == 2
    assert "is no completion record" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "  \n ", "A\x00da", "Ada\u202e", "\ud800", "A" * 101])
def test_a_name_that_cannot_be_printed_is_refused(name, answered, tmp_path):
    with pytest.raises(CertificateError):
        save_certificate(name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_answered_is_told_and_nothing_written(tmp_path, capsys):
    assert main(["certificate", "--name", "Ada", "--out", str(tmp_path / "out")]) == 2
    assert "Answer some" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_place_or_a_key_that_cannot_be_used_is_told(answered, tmp_path):
    (tmp_path / "a file").write_text("")
    with pytest.raises(CertificateError, match="cannot be written into"):
        save_certificate("Ada", tmp_path / "a file")
    with pytest.raises(CertificateError, match="cannot be opened"):
        read_certificate(tmp_path)
    with pytest.raises(CertificateError, match="cannot be opened"):
        read_certificate(tmp_path / "nothing.json")
    answered.with_name("certificate-key.pem").write_text("lost")
    with pytest.raises(CertificateError, match="Move it away"):
        save_certificate("Ada", tmp_path)


def test_without_its_package_one_sentence_says_what_to_install(answered, tmp_path):
    program = (
        "import sys; sys.modules['cryptography'] = None;"
        "from course_utils.__main__ import main; sys.exit(main(['certificate', '--name', 'Ada']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 2 and "pip install cryptography" in done.stderr and "Traceback" not in done.stderr


class Page(HTMLParser):
    """What is in a page: tags with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_page_can_be_read_by_everybody_and_loads_nothing(answered, tmp_path):
    name = """<script>alert("1")</script> & 'Ada'"""
    signed = read_certificate(written(tmp_path, name))
    source = (tmp_path / "completion-record.html").read_text(encoding="utf-8")
    page = Page(source)
    tags = [tag for tag, _ in page.tags]
    assert source.startswith("<!DOCTYPE html>") and dict(page.tags)["html"] == {"lang": "en"}
    assert tags.count("h1") == tags.count("title") == tags.count("main") == tags.count("caption") == 1
    assert re.findall(r"<h(\d)>", source) == ["1", "2", "2", "2"]
    assert "script" not in tags and page.text.count(name) == 2
    assert not {"img", "link", "iframe"} & set(tags) and "url(" not in source and "http" not in source
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    words = " ".join(page.text.split())
    assert all(text in words for text in (PROVES, DOES_NOT_PROVE, signed.fingerprint, signed.signature))


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_its_colours_are_far_enough_apart():
    text, paper = re.search(r"color: (#\w{6}); background: (#\w{6})", STYLE).groups()
    assert (luminance(paper) + 0.05) / (luminance(text) + 0.05) >= 7  # WCAG 2, level AAA
