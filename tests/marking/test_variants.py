"""Variants of quizzes: other letters for each student, the same questions, and a key that follows."""

import json
import re
import shutil
from pathlib import Path

import pytest
from exercise_files import ASSIGNMENTS, EXERCISES
from marking_tools import answered, assignment, hand_in, new_course, total, untouched

from course_utils.__main__ import main
from course_utils.grading.questions import seal, unseal
from course_utils.marking import sandbox
from course_utils.marking.check import assignment_of
from course_utils.marking.reader import read_notebook
from course_utils.marking.variants import VariantError, assignment_for, variant_of, write_variant
from course_utils.quiz.question import answer_key, lettered

QUIZZES = [name for name in ASSIGNMENTS if name.startswith("quiz")]
NAME = QUIZZES[0]


def questions(parts) -> list:
    return [unseal(re.search(r'_sealed = """\n(.*?)\n"""', part.source, re.DOTALL)[1]) for part in parts]


def course_with_release(folder: Path, name: str = NAME, seed: str = "a seed that is always the same") -> Path:
    course = new_course(folder, name, {})
    if seed:
        (course / "variants").mkdir()
        (course / "variants" / "seed.txt").write_text(seed, encoding="ascii")
    shutil.copytree(EXERCISES / "release" / name, course / "release" / name)
    return course


def with_answers(path: Path, keys: list, write=json.dumps) -> dict:
    """The notebook at ``path`` with an answer in each answer cell."""
    book = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in book["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    for cell, key in zip(cells, keys, strict=True):
        cell["source"] = f"{cell['metadata']['nbgrader']['grade_id']} = {write(key)}"
    return book


@pytest.mark.parametrize("name", QUIZZES)
def test_a_variant_asks_the_same_in_another_order_and_its_key_follows(name):
    plain = assignment(name)
    variant = variant_of(plain, "some variant")
    moved = 0
    for before, after in zip(questions(plain.tests), questions(variant.tests), strict=True):
        assert before.options == after.options and before.id == after.id
        words = [option.words for _, option in lettered(after)]
        assert sorted(words) == sorted(option.words for _, option in lettered(before))
        shown = dict(lettered(after))
        if after.kind in ("one", "several"):
            assert {shown[letter] for letter in answer_key(after)} == {one for one in after.options if one.right}
        elif after.kind == "order":
            assert tuple(shown[letter] for letter in answer_key(after)) == after.options != tuple(shown.values())
        else:
            assert answer_key(after) == answer_key(before)
        moved += words != [option.words for _, option in lettered(before)]
    assert moved >= len([one for one in questions(plain.tests) if lettered(one)]) / 2
    assert [cell.id for cell in variant.cells] == [cell.id for cell in plain.cells]
    assert variant.sha256 != plain.sha256 and variant_of(plain, "some variant") == variant


@pytest.mark.parametrize("name", QUIZZES)
def test_the_notebook_shows_the_options_where_the_key_says(name, tmp_path):
    course = course_with_release(tmp_path, name)
    path = write_variant("ada", assignment(name), course)
    theirs = assignment_for("ada", assignment(name), course)
    released = json.loads((course / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    written = json.loads(path.read_text(encoding="utf-8"))
    assert [cell["id"] for cell in written["cells"]] == [cell["id"] for cell in released["cells"]]
    different = [
        "".join(one["source"])
        for one, other in zip(written["cells"], released["cells"], strict=True)
        if one != other and other["cell_type"] == "markdown"
    ]
    assert different and "_sealed" not in path.read_text(encoding="utf-8")
    markdown = {cell.source for cell in theirs.cells if cell.kind == "markdown"}
    assert set(different) <= markdown
    assert all(
        one == other for one, other in zip(written["cells"], released["cells"], strict=True)
        if other["cell_type"] == "code"
    )  # fmt: skip
    assert assignment_of(read_notebook(path)).name == name


def test_mark_judges_each_student_by_their_own_order(tmp_path, capsys):
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    course, plain = course_with_release(tmp_path), assignment(NAME)
    everybodys = [answer_key(one) for one in questions(plain.tests)]
    assert main(["variant", NAME, "ada", "ben", "cleo", "--course", str(course)]) == 0
    place = {student: course / "variants" / student / NAME / f"{NAME}.ipynb" for student in ("ada", "ben", "cleo")}
    keys = {
        student: [answer_key(one) for one in questions(assignment_for(student, plain, course).tests)]
        for student in place
    }
    assert len({str(key) for key in [*keys.values(), everybodys]}) == 4
    hand_in(course, "ada", NAME, json.dumps(with_answers(place["ada"], keys["ada"])).encode())
    hand_in(course, "ben", NAME, json.dumps(with_answers(place["ben"], keys["ada"])).encode())
    hand_in(course, "cleo", NAME, json.dumps(with_answers(place["cleo"], everybodys)).encode())
    hand_in(course, "dan", NAME, answered(NAME))
    main(["mark", NAME, "--course", str(course), "--json", str(tmp_path / "all.json")])
    score = {row["student"]: row["score"] for row in json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))}
    assert score["ada"] == score["dan"] == total(NAME)
    assert max(score["ben"], score["cleo"]) < total(NAME) / 2
    assert main(["mark", NAME, "--course", str(course), "--backend", "nbgrader"]) == 2
    assert "nothing of variants" in capsys.readouterr().err


@pytest.mark.skipif(bool(sandbox.why_not_safe()), reason=f"no sandbox here: {sandbox.why_not_safe()}")
def test_answers_that_have_to_be_run_are_judged_by_the_variant_too(tmp_path):
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    course = course_with_release(tmp_path)
    path = write_variant("ada", assignment(NAME), course)
    keys = [answer_key(one) for one in questions(assignment_for("ada", assignment(NAME), course).tests)]
    computed = with_answers(path, keys, write=lambda key: f"(lambda: {key!r})()")
    hand_in(course, "ada", NAME, json.dumps(computed).encode())
    assert main(["mark", NAME, "--course", str(course), "--json", str(tmp_path / "all.json")]) == 0
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))[0]["score"] == total(NAME)


