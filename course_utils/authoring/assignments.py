"""Build the assignments of ``exercises/``: source notebooks from plain text, then released ones by nbgrader itself.

    python -m course_utils.authoring.assignments             build source/ and release/
    python -m course_utils.authoring.assignments quiz-1      only these
    python -m course_utils.authoring.assignments --check     say which files are not what a build would give

``--questions DIR`` with either reads YAML files of your own as well (see `bank.py`): a question there is added, or
replaces the course's question with the same id.

A quiz is made of the questions of the bank that name it, under a title from ``exercises/quizzes.yaml``. A problem set
is a py:percent script in ``exercises/problems/`` whose cells say what they are:

    # %% answer="find_head"              the student writes here; the solution is between the marks
                                         ``### BEGIN SOLUTION`` and ``### END SOLUTION``
    # %% test="find_head" points=6       grades it; what only the instructor's copy holds is between
                                         ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS``
                                         with earlier="find_head replace_head" these answers are lent to a student
                                         whose own are wrong, so that no mistake is paid for twice
    # %% [markdown] hint="ps1.2"         a hint for step 2 of ps1, given by ``hint("ps1.2")``: see `authoring/hints.py`
    # %% [markdown] why="find_head"      why the solution is as it is: see `authoring/solutions.py`

All other code cells are locked: nbgrader restores them before it grades. The same text gives the same files on every
machine: cell ids are made from names and text, and nothing holds a time.
"""

import argparse
import ast
import io
import json
import logging
import re
import shutil
import symtable
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config.loader import PyFileConfigLoader

from course_utils.authoring.answers import solution
from course_utils.authoring.hints import hints_file, hints_text, with_requests
from course_utils.authoring.lessons import (
    METADATA,
    ROOT,
    NoRepository,
    colab_cells,
    course_settings,
    give_stable_ids,
    require_repository,
    write,
)
from course_utils.errors import CourseError
from course_utils.grading.questions import seal
from course_utils.quiz.bank import BankError, whole_bank
from course_utils.quiz.judging import FORM, choices
from course_utils.quiz.markdown import for_notebook
from course_utils.quiz.question import POINTS, Question, answer_key
from course_utils.quiz.words import question_body


class AssignmentError(CourseError, ValueError):
    """An assignment cannot be built; the message names the file or cell and what to do."""


