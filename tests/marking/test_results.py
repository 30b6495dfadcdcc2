"""Records, the journal and the summary: nothing is lost on the way, and no missing score becomes a 0."""

import csv
import io
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.marking import summary
from course_utils.marking.journal import Journal
from course_utils.marking.results import NEXT_STEP, CellResult, Record, Status, capped, clamped

RECORD = Record(
    "ada", "quiz-1", "k1", Status.GRADED, cells=(CellResult("test-q1", 2.0, 1.5, "said", 0.1),),
    notes=("a note",), outputs=((3, "printed"),), seconds=0.5,
)  # fmt: skip
CRASHED = replace(RECORD, student="ben", status=Status.CRASHED, cells=(CellResult("test-q1", 2.0, None),))


@pytest.mark.parametrize(
    ("status", "earned", "score"),
    [
        (Status.GRADED, 1.5, 1.5),
        (Status.STUDENT_ERROR, 0.0, 0.0),
        (Status.CRASHED, 1.0, 1.0),
        (Status.CRASHED, None, None),
        (Status.TIMED_OUT, None, None),
        (Status.NEEDS_A_LOOK, 2.0, None),
        (Status.UNREADABLE, None, None),
        (Status.MISSING, None, None),
    ],
)
def test_what_could_not_be_graded_is_never_a_zero(status, earned, score):
    record = replace(RECORD, status=status, cells=(CellResult("test-q1", 2.0, earned),))
    assert record.score == score
    assert bool(record.next_step) == (not status.is_final)


def test_every_open_status_has_a_next_step():
    assert set(NEXT_STEP) == {status for status in Status if not status.is_final}


@pytest.mark.parametrize(
    ("points", "maximum", "given"),
    [(3, 2, 2), (-1, 2, 0), (1.25, 2, 1.25), (math.nan, 2, 0), (math.inf, 2, 2), ("many", 2, 0), (None, 2, 0)],
)
def test_points_stay_within_the_maximum(points, maximum, given):
    assert clamped(points, maximum) == given


@given(st.text(max_size=300))
def test_kept_output_is_short_and_printable(text):
    kept = capped(text, most=50)
    assert len(kept) <= 110
    assert all(char in "\n\t" or char.isprintable() for char in kept)


TEXT = st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace").decode())


@settings(max_examples=50)
@given(TEXT, st.sampled_from(Status), st.none() | st.floats(0, 10), TEXT)
def test_a_record_survives_the_journal(tmp_path_factory, student, status, earned, output):
    record = replace(RECORD, student=student, status=status, cells=(CellResult("t", 10.0, earned, output),))
    with Journal(tmp_path_factory.mktemp("journal") / "j.jsonl") as journal:
        journal.append(record)
        assert journal.records() == {(student, "k1"): record}


def test_a_line_that_was_cut_off_costs_that_line_only(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.append(RECORD)
        journal.append(CRASHED)
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    for end in range(second, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        with Journal(path) as journal:
            assert set(journal.records().values()) == {RECORD}
            journal.append(replace(RECORD, student="zoe"))
            assert {record.student for record in journal.records().values()} == {"ada", "zoe"}


def test_a_changed_bit_is_noticed(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.append(RECORD)
    path.write_bytes(path.read_bytes().replace(b'"earned":1.5', b'"earned":9.5'))
    assert Journal(path).records() == {}


def test_the_table_leaves_open_scores_empty_and_holds_no_formula():
    odd = replace(RECORD, student="=cmd()", status=Status.UNREADABLE, reason="+evil", cells=())
    rows = list(csv.DictReader(io.StringIO(summary.as_csv([RECORD, CRASHED, odd], 2.0))))
    assert [row["score"] for row in rows] == ["1.5", "", ""]
    assert [row["status"] for row in rows] == ["graded", "crashed", "unreadable"]
    assert rows[2]["student"] == "'=cmd()" and rows[2]["reason"] == "'+evil"
    assert rows[1]["next_step"]


def test_json_holds_every_cell():
    rows = json.loads(summary.as_json([RECORD, CRASHED], 2.0))
    assert rows[0]["score"] == 1.5 and rows[0]["cells"][0]["grade_id"] == "test-q1"
    assert rows[1]["score"] is None


def test_the_summary_counts_draws_and_names_who_is_to_be_looked_at(tmp_path):
    told = summary.as_text([RECORD, CRASHED], 2.0)
    assert "1 graded" in told and "1 crashed" in told and "mean 1.5" in told
    assert "ben: crashed." in told and CRASHED.next_step in told
    summary.write_picture(tmp_path / "p.png", [RECORD], 2.0)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_difficulty_and_discrimination_of_an_item():
    def record(name, one, other):
        return replace(RECORD, student=name, cells=(CellResult("a", 1.0, one), CellResult("b", 1.0, other)))

    rows = summary.items([record("x", 1.0, 1.0), record("y", 0.0, 0.0), record("z", 1.0, 1.0)])
    assert [(name, round(difficulty, 3), round(strength, 3)) for name, difficulty, strength in rows] == [
        ("a", 0.667, 1.0),
        ("b", 0.667, 1.0),
    ]
    assert summary.items([record("x", 1.0, 1.0)]) == [("a", 1.0, None), ("b", 1.0, None)]


def test_the_distribution_has_every_score_once():
    counts = summary.distribution([0, 2.7, 26.9, 27], 27)
    assert sum(counts) == 4 and counts[0] == 1 and counts[-1] == 2
