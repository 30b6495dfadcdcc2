"""One reading of Markdown: what an instructor writes looks alike in lessons, feedback, printed lines and exports."""

import html
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from small_questions import ONE, ORDER, RIGHT

from course_utils.grading import questions
from course_utils.quiz import notebook
from course_utils.quiz.export.command import export
from course_utils.quiz.judging import judge
from course_utils.quiz.markdown import code_html, for_notebook, inline_html, led_by, to_html, to_text
from course_utils.quiz.question import Question
from course_utils.quiz.widgets import QuestionBox
from course_utils.quiz.words import question_body

TABLE = "| model | size |\n|---|---:|\n| `vgg11` | *507* |\n| resnet18 | 45 |"
# Markdown as an instructor may write it, the HTML that it stands for, and how it is printed.
ODD = {
    "italic": ("so *very* **bold**", "<p>so <em>very</em> <strong>bold</strong></p>", "so very bold"),
    "stars that are none": ("2 * 3 * 4 and `**kwargs`", "<p>2 * 3 * 4 and <code>**kwargs</code></p>", None),
    "link": ("[the docs](https://x.org/a?b=1&c=2)", '<p><a href="https://x.org/a?b=1&amp;c=2">the docs</a></p>',
             "the docs (https://x.org/a?b=1&c=2)"),
    "link with a title": ('[a](https://x.org "t")', '<p><a href="https://x.org">a</a></p>', "a (https://x.org)"),
    "address": ("<https://x.org>", '<p><a href="https://x.org">https://x.org</a></p>', "https://x.org"),
    "link to a script": ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>", "[a](javascript:alert(1))"),
    "list": ("Both:\n\n- one\n- `two`", "<p>Both:</p><ul><li>one</li><li><code>two</code></li></ul>",
             "Both:\n\n- one\n- `two`"),
    "only a list": ("3. three\n4. four", '<ol start="3"><li>three</li><li>four</li></ol>', "3. three\n4. four"),
    "list in a list": ("- a\n  - b\n- c", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
    "table": (TABLE, "<table><thead><tr><th>model</th><th>size</th></tr></thead><tbody><tr><td><code>vgg11</code></td>"
              "<td><em>507</em></td></tr><tr><td>resnet18</td><td>45</td></tr></tbody></table>",
              "model     size\n--------  ----\n`vgg11`   507\nresnet18  45"),
    "code block": ("Run:\n\n```python\nif a < b:\n    c = '*x*'\n```",
                   "<p>Run:</p><pre>if a &lt; b:<br/>    c = '*x*'</pre>", "Run:\n\n    if a < b:\n        c = '*x*'"),
    "indented code": ("Run:\n\n    x <b> y", "<p>Run:</p><pre>x &lt;b&gt; y</pre>", "Run:\n\n    x <b> y"),
    "raw html": ("a <b>x</b> <script>alert(1)</script>",
                 "<p>a &lt;b&gt;x&lt;/b&gt; &lt;script&gt;alert(1)&lt;/script&gt;</p>",
                 "a <b>x</b> <script>alert(1)</script>"),
    "block of html": ("<div onclick='x'>\n*a*\n</div>", "<p>&lt;div onclick='x'&gt; <em>a</em> &lt;/div&gt;</p>",
                      "<div onclick='x'> a </div>"),
    "a tag in code": ("`<b>` and ``a ` <b>``", "<p><code>&lt;b&gt;</code> and <code>a ` &lt;b&gt;</code></p>", None),
    "smaller and larger": ("1 < 2 > 0 & x<y", "<p>1 &lt; 2 &gt; 0 &amp; x&lt;y</p>", "1 < 2 > 0 & x<y"),
    "quote": ("> said\n> so", "<blockquote><p>said so</p></blockquote>", "> said so"),
    "two paragraphs": ("one\nline\n\ntwo", "<p>one line</p><p>two</p>", "one line\n\ntwo"),
    "heading": ("### Big", "<h3>Big</h3>", "Big"),
    "nothing": ("", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_markdown_becomes_html_and_text(name):
    markdown, expected, printed = ODD[name]
    assert html.unescape(to_html(markdown)) == html.unescape(expected)
    assert to_text(markdown) == (markdown if printed is None else printed)
    ElementTree.fromstring(f"<div>{to_html(markdown)}</div>")  # it is XML as well, for QTI


@pytest.mark.parametrize("name", ODD)
def test_jupyter_shows_the_same_though_it_allows_html(name):
    markdown = ODD[name][0]
    jupyter = MarkdownIt("commonmark", {"html": True}).enable("table")  # lets tags through, as Jupyter does
    assert bare(jupyter.render(for_notebook(markdown))) == bare(to_html(markdown))


def bare(page: str) -> str:
    """HTML without what two renderers may do differently: line ends, attributes, the form of escapes."""
    page = re.sub(r"<(\w+)[^>]*>", r"<\1>", page.replace("<br/>", "\n"))
    page = re.sub(r"</?code>", "", page)
    return re.sub(r"\s+", "", html.unescape(page))


def in_all_texts(markdown: str, question: Question = ONE) -> Question:
    """A question whose every text is this Markdown."""
    options = tuple(
        replace(option, feedback=f"{markdown}\n\n{place}", code="", text=f"{place} {markdown}")
        for place, option in enumerate(question.options)
    )
    return replace(question, prompt=markdown, explanation=markdown, hint=markdown, options=options)


@pytest.mark.parametrize("question", [ONE, ORDER], ids=lambda question: question.kind)
@pytest.mark.parametrize("name", [name for name in ODD if ODD[name][0]])
def test_the_same_markdown_through_all_doors(name, question, monkeypatch, capsys):
    markdown = ODD[name][0]
    shown, printed = to_html(markdown), to_text(markdown)
    asked = in_all_texts(markdown, question)
    assert shown in to_html(question_body(asked))  # the cell of a quiz, the question of a lesson

    monkeypatch.setattr(notebook, "_bank", lambda: {asked.id: asked})
    notebook.ask(asked.id)
    notebook.hint(asked.id)
    notebook.explain(asked.id)
    assert squeezed(capsys.readouterr().out).count(squeezed(printed)) >= 3

    if question is ONE:
        assert squeezed(printed) in squeezed(questions.answer_is_right(RIGHT, questions.seal(asked)))  # graded feedback
        assert shown in to_html(judge(asked, RIGHT).text)

    gift = html.unescape(re.sub(r"\\([~=#:{}])", r"\1", export([asked], "gift", "All").decode("utf-8")))
    assert gift.count(html.unescape(shown)) >= 3
    moodle = [element.text for element in ElementTree.fromstring(export([asked], "moodle-xml", "All")).iter("text")]
    assert sum(shown in (text or "") for text in moodle) >= 3


@pytest.mark.parametrize("name", [name for name in ODD if ODD[name][0]])
def test_the_same_markdown_in_qti(name):
    import io
    import zipfile

    asked = in_all_texts(ODD[name][0])
    with zipfile.ZipFile(io.BytesIO(export([asked], "qti", "All"))) as package:
        item = package.read(f"items/{asked.id}.xml").decode("utf-8")
    whole = ElementTree.tostring(ElementTree.fromstring(f"<div>{to_html(ODD[name][0])}</div>"), encoding="unicode")
    assert item.count(whole.removeprefix("<div>").removesuffix("</div>")) >= 3


@pytest.mark.parametrize("name", [name for name in ODD if ODD[name][0]])
def test_the_same_markdown_under_buttons(name):
    asked = in_all_texts(ODD[name][0])
    box = QuestionBox(asked)
    box.hint_button.click()
    box.rows[RIGHT].control.click()
    box.explain_button.click()
    for said in (box.hint, box.verdict, box.explanation):
        assert to_html(ODD[name][0]).removeprefix("<p>") in said.value


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_words_lead_a_paragraph_in_its_line_and_stand_above_a_list():
    assert led_by("Hint:", "so") == "Hint: so"
    assert led_by("Hint:", "- a\n- b") == "Hint:\n\n- a\n- b"
    assert led_by("Hint:", "") == "Hint:"


def test_a_paragraph_fits_into_a_line_and_a_list_stays_a_block():
    assert inline_html("a **b**") == "a <strong>b</strong>"
    assert inline_html("- a") == "<ul><li>a</li></ul>"
    assert inline_html("a\n\nb") == "<p>a</p><p>b</p>"


def test_code_keeps_its_lines_and_its_indentation():
    assert code_html("if a < b:\n\tc\n\n    d") == "<pre>if a &lt; b:<br/>    c<br/><br/>    d</pre>"
    assert code_html("a\nb", numbered=True) == "<pre> 1  a<br/> 2  b</pre>"


def test_printed_lines_are_wrapped_and_code_is_not():
    text = to_text("- " + "word " * 40 + "\n\n```\n" + "x" * 200 + "\n```", width=50)
    assert all(len(line) <= 50 for line in text.splitlines() if "x" not in line)
    assert " " * 4 + "x" * 200 in text