def test_everybodys_notebook_is_not_marked_by_a_variant(tmp_path):
    """A student with a variant who hands in another order has to be looked at, and gets no points by chance."""
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    course = course_with_release(tmp_path)
    write_variant("ada", assignment(NAME), course)
    hand_in(course, "ada", NAME, answered(NAME))
    assert main(["mark", NAME, "--course", str(course), "--json", str(tmp_path / "all.json")]) == 1
    row = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))[0]
    assert row["status"] == "unreadable" and row["score"] is None


def test_the_seed_stays_and_without_it_nothing_is_marked(tmp_path):
    course = course_with_release(tmp_path, seed="")
    write_variant("ada", assignment(NAME), course)
    seed = course / "variants" / "seed.txt"
    first, theirs = seed.read_text(encoding="ascii"), assignment_for("ada", assignment(NAME), course)
    write_variant("ben", assignment(NAME), course)
    write_variant("ada", assignment(NAME), course)
    assert seed.read_text(encoding="ascii") == first
    assert assignment_for("ada", assignment(NAME), course) == theirs != assignment_for("ben", assignment(NAME), course)
    assert assignment_for("cleo", assignment(NAME), course) is assignment(NAME)
    assert first.strip() not in str(theirs), "nobody who sees a variant's tests knows the others"
    seed.unlink()
    with pytest.raises(VariantError, match="Bring it back"):
        assignment_for("ada", assignment(NAME), course)
    with pytest.raises(VariantError, match="Bring it back"):
        write_variant("dan", assignment(NAME), course)


@pytest.mark.parametrize("student", ["", " ", ".", "..", "../ada", "a/b", "a\\b", "a\0b", ".hidden", "seed.txt"])
def test_a_name_that_is_no_folder_is_refused(student, tmp_path):
    course = course_with_release(tmp_path, seed="")
    with pytest.raises(VariantError, match="cannot be the name"):
        write_variant(student, assignment(NAME), course)
    assert not (course / "variants").exists()


def test_what_has_no_options_or_no_release_is_refused_in_a_sentence(tmp_path, capsys):
    course = course_with_release(tmp_path, "ps1-heads")
    assert main(["variant", "ps1-heads", "ada", "--course", str(course)]) == 2
    assert "is no quiz" in capsys.readouterr().err
    assert main(["variant", "quiz-9", "ada", "--course", str(course)]) == 2
    assert "There is no assignment quiz-9" in capsys.readouterr().err
    empty = new_course(tmp_path / "empty", NAME, {})
    assert main(["variant", NAME, "ada", "--course", str(empty)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_release_that_is_not_of_this_source_is_refused(tmp_path):
    course = course_with_release(tmp_path)
    book = untouched(NAME)
    book.cells = [cell for cell in book.cells if "Question 3" not in cell.source]
    (course / "release" / NAME / f"{NAME}.ipynb").write_text(json.dumps(book), encoding="utf-8")
    with pytest.raises(VariantError, match="does not ask what its source does"):
        write_variant("ada", assignment(NAME), course)


def test_a_question_without_a_variant_is_packed_as_ever():
    part = assignment(NAME).tests[0]
    assert seal(questions([part])[0]) in part.source
