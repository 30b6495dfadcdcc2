"""The sources of the site's pages: lessons with their outputs, and practice questions as forms.

A question becomes a form that reads well without JavaScript, and a JSON record in it that ``judging.js`` judges
answers with. Questions of graded quizzes never come here.
"""

import html
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from course_utils.errors import CourseError
from course_utils.files import ROOT, write_text
from course_utils.quiz.bank import load_bank
from course_utils.quiz.judging import FORM
from course_utils.quiz.markdown import inline_html, to_html
from course_utils.quiz.question import Question, answer_key, lettered
from course_utils.quiz.words import TASK, explanation_text, hint_text, option_text

PAGES = ROOT / "docs" / "site"


class SiteError(CourseError, RuntimeError):
    """The site cannot be built, or must not be published; the message says why."""


def practice_questions() -> dict[str, Question]:
    """Return the questions of the bank that belong to no graded quiz, by id."""
    return {id: question for id, question in load_bank().items() if not question.quiz}


def write_sources(folder: Path) -> None:
    """Fill ``folder`` with all that Sphinx reads: settings, pages, lessons, and a page of questions for each lesson."""
    shutil.copytree(
        PAGES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("package*.json", "node_modules", "practice.md")
    )
    questions = practice_questions()
    (folder / "lessons").mkdir()
    titles = {}
    for path in sorted((ROOT / "docs" / "lessons").glob("[0-9][0-9]_*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        titles[path.stem] = number_title(notebook, path.stem[:2])
        put_forms_in(notebook, questions)
        nbformat.write(notebook, folder / "lessons" / path.name)
    (folder / "practice").mkdir()
    start = (PAGES / "practice.md").read_text(encoding="utf-8")
    write_text(folder / "practice" / "index.md", start.replace('<p class="tally"></p>', tally(questions)))
    for lesson in sorted({question.lesson for question in questions.values()}):
        own = [question for question in questions.values() if question.lesson == lesson]
        write_text(folder / "practice" / f"{lesson}.md", practice_page(lesson, titles[lesson], own))


def number_title(notebook: NotebookNode, number: str) -> str:
    """Put the lesson's number before the title in its first cell, in place; return the title."""
    title, *rest = notebook.cells[0].source.split("\n", 1)
    title = f"{number} {title.removeprefix('# ')}"
    notebook.cells[0].source = "\n".join([f"# {title}", *rest])
    return title


def practice_page(lesson: str, title: str, questions: list[Question]) -> str:
    """Return the Markdown of a page with all questions of a lesson, such as ``03_inference``."""
    counted = tally(question.id for question in questions)
    parts = [f"# {title}", f"The lesson: [{title}](../lessons/{lesson}.ipynb).", counted]
    for number, question in enumerate(questions, start=1):
        parts += [f"## Question {number}", raw(form(question))]
    return "\n\n".join(parts) + "\n"


def tally(ids: Iterable[str]) -> str:
    """Return the line in which ``practice.js`` says how many of these questions were answered right."""
    return f'<p class="tally" data-tally="{" ".join(ids)}"></p>'


def raw(markup: str) -> str:
    """HTML as it may stand in MyST Markdown, blank lines included."""
    return f"````{{raw}} html\n{markup}\n````"


def put_forms_in(notebook: NotebookNode, questions: dict[str, Question]) -> None:
    """Replace the stored output of each ``ask("...")`` cell by a form that can be answered, in place."""
    for cell in notebook.cells:
        asked = re.fullmatch(r'ask\("([a-z0-9-]+)"\)', cell.source.strip())
        if cell.cell_type != "code" or not asked:
            continue
        if asked[1] not in questions:
            raise SiteError(f"A lesson asks {asked[1]!r}, which is no practice question of the bank.")
        cell.outputs = [new_output("display_data", {"text/html": form(questions[asked[1]])})]


def record(question: Question) -> dict:
    """Return what ``judging.js`` needs of a question; its texts are HTML."""
    letters = {option: letter for letter, option in lettered(question)}
    return {
        "id": question.id,
        "kind": question.kind,
        "form": FORM[question.kind],
        "hint": to_html(question.hint),
        "helped": to_html(hint_text(question)),
        "explanation": to_html(question.explanation),
        "explained": to_html(explanation_text(question)),
        "answer": question.answer,
        "tolerance": question.tolerance,
        "key": answer_key(question) if question.kind == "order" else None,
        "options": [
            {
                "letter": letters.get(option),
                "value": option.value,
                "line": option.line,
                "right": option.right,
                "feedback": to_html(option.feedback),
            }
            for option in question.options
        ],
    }


def form(question: Question) -> str:
    """Lay out a question as an HTML form: prompt, code, the ways to answer, and where the reply appears."""
    unit = f" ({html.escape(question.unit)})" if question.unit else ""
    task = TASK[question.kind].rstrip(".") + unit + "."
    data = json.dumps(record(question), ensure_ascii=False).replace("<", "\\u003c")  # no </script> inside a script
    code = python(question.code) if question.code and question.kind != "line" else ""
    return (
        f'<form class="question" id="{question.id}" aria-label="Question {question.id}">\n'
        f"<p><strong>Check yourself</strong> ({question.difficulty}).</p>\n"
        f"{to_html(question.prompt)}\n{code}"
        f"<fieldset><legend>{task}</legend>\n{_ANSWERS[question.kind](question)}</fieldset>\n"
        '<p class="actions"><button type="submit" hidden>Check</button> '
        '<button type="button" data-action="hint" hidden>Hint</button> '
        '<button type="button" data-action="explain" hidden>Explain</button></p>\n'
        '<div role="status" aria-live="polite"></div>\n'
        f'<script type="application/json">{data}</script>\n'
        "</form>"
    )


def python(code: str) -> str:
    """Python as highlighted HTML, in the classes that Sphinx's own style sheet knows."""
    return highlight(code, PythonLexer(), HtmlFormatter(cssclass="highlight"))


def _choices(question: Question, kind: str) -> str:
    return "".join(
        f'<label class="choice"><input type="{kind}" name="answer" value="{letter}"> <strong>{letter}.</strong> '
        f"<span>{inline_html(option_text(option))}</span></label>\n"
        for letter, option in lettered(question)
    )


def _one(question: Question) -> str:
    return _choices(question, "radio")


def _several(question: Question) -> str:
    return _choices(question, "checkbox")


def _number(question: Question) -> str:
    label = f"Number ({html.escape(question.unit)})" if question.unit else "Number"
    return f'<label>{label} <input type="text" name="answer" inputmode="decimal" autocomplete="off"></label>\n'


def _order(question: Question) -> str:
    steps = lettered(question)
    listed = "".join(
        f'<div class="choice"><strong>{letter}.</strong> <span>{inline_html(option_text(option))}</span></div>\n'
        for letter, option in steps
    )
    letters = "".join(f"<option>{letter}</option>" for letter, _ in steps)
    places = "".join(
        f'<label>Step {place} <select name="answer"><option value="">–</option>{letters}</select></label>\n'
        for place in range(1, len(steps) + 1)
    )
    return f'{listed}<div class="places">{places}</div>'


def _line(question: Question) -> str:
    lines = question.code.splitlines()
    can_be_chosen = {option.line for option in question.options}
    return "".join(
        f'<label class="choice line"><input type="radio" name="answer" value="{number}"> <span>{number}</span> '
        f"<code>{html.escape(line)}</code></label>\n"
        for number, line in enumerate(lines, start=1)
        if number in can_be_chosen
    )


_ANSWERS = {"one": _one, "several": _several, "number": _number, "order": _order, "line": _line}