def build(
    root: Path = ROOT,
    exercises: Path | None = None,
    own_questions: Path | None = None,
    only: Collection[str] = (),
) -> list[Path]:
    """Write ``source/`` and ``release/`` into ``exercises`` (default: the repository's) and return their notebooks.

    ``only`` names some assignments; without it all are built.

    Everything is made in a temporary folder first, so a failed build leaves what was there. Other assignments that
    lie in these folders, an instructor's own for example, are not touched.
    """
    exercises = exercises or root / "exercises"
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        shutil.copy(root / "exercises" / "nbgrader_config.py", course)
        notebooks = source_notebooks(root, own_questions)
        if strangers := set(only) - notebooks.keys():
            raise AssignmentError(f"There is no assignment {', '.join(sorted(strangers))}: {', '.join(notebooks)}.")
        for name in only or notebooks:
            notebook = notebooks[name]
            write_in(course / "source", name, notebook)
        for name in only or notebooks:
            release(course, name)
        built = sorted(path.relative_to(course) for path in course.rglob("*.ipynb"))
        for path in built:
            (exercises / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(course / path, exercises / path)
    if exercises == root / "exercises" and not only:
        hints_file(root).write_text(hints_text(root), encoding="utf-8", newline="\n")
    return [exercises / path for path in built]


def source_notebooks(root: Path = ROOT, own_questions: Path | None = None) -> dict[str, NotebookNode]:
    """Return the instructor's notebook of every assignment, by its name. Raises AssignmentError or BankError."""
    settings = course_settings(root)
    bank = whole_bank(root, own_questions)
    notebooks = {}
    for name, about in yaml.safe_load((root / "exercises" / "quizzes.yaml").read_text(encoding="utf-8")).items():
        questions = [question for question in bank.values() if question.quiz == name]
        if not questions:
            raise AssignmentError(f"quizzes.yaml announces {name}, and no question of the bank has `quiz: {name}`.")
        notebooks[name] = quiz_notebook(questions, about)
    if strays := {question.quiz for question in bank.values() if question.quiz} - notebooks.keys():
        raise AssignmentError(f"Questions name {', '.join(sorted(strays))}, which quizzes.yaml does not announce.")
    for script in sorted((root / "exercises" / "problems").glob("*.py")):
        notebooks[script.stem.replace("_", "-")] = problem_notebook(script)
    for name, notebook in notebooks.items():
        finish(notebook, name, settings)
    return notebooks


def quiz_notebook(questions: list[Question], about: dict) -> NotebookNode:
    """Return a notebook with three cells a question: the question, the answer and its test."""
    total = sum(POINTS[question.difficulty] for question in questions)
    cells = [
        new_markdown_cell(
            f"# {about['title']}\n\n{about['introduction']}\n\n"
            f"**Points:** {total}. **Time:** about {about['minutes']} minutes.\n\n"
            "Replace `None` by your answer, in the form that the comment beside it shows, and run the cell below: it "
            "tells what was understood. Whether it is right you learn when your work is graded, with a reason.\n\n"
            "Before you hand in, choose **Restart Kernel and Run All Cells** and look for a check that says "
            "[not yet]. Then hand in this one file, under the name that it has."
        )
    ]
    for number, question in enumerate(questions, start=1):
        cells += _question_cells(number, question)
    return new_notebook(cells=cells)


def _question_cells(number: int, question: Question) -> list[NotebookNode]:
    name, points = f"q{number}", POINTS[question.difficulty]
    title = f"## Question {number} ({points} {'point' if points == 1 else 'points'})"
    key = answer_key(question)
    key = f'"{key}"' if isinstance(key, str) else f"{key:.10g}"
    answer = f"{name} = None  # {FORM[question.kind]}\n### BEGIN SOLUTION\n{name} = {key}\n### END SOLUTION"
    asked = f"{question.kind!r}, {choices(question)!r}".replace("'", '"')
    given = f'questions.given(globals(), "{name}")'
    test = (
        "from course_utils.grading import Points, questions\n\n"
        f"points = Points({points})\n"
        f'points.check("{name} has the right form", lambda: questions.form_is_right({given}, {asked}), worth=0)\n'
        "### BEGIN HIDDEN TESTS\n"
        "# The question with its key and feedback, packed so that nobody reads it in passing.\n"
        f'_sealed = """\n{seal(question)}\n"""\n'
        f'points.check("{name} is right", lambda: questions.answer_is_right({given}, _sealed))\n'
        "### END HIDDEN TESTS\n"
        "points.total()"
    )
    return [
        new_markdown_cell(f"{title}\n\n{for_notebook(question_body(question))}"),
        new_code_cell(answer, metadata={"answer": name}),
        new_code_cell(test, metadata={"test": name, "points": points}),
    ]


def problem_notebook(script: Path) -> NotebookNode:
    """Return the notebook of a problem script, cells still marked with ``answer``, ``test`` and ``points``."""
    cells = [cell for cell in jupytext.read(script, fmt="py:percent").cells if "why" not in cell.metadata]
    answers = {cell.metadata["answer"]: solution(cell.source) for cell in cells if "answer" in cell.metadata}
    for cell in cells:
        if earlier := cell.metadata.get("earlier", "").split():
            cell.source = _with_earlier(cell.source, "\n\n\n".join(answers[name] for name in earlier))
    return new_notebook(cells=with_requests(cells))


def _with_earlier(test: str, answers: str) -> str:
    """The test cell with our answers to earlier steps, which it lends to a student whose own are wrong."""
    points = re.search(r"^points = Points\(.*\)\n", test, flags=re.MULTILINE)
    if points is None:
        raise AssignmentError("A test cell that lends earlier answers has no line `points = Points(n)`.")
    lend = f"### BEGIN HIDDEN TESTS\npoints.lend(\n    globals(),\n    r'''\n{answers}\n''',\n)\n### END HIDDEN TESTS\n"
    return test[: points.end()] + lend + test[points.end() :]


def finish(notebook: NotebookNode, name: str, settings: dict[str, str]) -> None:
    """Add the Colab cells, ids and nbgrader's metadata in place, and check that the test cells are sound."""
    badge, install = colab_cells(f"exercises/release/{name}/{name}.ipynb", settings)
    badge.source = badge.source.replace("this lesson", "this assignment")
    notebook.cells[1:1] = [badge, install]
    notebook.metadata = NotebookNode(METADATA)
    give_stable_ids(notebook)
    for cell in notebook.cells:
        answer, test, hint = (cell.metadata.get(mark) for mark in ("answer", "test", "hint"))
        points = cell.metadata.get("points")
        cell.metadata = NotebookNode()
        if answer or test:
            # Not the hash of the text, which would tell a student who tries four letters which one is right.
            cell.id = f"test-{test}" if test else answer
        if cell.cell_type == "code" and not hint:  # a locked cell could not be changed to ask for a hint
            cell.metadata["nbgrader"] = {
                "grade": bool(test),
                "grade_id": cell.id,
                "locked": not answer,
                "schema_version": 3,
                "solution": bool(answer),
                "task": False,
                **({"points": points} if test else {}),
            }
    if problems := unsound_cells(notebook):
        raise AssignmentError("\n".join(f"{name}, {problem}" for problem in problems))


def unsound_cells(notebook: NotebookNode) -> list[str]:
    """Return a line for each cell that nbgrader would grade otherwise than it looks.

    A test cell has to say ``points = Points(n)``, with the n of its metadata, and end in ``points.total()``: that
    is always a number in range. Its other names begin with an underscore, or a hidden test could replace a function of
    the student's that has the same name. Two cells must not share an id.
    """
    problems = []
    seen: set[str] = set()
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.id in seen:
            problems.append(f"cell {cell.id}: another cell has the same id")
        seen.add(cell.id)
        if not grading.get("grade"):
            continue
        body = ast.parse(cell.source).body
        if ast.unparse(body[-1]) != "points.total()":
            problems.append(f"cell {cell.id}: its last line must be `points.total()`")
        if f"points = Points({grading['points']})" not in [ast.unparse(statement) for statement in body]:
            problems.append(f"cell {cell.id}: it must say `points = Points({grading['points']})`, as its metadata")
        symbols = symtable.symtable(cell.source, cell.id, "exec").get_symbols()
        names = {s.get_name() for s in symbols if (s.is_assigned() or s.is_namespace()) and not s.is_imported()}
        if loud := sorted(name for name in names - {"points"} if not name.startswith("_")):
            problems.append(f"cell {cell.id}: these names must begin with an underscore: {', '.join(loud)}")
    return problems


def release(course: Path, name: str) -> None:
    """Let nbgrader make ``release/<name>/`` from ``source/<name>/`` in the course folder ``course``."""
    from nbgrader.converters import GenerateAssignment, NbGraderException  # seconds to import
    from nbgrader.coursedir import CourseDirectory

    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.update(root=str(course.resolve()), assignment_id=name)
    config.SaveCells.enabled = False  # there is no gradebook
    said = io.StringIO()
    log = logging.Logger(name, logging.WARNING)
    log.addHandler(logging.StreamHandler(said))
    try:
        GenerateAssignment(coursedir=CourseDirectory(config=config), config=config, log=log, no_database=True).start()
    except NbGraderException:
        raise AssignmentError(f"nbgrader could not release {name}:\n{said.getvalue().strip()}") from None
    path = course / "release" / name / f"{name}.ipynb"
    write(nbformat.read(path, as_version=4), path)
    if strays := sorted(p.name for p in path.parent.iterdir() if p != path):
        raise AssignmentError(f"The release of {name} would hold other files: {', '.join(strays)}.")


def write_in(step: Path, name: str, notebook: NotebookNode) -> None:
    """Write the notebook where nbgrader looks for it: ``<step>/<name>/<name>.ipynb``."""
    (step / name).mkdir(parents=True)
    write(notebook, step / name / f"{name}.ipynb")


def stale_files(root: Path = ROOT, own_questions: Path | None = None) -> list[str]:
    """Return a line for each file of the built assignments that is missing, different, or does not belong there."""
    exercises = root / "exercises"
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for fresh in build(root, Path(folder), own_questions):
            path = fresh.relative_to(folder)
            stored = exercises / path
            if not stored.is_file():
                problems.append(f"{path} is missing")
            elif json.loads(fresh.read_text(encoding="utf-8")) != json.loads(stored.read_text(encoding="utf-8")):
                problems.append(f"{path} is not what a build gives")
            beside = [other for other in stored.parent.glob("[!.]*") if other != stored]
            problems += [f"{other.relative_to(exercises)} was not made by a build" for other in beside]
    stored = hints_file(root)
    if not stored.is_file() or stored.read_text(encoding="utf-8") != hints_text(root):
        problems.append("course_utils/quiz/hints.json does not hold the hints of the problem scripts")
    return sorted(problems)


def main(arguments: list[str] | None = None) -> int:
    """Build the assignments, or check them; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.authoring.assignments", description="Build the assignments of exercises/."
    )
    parser.add_argument("assignments", nargs="*", help="names such as quiz-1; default: all")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is out of date")
    parser.add_argument("--questions", type=Path, metavar="DIR", help="YAML files of your own, added to the bank")
    options = parser.parse_args(arguments)
    try:
        require_repository()
        if options.check:
            problems = stale_files(own_questions=options.questions)
            print("\n".join(problems) or "Every assignment is what a build gives.")
            return 1 if problems else 0
        for path in build(own_questions=options.questions, only=options.assignments):
            print(path.relative_to(ROOT))
    except (AssignmentError, BankError, NoRepository) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
