"""The site's pages: every lesson and practice question is there, figures speak, and no graded answer is given away."""

import html
import json
import re

import nbformat
import pytest

from course_utils.authoring.site import main, refuse_graded_keys, refuse_what_is_missing
from course_utils.authoring.site_pages import SiteError, form, practice_questions, put_forms_in, record
from course_utils.files import ROOT
from course_utils.quiz.bank import whole_bank
from course_utils.quiz.question import Option, Question

GRADED = Question(
    id="secret",
    lesson="03_inference",
    kind="one",
    difficulty="easy",
    covers=(),
    prompt="Which one?",
    options=(
        Option("Wrong, since `a < b` makes that fail at once.", text="this", right=False),
        Option('Right, because the other one is "not" there.', text="that", right=True),
    ),
    hint="Think of it.",
    explanation="It's that one: x > y & nothing else holds\nthroughout the lesson.",
    quiz="quiz-1",
)


@pytest.fixture(scope="session")
def lessons() -> list[str]:
    return [path.stem for path in sorted((ROOT / "docs" / "lessons").glob("*.ipynb"))]


def test_every_lesson_is_a_page_with_its_title_and_number(pages, lessons):
    assert len(lessons) >= 11
    for lesson in lessons:
        first_cell = nbformat.read(ROOT / "docs" / "lessons" / f"{lesson}.ipynb", as_version=4).cells[0].source
        title = first_cell.splitlines()[0].removeprefix("# ").replace("`", "")
        page = (pages / "lessons" / f"{lesson}.html").read_text(encoding="utf-8")
        heading = html.unescape(re.sub("<[^>]+>", "", re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1]))
        assert heading.removesuffix("¶").removesuffix("#") == f"{lesson[:2]} {title}"


def test_every_practice_question_stands_on_the_page_of_its_lesson(pages):
    questions = practice_questions()
    assert questions
    for question in questions.values():
        page = (pages / "practice" / f"{question.lesson}.html").read_text(encoding="utf-8")
        assert page.count(f'<form class="question" id="{question.id}"') == 1


def test_every_question_that_a_lesson_asks_is_a_form_there(pages, lessons):
    for lesson in lessons:
        notebook = nbformat.read(ROOT / "docs" / "lessons" / f"{lesson}.ipynb", as_version=4)
        asked = [match[1] for cell in notebook.cells if (match := re.fullmatch(r'ask\("(.+)"\)', cell.source.strip()))]
        page = (pages / "lessons" / f"{lesson}.html").read_text(encoding="utf-8")
        assert re.findall(r'<form class="question" id="([^"]+)"', page) == asked


def test_a_lesson_that_asks_a_graded_question_is_refused():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('ask("secret")')])
    with pytest.raises(SiteError, match="'secret'"):
        put_forms_in(notebook, {})


def test_every_figure_says_what_the_notebook_says_of_it(pages, lessons):
    for lesson in lessons:
        notebook = nbformat.read(ROOT / "docs" / "lessons" / f"{lesson}.ipynb", as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        shown = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
        wanted = [html.unescape(alt) for alt in re.findall(r'<img src="data:[^"]+" alt="([^"]*)"', shown)]
        page = (pages / "lessons" / f"{lesson}.html").read_text(encoding="utf-8")
        found = [html.unescape(alt) for alt in re.findall(r'<img src="data:[^"]+" alt="([^"]*)"', page)]
        assert [" ".join(alt.split()) for alt in found] == [" ".join(alt.split()) for alt in wanted]


def test_no_picture_of_any_page_is_without_a_text(pages):
    for page in pages.rglob("*.html"):
        for tag in re.findall(r"<img\b[^>]*>", page.read_text(encoding="utf-8")):
            assert re.search(r'alt="[^"]{3,}"', tag), f"{page.name}: {tag}"


def test_no_page_asks_another_host_for_anything(pages):
    for page in pages.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe|source|video)\b[^>]*src="(?:https?:)?//[^"]*"', text), page
        assert not re.findall(r'<link\b(?=[^>]*rel="stylesheet")[^>]*href="(?:https?:)?//[^"]*"', text), page


def test_no_file_of_the_site_holds_the_answer_to_a_graded_question(pages):
    graded = [question for question in whole_bank().values() if question.quiz]
    assert graded
    ids, texts = {question.id for question in graded}, {question.explanation for question in graded}
    for file in pages.rglob("*"):
        if file.suffix in {".html", ".js", ".json", ".txt"}:
            text = file.read_text(encoding="utf-8")
            assert not [each for each in ids if f'"id": "{each}"' in text]
            assert not [each for each in texts if each in html.unescape(text)]


@pytest.mark.parametrize(
    "written",
    [
        GRADED.explanation,
        html.escape(GRADED.explanation),
        json.dumps(GRADED.explanation),
        json.dumps(GRADED.options[1].feedback, ensure_ascii=False).replace('"', "&quot;"),
        form(GRADED),
        f"<p>{html.escape(GRADED.options[0].feedback).replace('`a &lt; b`', '<code>a &lt; b</code>')}</p>",
    ],
    ids=["plain", "html", "json", "json in html", "a form", "markdown"],
)
def test_a_graded_answer_is_found_however_it_is_written(tmp_path, written):
    (tmp_path / "page.html").write_text(f"<p>before</p>{written}<p>after</p>", encoding="utf-8")
    with pytest.raises(SiteError, match=r"page\.html gives away the graded question 'secret'"):
        refuse_graded_keys(tmp_path, [GRADED])


def test_a_site_without_graded_answers_is_accepted(tmp_path):
    (tmp_path / "page.html").write_text("<p>Which one? Think of it.</p>", encoding="utf-8")
    refuse_graded_keys(tmp_path, [GRADED])


def test_a_record_cannot_end_the_script_that_it_stands_in():
    question = next(iter(practice_questions().values()))
    tricky = Question(**{**vars(question), "hint": "</script><b>"})
    markup = form(tricky)
    inside = re.search(r'<script type="application/json">(.*)</script>', markup, re.DOTALL)[1]
    assert "<" not in inside
    assert json.loads(inside) == record(tricky)


def test_a_package_that_is_missing_is_named():
    with pytest.raises(SiteError, match="needs no_such_package: pip install"):
        refuse_what_is_missing(["json", "no_such_package"])


def test_away_from_the_repository_the_site_is_refused_in_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("course_utils.authoring.site.PAGES", tmp_path / "nowhere")
    assert main(["--out", str(tmp_path / "site")]) == 1
    assert capsys.readouterr().err == (
        "The site is built from the course's repository: clone it, and run this command there.\n"
    )
