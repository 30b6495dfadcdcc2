"""The assignments: built from text, released without a trace of the answers, and made of sound test cells."""

import ast
import contextlib
import dataclasses
import io
import shutil
from itertools import combinations, permutations
from pathlib import Path

import nbformat
import pytest
import torch
import yaml
from torch import nn

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

from course_utils import find_head
from course_utils.authoring.answers import (
    Answer,
    _with_letters,
    fill_in,
    is_answer,
    read_answer,
    read_answers,
    solution,
)
from course_utils.authoring.assignments import (
    AssignmentError,
    finish,
    main,
    quiz_notebook,
    release,
    source_notebooks,
    stale_files,
    unsound_cells,
    write_in,
)
from course_utils.authoring.lessons import course_settings
from course_utils.bank import Question, answer_key, lettered, load_bank
from course_utils.grading import networks, questions
from course_utils.grading.points import Unmet
from course_utils.quiz import judge

ROOT = Path(__file__).resolve().parents[1]
EXERCISES = ROOT / "exercises"
ASSIGNMENTS = sorted(path.name for path in (EXERCISES / "source").iterdir() if path.is_dir())
BANK = load_bank()
QUIZ = [question for question in BANK.values() if question.quiz]


def notebook(step: str, name: str) -> nbformat.NotebookNode:
    return nbformat.read(EXERCISES / step / name / f"{name}.ipynb", as_version=4)


def graded_cells(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.metadata.get("nbgrader", {}).get("grade")]


# What is built


def test_the_committed_files_are_what_a_build_gives():
    assert stale_files() == []


