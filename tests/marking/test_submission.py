"""The submission doctor: it finds the answers whatever an editor did to the cells, and says what it did."""

import copy

import nbformat
import pytest
from marking_tools import answered, as_bytes, assignment, cell, hand_in, new_course, untouched

from course_utils.marking.reader import UnreadableNotebook, parse_notebook
from course_utils.marking.submission import choose_notebook, mended

NAMES = ("quiz-1", "ps1-heads")


def seen(book, name):
    return mended(parse_notebook(as_bytes(book)), assignment(name))


def program(submission):
    """Name and text of every cell that belongs to the assignment, in the order in which they run."""
    return [(step.part.grade_id, step.source.strip(), step.kind) for step in submission.steps if step.part]


@pytest.mark.parametrize("name", NAMES)
def test_an_ordinary_submission_has_nothing_to_mend(name):
    found = seen(answered(name), name)
    assert found.notes == ()
    assert [part for part, *_ in program(found)] == [part.grade_id for part in assignment(name).parts]


def moved(book):
    book.cells.reverse()


def without_metadata(book):
    for one in book.cells:
        one.metadata.clear()


def without_names(book):
    for number, one in enumerate(book.cells):
        one.metadata.clear()
        one.id = f"c{number}"


def answers_as_text(book):
    for one in book.cells:
        if one.metadata.get("nbgrader", {}).get("solution"):
            one.cell_type = "markdown"
            one.pop("outputs", None)


def no_tests(book):
    book.cells = [one for one in book.cells if not one.metadata.get("nbgrader", {}).get("grade")]


def copied(book):
    book.cells = [again for one in book.cells for again in (one, copy.deepcopy(one))]


def forged_tests(book):
    for one in book.cells:
        if one.metadata.get("nbgrader", {}).get("grade"):
            one.source = "1000.0"
            one.metadata.nbgrader.points = "many"


def colab(book):
    for number, one in enumerate(book.cells):
        one.pop("id", None)
        one.metadata["id"] = f"colab{number}"
    book.nbformat_minor = 0


def vs_code(book):
    for one in book.cells:
        one.metadata["vscode"] = {"languageId": "python"}
    book.metadata.pop("kernelspec")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (moved, "another order"),
        (without_metadata, "lost nbgrader's metadata"),
        (without_names, "found by their text"),
        (answers_as_text, "had become a markdown cell"),
        (no_tests, "was added again"),
        (copied, "There are 2 cells"),
        (forged_tests, ""),
        (colab, ""),
        (vs_code, ""),
    ],
)
def test_what_editors_do_changes_nothing_that_counts(name, harm, said):
    book = answered(name)
    right = program(seen(book, name))
    harm(book)
    found = seen(book, name)
    assert program(found) == right
    assert any(said in note for note in found.notes) if said else found.notes == ()


def test_the_last_of_several_copies_counts_and_the_others_run_before():
    book = answered("quiz-1")
    again = copy.deepcopy(cell(book, "q1"))
    again.source = 'q1 = "z"'
    book.cells.insert(book.cells.index(cell(book, "q1")) + 1, again)
    found = seen(book, "quiz-1")
    assert dict((name, source) for name, source, _ in program(found))["q1"] == 'q1 = "z"'
    assert any("2 cells q1" in note and "last one counts" in note for note in found.notes)


def test_both_halves_of_a_split_cell_run():
    book = answered("ps1-heads")
    whole = cell(book, "replace_head")
    second = copy.deepcopy(whole)
    whole.source, second.source = "helper = 3", whole.source
    book.cells.insert(book.cells.index(whole) + 1, second)
    sources = [step.source for step in seen(book, "ps1-heads").steps]
    assert sources.index("helper = 3") < sources.index(second.source)


def test_a_deleted_answer_is_named():
    book = answered("quiz-1")
    book.cells.remove(cell(book, "q3"))
    found = seen(book, "quiz-1")
    assert ("q3", "", "code") in program(found)
    assert any("q3 is not there" in note for note in found.notes)


def test_cells_of_the_students_own_stay_where_they_were():
    book = answered("quiz-1")
    book.cells.insert(book.cells.index(cell(book, "q2")), nbformat.v4.new_code_cell("scratch = 1"))
    steps = seen(book, "quiz-1").steps
    place = next(i for i, step in enumerate(steps) if step.source == "scratch = 1")
    assert steps[place].part is None
    assert steps[place + 1].part.grade_id == "q2"


def chosen(course, name="quiz-1"):
    return choose_notebook(course / "submitted" / "ada" / name, assignment(name))


def test_a_renamed_notebook_is_found_among_others(tmp_path):
    course = new_course(tmp_path, "quiz-1", {})
    hand_in(course, "ada", "quiz-1", untouched("ps1-heads"), "notes.ipynb")
    hand_in(course, "ada", "quiz-1", answered("quiz-1"), "quiz-1 (1).ipynb")
    hand_in(course, "ada", "quiz-1", b"import os", "course_utils.so")
    notebook, notes = chosen(course)
    assert notebook.cells == parse_notebook(as_bytes(answered("quiz-1"))).cells
    assert any("quiz-1 (1).ipynb instead of quiz-1.ipynb" in note for note in notes)
    assert any("course_utils.so" in note for note in notes)


def test_no_notebook_a_wrong_one_and_a_linked_folder(tmp_path):
    course = new_course(tmp_path, "quiz-1", {})
    place = course / "submitted" / "ada" / "quiz-1"
    place.mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        chosen(course)
    hand_in(course, "ada", "quiz-1", untouched("ps1-heads"), "homework.ipynb")
    with pytest.raises(UnreadableNotebook, match="not the notebook of quiz-1"):
        chosen(course)
    (course / "submitted" / "ben").mkdir()
    (course / "submitted" / "ben" / "quiz-1").symlink_to(course / "source" / "quiz-1")
    with pytest.raises(UnreadableNotebook, match="link"):
        choose_notebook(course / "submitted" / "ben" / "quiz-1", assignment("quiz-1"))
