"""Write the solution of an assignment as a notebook to hand out, once its deadline has passed.

    python -m course_utils.authoring.solutions ps1-heads --after 2027-03-01 --out handouts

The instructor states the deadline; before it, and without one, nothing is written. A date alone means the end of that
day, and times are local unless they name a zone. It takes the course's repository: the package that students install
holds no problem script, and so no solution. The reasons stand in the problem scripts, below the answer they are about:

    # %% [markdown] why="find_head"
"""

import argparse
import re
import sys
from datetime import date, datetime, time
from pathlib import Path

import jupytext
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from course_utils.authoring.answers import solution
from course_utils.authoring.assignments import AssignmentError
from course_utils.authoring.lessons import METADATA, ROOT, give_stable_ids, write
from course_utils.quiz.bank import whole_bank
from course_utils.quiz.markdown import for_notebook
from course_utils.quiz.question import Question
from course_utils.quiz.words import explanation_text, question_body


def solution_notebook(name: str, root: Path = ROOT, own: Path | None = None) -> NotebookNode:
    """Return the notebook with the solution of an assignment, and why. Raises AssignmentError for an unknown name.

    ``own`` is the folder of questions that the quiz was built with (``--questions``), if there was one.
    """
    exercises = root / "exercises"
    scripts = {path.stem.replace("_", "-"): path for path in (exercises / "problems").glob("*.py")}
    titles = exercises / "quizzes.yaml"
    quizzes = yaml.safe_load(titles.read_text(encoding="utf-8")) if titles.is_file() else {}
    if name in scripts:
        cells = _problem_cells(scripts[name])
    elif name in quizzes:
        cells = _quiz_cells([question for question in whole_bank(root, own).values() if question.quiz == name])
        cells.insert(0, new_markdown_cell(f"# {quizzes[name]['title']}: the answers"))
    else:
        known = ", ".join(sorted([*scripts, *quizzes])) or "none; this takes the course's repository"
        raise AssignmentError(f"There is no assignment {name!r} in {exercises}. There is: {known}.")
    notebook = new_notebook(cells=cells, metadata=METADATA)
    give_stable_ids(notebook)
    return notebook


def _problem_cells(script: Path) -> list[NotebookNode]:
    """The released cells with the answers filled in, each followed by its reasons; hidden tests stay hidden."""
    cells = []
    for cell in jupytext.read(script, fmt="py:percent").cells:
        if "hint" in cell.metadata:
            continue
        if "answer" in cell.metadata:
            cell.source = solution(cell.source)
        elif "test" in cell.metadata:
            cell.source = re.sub(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS\n", "", cell.source, flags=re.DOTALL)
        elif "why" in cell.metadata:
            cell.source = f"**Why this way.** {cell.source}"
        cell.metadata = NotebookNode()
        cells.append(cell)
    note = (
        "**This copy holds a solution.** It is one of several: whatever passes the checks, those that you cannot see "
        "included, is as right. Compare it with yours, and read why it is written as it is."
    )
    cells.insert(1, new_markdown_cell(note))
    return cells


def _quiz_cells(questions: list[Question]) -> list[NotebookNode]:
    texts = []
    for number, question in enumerate(questions, start=1):
        texts += [f"## Question {number}\n\n{question_body(question)}", explanation_text(question)]
    return [new_markdown_cell(for_notebook(text)) for text in texts]


def deadline(text: str) -> datetime:
    """Return the moment that "2027-03-01" or "2027-03-01T12:00+01:00" means. Raises ValueError for anything else."""
    try:
        moment = datetime.combine(date.fromisoformat(text), time.max)
    except ValueError:
        moment = datetime.fromisoformat(text)
    return moment.astimezone()  # a moment without a zone is local


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the solution of one assignment; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.authoring.solutions",
        description="Write the solution of an assignment, with its reasons.",
    )
    parser.add_argument("assignment", help="its name, for example ps1-heads")
    parser.add_argument("--after", metavar="DATE", help="the deadline, for example 2027-03-01 or 2027-03-01T12:00")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="the folder to write it into")
    parser.add_argument(
        "--questions", metavar="DIR", type=Path, help="your own questions, if the quiz was built with them"
    )
    options = parser.parse_args(arguments)
    try:
        notebook = solution_notebook(options.assignment, root, options.questions)
        moment = deadline(options.after) if options.after else None
    except AssignmentError as error:
        return _refuse(str(error))
    except ValueError:
        return _refuse(f"{options.after!r} is no date. Write it as 2027-03-01 or 2027-03-01T12:00.")
    if moment is None:
        return _refuse("State the deadline, for example --after 2027-03-01.")
    if moment > datetime.now().astimezone():
        return _refuse(f"The deadline, {moment:%Y-%m-%d %H:%M}, has not passed.")
    if (root / "exercises" / "release").resolve() in [options.out.resolve(), *options.out.resolve().parents]:
        return _refuse("exercises/release/ is what students get before the deadline. Choose another folder.")
    path = options.out / f"{options.assignment}-solution.ipynb"
    options.out.mkdir(parents=True, exist_ok=True)
    write(notebook, path)
    print(path)
    return 0


def _refuse(reason: str) -> int:
    print(f"{reason} Nothing was written.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