@pytest.fixture(scope="module")
def released_with_another_key(tmp_path_factory) -> Path:
    """A course folder with a quiz-1 whose right answers are others, and with files that must stay behind."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(EXERCISES / "nbgrader_config.py", course)
    changed = []
    for question in (question for question in BANK.values() if question.quiz == "quiz-1"):
        right = [option.right for option in question.options]
        options = [
            dataclasses.replace(option, right=flag)
            for option, flag in zip(question.options, right[-1:] + right[:-1], strict=True)
        ]
        changed.append(dataclasses.replace(question, options=tuple(options)))
    about = yaml.safe_load((EXERCISES / "quizzes.yaml").read_text(encoding="utf-8"))["quiz-1"]
    book = quiz_notebook(changed, about)
    finish(book, "quiz-1", course_settings(ROOT))
    write_in(course / "source", "quiz-1", book)
    for stray in ("key.py", "notes.md", "key.yaml", "marks.csv", "quiz-1.json", ".key"):
        (course / "source" / "quiz-1" / stray).write_text("the right answers", encoding="utf-8")
    release(course, "quiz-1")
    return course


def test_a_released_quiz_is_the_same_whatever_its_key_is(released_with_another_key):
    other = nbformat.read(released_with_another_key / "release" / "quiz-1" / "quiz-1.ipynb", as_version=4)
    source = nbformat.read(released_with_another_key / "source" / "quiz-1" / "quiz-1.ipynb", as_version=4)
    assert source != notebook("source", "quiz-1")
    assert other == notebook("release", "quiz-1")


def test_files_beside_a_source_notebook_are_not_released(released_with_another_key):
    released = [path.name for path in (released_with_another_key / "release" / "quiz-1").iterdir()]
    assert released == ["quiz-1.ipynb"]


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_a_release_is_one_notebook_without_answers_hidden_tests_and_outputs(name):
    assert [path.name for path in (EXERCISES / "release" / name).iterdir()] == [f"{name}.ipynb"]
    released, source = notebook("release", name), notebook("source", name)
    text = (EXERCISES / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    assert not [mark for mark in ("BEGIN SOLUTION", "HIDDEN TESTS", "sealed") if mark in text]
    assert not [cell.id for cell in released.cells if cell.get("outputs") or cell.get("execution_count")]
    source_of = {cell.id: cell.source for cell in source.cells}
    for cell in released.cells:
        if is_answer(cell) or cell.metadata.get("nbgrader", {}).get("grade"):
            hidden, shown = between_and_outside_marks(source_of[cell.id])
            assert "".join(hidden).strip(), f"{cell.id} has nothing to hide"
            assert [line for line in cell.source.splitlines() if "YOUR ANSWER HERE" not in line] == shown


def between_and_outside_marks(source: str) -> tuple[list[str], list[str]]:
    inside, hidden, shown = False, [], []
    for line in source.splitlines():
        if line.strip().startswith("### "):
            inside = "BEGIN" in line
        else:
            (hidden if inside else shown).append(line)
    return hidden, shown


@pytest.mark.parametrize("step", ["source", "release"])
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_test_cell_ends_in_the_helper_that_gives_a_number_in_range(step, name):
    book = notebook(step, name)
    assert graded_cells(book)
    assert unsound_cells(book) == []


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_released_cell_is_python(name):
    for cell in notebook("release", name).cells:
        if cell.cell_type == "code" and "%pip" not in cell.source:
            ast.parse(cell.source)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("points.total()", "assert True", "its last line must be"),
        ("points.total()", "points.total() > 0", "its last line must be"),
        ("points = Points(6)", "points = Points(60)", "it must say `points = Points(6)`"),
        ("points.total()", "helper = 1\npoints.total()", "must begin with an underscore: helper"),
    ],
)
def test_a_test_cell_that_nbgrader_would_misread_is_refused(old, new, problem):
    book = notebook("source", "ps1-heads")
    cell = graded_cells(book)[0]
    cell.source = cell.source.replace(old, new)
    assert len(problems := unsound_cells(book)) == 1
    assert problem in problems[0]


def test_two_cells_with_one_id_are_refused():
    book = notebook("source", "ps1-heads")
    book.cells.append(book.cells[-1])
    assert "another cell has the same id" in unsound_cells(book)[0]


# Building in a folder of one's own


@pytest.fixture
def repository(tmp_path) -> Path:
    """The authored files of this repository in another place."""
    (tmp_path / "exercises" / "problems").mkdir(parents=True)
    for file in ("pyproject.toml", "exercises/quizzes.yaml", "exercises/nbgrader_config.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_a_quiz_without_questions_is_an_error_that_names_it(repository):
    quizzes = repository / "exercises" / "quizzes.yaml"
    quizzes.write_text(quizzes.read_text(encoding="utf-8") + "\nquiz-99: {title: T, introduction: I, minutes: 1}\n")
    with pytest.raises(AssignmentError, match="no question of the bank has `quiz: quiz-99`"):
        source_notebooks(repository)


def test_a_question_of_an_unknown_quiz_is_an_error_that_names_it(repository):
    (repository / "exercises" / "quizzes.yaml").write_text("{}", encoding="utf-8")
    with pytest.raises(AssignmentError, match="quiz-1"):
        source_notebooks(repository)


def test_an_unsound_problem_script_is_an_error_that_names_the_cell(repository):
    script = '# %% test="one" points=2\nfrom course_utils.grading import Points\npoints = Points(2)\n"done"\n'
    (repository / "exercises" / "problems" / "ps9_new.py").write_text(script, encoding="utf-8")
    with pytest.raises(AssignmentError, match="ps9-new, cell test-one: its last line"):
        source_notebooks(repository)


def test_the_command_says_which_files_are_out_of_date(monkeypatch, capsys):
    monkeypatch.setattr("course_utils.authoring.assignments.stale_files", lambda **_: ["source/x.ipynb is missing"])
    assert main(["--check"]) == 1
    assert capsys.readouterr().out == "source/x.ipynb is missing\n"


# An instructor's own questions

OWN = """\
- id: {id}
  covers: []
  difficulty: hard
  quiz: {quiz}
  prompt: How much is two and two?
  options:
    - text: four
      right: true
      feedback: So it is.
    - text: five
      feedback: One too many.
  hint: Count.
  explanation: Two and two are four.
  proof: assert 2 + 2 == 4
"""


def own_questions(folder: Path, text: str) -> Path:
    (folder / "own").mkdir()
    (folder / "own" / "mine.yaml").write_text(text, encoding="utf-8")
    return folder / "own"


def test_an_own_question_is_added_to_its_quiz(repository, tmp_path):
    own = own_questions(tmp_path, OWN.format(id="two-and-two", quiz="quiz-2"))
    ours, theirs = source_notebooks(repository), source_notebooks(repository, own)
    assert len(graded_cells(theirs["quiz-2"])) == len(graded_cells(ours["quiz-2"])) + 1
    assert "How much is two and two?" in theirs["quiz-2"].cells[-3].source
    assert theirs["quiz-1"] == ours["quiz-1"]


def test_an_own_question_takes_the_place_of_the_one_with_its_id(repository, tmp_path):
    own = own_questions(tmp_path, OWN.format(id="transforms-is-a-factory", quiz="quiz-2"))
    ours, theirs = source_notebooks(repository), source_notebooks(repository, own)
    assert len(graded_cells(theirs["quiz-2"])) == len(graded_cells(ours["quiz-2"]))
    assert "How much is two and two?" in "".join(cell.source for cell in theirs["quiz-2"].cells[:5])
    assert "takes 1 positional argument" not in nbformat.writes(theirs["quiz-2"])


def test_an_own_question_of_a_quiz_that_nobody_announced_is_told(repository, tmp_path):
    own = own_questions(tmp_path, OWN.format(id="two-and-two", quiz="quiz-9"))
    with pytest.raises(AssignmentError, match="quiz-9, which quizzes.yaml does not announce"):
        source_notebooks(repository, own)


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_bad_yaml_in_an_own_file_gives_file_line_and_reason(tmp_path, capsys, check):
    own = own_questions(
        tmp_path, OWN.format(id="two-and-two", quiz="quiz-2").replace("hint: Count.", "hint: Count: it")
    )
    assert main([*check, "--questions", str(own)]) == 1
    assert capsys.readouterr().err == (
        "1 problem in the question bank:\nmine.yaml, line 12: mapping values are not allowed in this context\n"
    )


def test_a_folder_of_own_questions_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["--questions", str(tmp_path / "nowhere")]) == 1
    assert "There is no folder" in capsys.readouterr().err


# The answers that test the graders


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_there_are_answers_to_every_assignment(name):
    answers = read_answers(EXERCISES / "answers" / name)
    maximum = sum(cell.metadata.nbgrader.points for cell in graded_cells(notebook("source", name)))
    right = [answer for answer in answers if answer.name.startswith("right")]
    assert all(answer.score == maximum for answer in right)
    assert all(answer.score < maximum and answer.feedback for answer in answers if answer not in right)
    if name.startswith("ps"):
        assert len(right) >= 4
        assert len(answers) - len(right) >= 12


def test_an_answer_file_is_read(tmp_path):
    path = tmp_path / "wrong_fc.py"
    path.write_text(
        "# Reads model.fc,\n# always.\n#\n# score: {find_head: 1, what_moved: 2.5}\n# feedback: [no fc]\n\n"
        "# %% find_head\ndef find_head(model):\n    return model.fc\n",
        encoding="utf-8",
    )
    answer = read_answer(path)
    assert (answer.name, answer.title, answer.score) == ("wrong_fc", "Reads model.fc, always.", 3.5)
    assert answer.points == {"find_head": 1.0, "what_moved": 2.5}
    assert answer.feedback == ("no fc",)
    assert answer.cells == {"find_head": "def find_head(model):\n    return model.fc"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# title\n",
        "# title\n#\n# feedback: [x]\n",
        "# title\n#\n# score: many\n",
        "# title\n#\n# score: 1\n# scroe: 2\n",
    ],
)
def test_an_odd_answer_file_is_an_error_that_names_it(tmp_path, text):
    path = tmp_path / "odd.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="odd.py"):
        read_answer(path)


def test_an_answer_to_a_cell_that_is_not_there_is_an_error(tmp_path):
    path = tmp_path / "stray.py"
    path.write_text("# title\n#\n# score: 1\n\n# %% find_tail\npass\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no answer cell find_tail"):
        fill_in(notebook("release", "ps1-heads"), notebook("source", "ps1-heads"), read_answer(path))


def test_a_solution_is_the_source_without_its_marks():
    assert solution("q1 = None\n### BEGIN SOLUTION\nq1 = 2\n### END SOLUTION") == "q1 = None\nq1 = 2"


# Graded questions


@pytest.mark.parametrize("answer", ["b", "B", " b ", "b)", "(b)", "b."])
def test_a_letter_is_understood_in_any_dress(answer):
    assert questions.understood(answer, "one", "abcd") == "b"
    assert questions.form_is_right(answer, "one", "abcd") == "You chose b."


@pytest.mark.parametrize(
    ("kind", "offered", "answer", "expected", "said"),
    [
        ("several", "abcd", "ca", "ac", "You chose a, c."),
        ("several", "abcd", "(A), (C)", "ac", "You chose a, c."),
        ("several", "abcd", {"a"}, "a", "You chose a."),
        ("order", "abc", "c, a, b", "cab", "Your order is c, a, b."),
        ("order", "abc", ["c", "a", "b"], "cab", "Your order is c, a, b."),
        ("number", "", 87.5, 87.5, "Your number is 87.5."),
        ("number", "", "87.5 %", 87.5, "Your number is 87.5."),
        ("number", "", "-2.5e-1", -0.25, "Your number is -0.25."),
        ("number", "", torch.tensor(3), 3, "Your number is 3."),
        ("line", [1, 2, 4], 4, 4, "You chose line 4."),
        ("line", [1, 2, 4], "Line 4", 4, "You chose line 4."),
    ],
)
def test_an_answer_of_another_kind_is_understood_in_any_dress(kind, offered, answer, expected, said):
    assert questions.understood(answer, kind, offered) == expected
    assert questions.form_is_right(answer, kind, offered) == said


class Joker(float):
    """A number that says it is equal to all others."""

    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("kind", "offered", "answer", "sentence"),
    [
        ("several", "abcd", "", "Yours is empty"),
        ("several", "abcd", "aa", "The letter a appears twice"),
        ("several", "abcd", "ae", "There is no option 'e'"),
        ("several", "abcd", ["a", 1], "type list"),
        ("several", "abcd", True, "type bool"),
        ("order", "abc", "ab", "All 3 steps are needed"),
        ("order", "abc", None, "There is no answer yet"),
        ("number", "", "many", "a number, for example 3.5. Yours is 'many'"),
        ("number", "", "3,5", "Yours is '3,5'"),
        ("number", "", True, "Yours is True"),
        ("number", "", float("nan"), "Yours is nan"),
        ("number", "", [1, 2], "type list"),
        ("number", "", torch.tensor([1.0, 2.0]), "type Tensor"),
        ("line", [1, 2, 4], 3, "There is no code on line 3; the lines go from 1 to 4"),
        ("line", [1, 2, 4], 1.5, "There is no code on line 1.5"),
        ("line", [1, 2, 4], Joker(9), "There is no code on line 9"),
    ],
)
def test_what_is_no_answer_of_its_kind_gets_a_sentence_on_the_form(kind, offered, answer, sentence):
    with pytest.raises(Unmet, match=sentence):
        questions.understood(answer, kind, offered)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "There is no answer yet"),
        (7, "type int"),
        (True, "type bool"),
        (["b"], "type list"),
        (type("Joker", (str,), {"__eq__": lambda self, other: True})("b"), "type Joker"),
        ("", "Give one letter"),
        ("ab", "Give one letter"),
        ("fc is missing", "Give one letter"),
        ("e", "the letters go from a to d"),
        ("1", "There is no option '1'"),
    ],
)
def test_what_is_no_letter_gets_a_sentence_on_the_form(answer, sentence):
    with pytest.raises(Unmet, match=sentence):
        questions.understood(answer, "one", "abcd")


def possible_answers(question: Question) -> list:
    """Every answer to a choice, an order or a line, and the numbers that the bank knows."""
    letters = [letter for letter, _ in lettered(question)]
    if question.kind == "one":
        return letters
    if question.kind == "several":
        sizes = range(1, len(letters) + 1)
        return ["".join(some) for size in sizes for some in combinations(letters, size)]
    if question.kind == "order":
        return ["".join(order) for order in permutations(letters)]
    if question.kind == "line":
        return [option.line for option in question.options]
    return [question.answer, *(option.value for option in question.options)]


@pytest.mark.parametrize("question", QUIZ, ids=lambda question: question.id)
def test_a_sealed_question_grades_like_the_bank(question):
    sealed = questions.seal(question)
    assert questions.seal(question) == sealed
    right = []
    for answer in possible_answers(question):
        verdict = judge(question, answer)
        assert judge(questions.unseal(sealed), answer) == verdict
        if verdict.right:
            right.append(answer)
            assert question.explanation in questions.answer_is_right(answer, sealed)
            continue
        with pytest.raises(Unmet) as caught:
            questions.answer_is_right(answer, sealed)
        assert verdict.text.removeprefix("Not yet.").strip() == str(caught.value)
        assert question.explanation not in str(caught.value)
    assert right == [answer_key(question)], "one answer is right, and no other"


@pytest.mark.parametrize("question", QUIZ, ids=lambda question: question.id)
def test_a_sealed_question_cannot_be_read_in_passing(question):
    sealed = questions.seal(question)
    assert not [word for word in (question.id, "right", "feedback") if word in sealed]


@pytest.mark.parametrize(
    ("right", "wrong"), [("a", "b"), ("c", "a"), ("ac", "c"), ("bac", "cab"), ("4", "1"), ("1", "2"), ("87.5", "1")]
)
def test_a_wrong_answer_has_the_form_of_the_right_one(right, wrong):
    mark = "" if right[0].isdigit() else '"'
    assert (
        _with_letters('q = "<right>", "<wrong>"', f"q = None\nq = {mark}{right}{mark}") == f'q = "{right}", "{wrong}"'
    )


# Answers to the quizzes, graded in this process. Through nbgrader itself: test_nbgrader_loop.py


def graded_here(name: str, answer: Answer) -> tuple[dict[str, float], str]:
    """The points of each test cell and what the cells print: every cell runs, and an error stops only its own."""
    submission = fill_in(notebook("release", name), notebook("source", name), answer)
    written = {cell.id: cell.source for cell in submission.cells if is_answer(cell)}
    names, points = {}, {}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        for cell in notebook("source", name).cells:
            if cell.id.startswith("test-"):
                *body, last = ast.parse(cell.source).body
                exec(compile(ast.Module(body, []), cell.id, "exec"), names)
                points[cell.id.removeprefix("test-")] = eval(ast.unparse(last), names)
            elif is_answer(cell):
                with contextlib.suppress(Exception):
                    exec(written[cell.id], names)
    return points, " ".join(output.getvalue().split())


QUIZ_ANSWERS = [
    pytest.param(name, answer, id=f"{name}-{answer.name}")
    for name in ASSIGNMENTS
    if name.startswith("quiz-")
    for answer in read_answers(EXERCISES / "answers" / name)
]


@pytest.mark.parametrize(("name", "answer"), QUIZ_ANSWERS)
def test_an_answer_to_a_quiz_gets_its_points_and_sentences(name, answer):
    points, said = graded_here(name, answer)
    assert sum(points.values()) == answer.score
    assert {cell: points[cell] for cell in answer.points} == answer.points
    assert [sentence for sentence in answer.feedback if " ".join(sentence.split()) not in said] == []


@pytest.mark.parametrize("name", [name for name in ASSIGNMENTS if name.startswith("quiz-")])
def test_each_wrong_answer_costs_exactly_its_own_points(name):
    source = notebook("source", name)
    worth = {cell.id.removeprefix("test-"): cell.metadata.nbgrader.points for cell in graded_cells(source)}
    for cell in worth:
        points, _ = graded_here(name, Answer("", "", 0, cells={cell: f'{cell} = "<wrong>"'}))
        assert points == worth | {cell: 0}


def test_each_quiz_mixes_kinds_and_difficulties():
    for name in {question.quiz for question in QUIZ} - {"quiz-1"}:
        chosen = [question for question in QUIZ if question.quiz == name]
        assert 8 <= len(chosen) <= 12
        assert {question.kind for question in chosen} == {"one", "several", "number", "order", "line"}
        assert {question.difficulty for question in chosen} == {"easy", "medium", "hard"}


# Networks for test cells


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "squeezenet1_1", "swin_t", "regnet_y_400mf", "googlenet"])
def test_an_outline_runs_and_its_last_layer_is_the_head(name):
    model = networks.outline(name)
    run = networks.forward(model, networks.pictures(name))
    assert run.scores.shape == (2, 1000)
    assert run.head is find_head(model).layer


def test_watching_a_forward_pass_leaves_no_trace():
    model = networks.build("shufflenet_v2_x0_5").train()
    model.conv1.eval()
    before = networks.snapshot(model)
    networks.forward(model, networks.pictures("shufflenet_v2_x0_5"))
    assert networks.moved(before, networks.snapshot(model)) == []
    assert model.training and model.stage2.training and not model.conv1.training
    assert not [module for module in model.modules() if module._forward_hooks]


def test_a_network_is_built_the_same_each_time_and_the_seed_of_others_is_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first, second = networks.build("squeezenet1_1", 3), networks.build("squeezenet1_1", 3)
    assert torch.equal(torch.rand(1), expected)
    assert networks.moved(networks.snapshot(first), networks.snapshot(second)) == []


def test_layers_that_no_longer_run_are_named():
    images = networks.pictures("alexnet")
    model = networks.outline("alexnet")
    before = networks.forward(model, images)
    model.classifier[6] = nn.Linear(4096, 3)
    assert networks.lost_layers(before, networks.forward(model, images)) == []
    model.classifier = nn.Linear(9216, 3)
    lost = networks.lost_layers(before, networks.forward(model, images))
    assert lost == ["Dropout", "Dropout", "Linear", "Linear", "ReLU", "ReLU"]


def test_training_moves_what_may_learn_and_the_statistics():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model[1].requires_grad_(False)
    before = networks.snapshot(model)
    networks.train(model, networks.pictures("resnet18", count=4))
    changed = networks.moved(before, networks.snapshot(model))
    assert set(changed) == {name for name in before if not name.startswith("1.")}


def test_training_a_model_that_cannot_learn_says_so():
    with pytest.raises(Unmet, match="Nothing is left that may learn"):
        networks.train(nn.Linear(2, 2).requires_grad_(False), torch.rand(1, 2))
