"""Exports of the question bank, read back by programs that are not ours: a GIFT parser and a QTI converter."""

import html
import io
import re
import sys
import types
import zipfile
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from course_utils.__main__ import main
from course_utils.quiz.bank import whole_bank
from course_utils.quiz.export.command import FORMATS, chosen, export
from course_utils.quiz.export.gift import escaped, gift, shares
from course_utils.quiz.export.markup import number, option_html, reasons, shown, stem
from course_utils.quiz.export.moodle_xml import moodle_xml
from course_utils.quiz.export.qti import identifier, item, qti_package
from course_utils.quiz.markdown import to_html
from course_utils.quiz.question import POINTS, Option, Question

BANK = whole_bank()
QUESTIONS = chosen(BANK)
NASTY = "a~b = {c: d} # e \\n </code> & ::x:: -> %50% // 'q' \"q\""
HARD = Question(
    id="2-nasty",
    lesson="own questions",
    kind="one",
    difficulty="hard",
    covers=(),
    prompt=f"What is `{NASTY}`?\n\nTwo **bold** words, 3 * 4 * 5, and *one* in italics.",
    code='def f(x: dict = {"a": 1}) -> str:\n    return "~\\n" if x else "#"\n\n# = end',
    options=(
        Option(text=f"Prose {NASTY}", feedback=f"No: {NASTY}"),
        Option(code=NASTY, right=True, feedback="Yes = yes, {really}."),
        Option(code="if x:\n    y = {1: 2}", feedback="Two ~ lines."),
    ),
    hint=NASTY,
    explanation=f"Because {NASTY}.",
)


@pytest.fixture
def read_gift(monkeypatch):
    pytest.importorskip("yattag", reason="pygiftparser (extra `test`) is not installed")
    # The parser shows Markdown with an old release of `markdown` that newer Pythons refuse; reading does without.
    monkeypatch.setitem(sys.modules, "markdown", types.ModuleType("markdown"))
    parser = pytest.importorskip("pygiftparser.parser")

    def read(content: bytes):
        return parser.parseFile(io.StringIO(content.decode("utf-8")))

    return read


def unescaped(gift_text: str) -> str:
    """What Moodle shows: backslashes in front of special characters gone, and the HTML's own escapes read."""
    return re.sub(r"\\([~=#:{}])", r"\1", gift_text)


def same(gift_text: str, expected: str) -> bool:
    return html.unescape(unescaped(gift_text)) == html.unescape(expected)


# GIFT


def test_a_gift_parser_reads_every_question_as_it_is_meant(read_gift):
    found = read_gift(gift(QUESTIONS))
    assert [question.title for question in found] == [question.id for question in QUESTIONS]
    assert all(question.valid and question.markup == "html" for question in found)
    kinds = {"one": "SelectSet", "line": "SelectSet", "several": "MultipleChoicesSet", "order": "MatchingSet"}
    for read, question in zip(found, QUESTIONS, strict=True):
        assert type(read.answers).__name__ == kinds.get(question.kind, "NumericAnswerSet"), question.id
        assert same(read.text, stem(question)), question.id
        general = to_html(question.explanation) + (reasons(question) if question.kind == "order" else "")
        assert same(read.generalFeedback, general), question.id
        assert read.cat == question.lesson


def test_a_gift_parser_reads_every_option_with_its_feedback(read_gift):
    questions = [question for question in [*QUESTIONS, HARD] if question.kind in ("one", "line", "several")]
    for read, question in zip(read_gift(gift(questions)), questions, strict=True):
        options = shown(question)
        assert len(read.answers.answers) == len(options), question.id
        for answer, option in zip(read.answers.answers, options, strict=True):
            assert same(answer.answer, option_html(question, option)), question.id
            assert same(answer.feedback, to_html(option.feedback)), question.id
            assert (answer.fraction > 0) == option.right, question.id


def test_a_gift_parser_reads_every_number_with_its_tolerance(read_gift):
    questions = [question for question in QUESTIONS if question.kind == "number"]
    for read, question in zip(read_gift(gift(questions)), questions, strict=True):
        right, *others = read.answers.answers
        assert (right.value, right.tolerance, right.fraction) == (question.answer, question.tolerance, 100)
        assert [other.value for other in others] == [option.value for option in question.options]
        assert all(other.fraction == 0 and other.feedback for other in others)


def test_a_gift_parser_reads_the_place_of_every_step(read_gift):
    questions = [question for question in QUESTIONS if question.kind == "order"]
    for read, question in zip(read_gift(gift(questions)), questions, strict=True):
        steps = sorted(read.answers.answers, key=lambda pair: int(pair.answer))
        assert [int(pair.answer) for pair in steps] == list(range(1, len(question.options) + 1))
        for pair, option in zip(steps, question.options, strict=True):
            assert same(pair.question.strip().removeprefix("="), option_html(question, option))


def test_special_characters_survive_in_gift(read_gift):
    (read,) = read_gift(gift([HARD]))
    assert same(read.text, stem(HARD))
    assert same(read.generalFeedback, to_html(HARD.explanation))
    assert len(read.answers.answers) == 3


@pytest.mark.parametrize(
    ("html_text", "expected"),
    [
        ("a ~ b", "a \\~ b"),
        ("x = 1", "x \\= 1"),
        ("# note", "\\# note"),
        ("https://", "https\\://"),
        ("{1}", "&\\#123;1&\\#125;"),
        ("\\n", "&\\#92;n"),
        ("a\nb", "a b"),
    ],
)
def test_each_special_character_of_gift_is_escaped(html_text, expected):
    assert escaped(html_text) == expected


def test_a_gift_question_has_no_empty_line_and_no_line_that_reads_as_a_comment():
    for block in gift([*QUESTIONS, HARD]).decode("utf-8").split("\n\n"):
        lines = block.strip().splitlines()
        assert all(line.strip() for line in lines)
        assert not [line for line in lines[1:] if line.startswith(("//", "$"))]


# Moodle XML


def test_moodle_xml_holds_every_question_with_points_hint_and_feedback():
    root = ElementTree.fromstring(moodle_xml([*QUESTIONS, HARD]))
    found = [element for element in root if element.get("type") != "category"]
    assert len(found) == len(QUESTIONS) + 1
    for element, question in zip(found, [*QUESTIONS, HARD], strict=True):
        assert element.findtext("idnumber") == question.id
        assert element.findtext("questiontext/text") == stem(question)
        assert float(element.findtext("defaultgrade")) == POINTS[question.difficulty]
        assert element.findtext("hint/text") == to_html(question.hint)
        if question.kind in ("one", "several", "line"):
            feedback = [answer.findtext("feedback/text") for answer in element.iter("answer")]
            assert feedback == [to_html(option.feedback) for option in shown(question)]


def test_moodle_xml_gives_full_marks_to_the_right_answer_and_none_for_ticking_everything():
    for element in ElementTree.fromstring(moodle_xml(QUESTIONS)):
        fractions = [float(answer.get("fraction")) for answer in element.findall("answer")]
        if element.get("type") == "multichoice":
            assert sum(fraction for fraction in fractions if fraction > 0) == pytest.approx(100, abs=0.01)
            if element.findtext("single") == "false":
                assert sum(fractions) == pytest.approx(0, abs=0.01)
        if element.get("type") == "numerical":
            assert fractions[0] == 100 and set(fractions[1:]) <= {0}


def test_shares_are_grades_that_moodle_knows():
    known = {f"{100 / parts:.5f}" for parts in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)}
    for question in QUESTIONS:
        if question.kind == "several":
            assert {share.removeprefix("-") for share in shares(question).values()} <= known


# QTI


@pytest.fixture(scope="module")
def upgraded() -> dict[str, ElementTree.Element]:
    """Every XML file of the package after Citolab's converter has read it as QTI 2.1 and written it as QTI 3."""
    convert = pytest.importorskip("qti_convert", reason="citolab-qti-convert (extra `test`) is not installed")
    files = convert.upgrade_package(qti_package([*QUESTIONS, HARD], "All")).files
    return {name: ElementTree.fromstring(content) for name, content in files.items()}


def local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def named(root: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if local(element) == tag]


def test_a_qti_reader_finds_every_question_through_the_manifest_and_the_test(upgraded):
    resources = named(upgraded["imsmanifest.xml"], "resource")
    assert Counter(resource.get("type") for resource in resources) == {
        "imsqti_test_xmlv3p0": 1,
        "imsqti_item_xmlv3p0": len(QUESTIONS) + 1,
    }
    assert {resource.get("href") for resource in resources} | {"imsmanifest.xml"} == upgraded.keys()
    asked = [reference.get("href") for reference in named(upgraded["test.xml"], "qti-assessment-item-ref")]
    assert asked == [f"items/{question.id}.xml" for question in [*QUESTIONS, HARD]]
    ids = {resource.get("identifier") for resource in resources}
    assert {dependency.get("identifierref") for dependency in named(upgraded["imsmanifest.xml"], "dependency")} <= ids


def test_a_qti_reader_finds_the_right_answer_the_points_and_all_feedback(upgraded):
    interactions = {
        "one": "qti-choice-interaction",
        "several": "qti-choice-interaction",
        "line": "qti-choice-interaction",
        "number": "qti-text-entry-interaction",
        "order": "qti-order-interaction",
    }
    for question in [*QUESTIONS, HARD]:
        root = upgraded[f"items/{question.id}.xml"]
        assert len(named(root, interactions[question.kind])) == 1, question.id
        (correct,) = named(root, "qti-correct-response")
        values = [value.text for value in correct]
        if question.kind == "number":
            assert [float(value) for value in values] == [question.answer]
        else:
            names = [f"option-{place}" for place, option in enumerate(question.options, 1) if option.right]
            everything = [f"option-{place}" for place in range(1, len(question.options) + 1)]
            assert values == (everything if question.kind == "order" else names)
            assert {choice.get("identifier") for choice in named(root, "qti-simple-choice")} == set(everything)
        score = next(e for e in named(root, "qti-outcome-declaration") if e.get("identifier") == "SCORE")
        assert float(score.get("normal-maximum")) == POINTS[question.difficulty]
        said = text_of(named(root, "qti-modal-feedback"))
        for text in [question.explanation, question.hint, *(option.feedback for option in question.options)]:
            assert plain(to_html(text)) in said, question.id


def text_of(elements: list[ElementTree.Element]) -> str:
    return "".join("".join("".join(element.itertext()).split()) for element in elements)


def plain(html_text: str) -> str:
    return "".join(html.unescape(re.sub(r"<[^>]+>", "", html_text)).split())


def test_a_qti_reader_keeps_code_to_the_letter(upgraded):
    for question in [*QUESTIONS, HARD]:
        if not question.code or question.kind == "line":
            continue
        code = named(upgraded[f"items/{question.id}.xml"], "pre")[0]
        lines = [code.text or "", *((br.tail or "") for br in code)]
        assert lines == question.code.splitlines(), question.id


def test_each_result_that_qti_feedback_waits_for_can_be_reached():
    """Feedback whose name no answer sets would never be shown."""
    for question in QUESTIONS:
        root = ElementTree.fromstring(item(question))
        declared = {element.get("identifier") for element in named(root, "outcomeDeclaration")}
        set_to = {element.text for element in named(root, "baseValue")}
        chosen_by_hand = {element.get("identifier") for element in named(root, "simpleChoice")}
        for feedback in named(root, "modalFeedback"):
            assert feedback.get("outcomeIdentifier") in declared
            reachable = chosen_by_hand if feedback.get("outcomeIdentifier") == "CHOSEN" else {"right", "wrong"}
            if question.kind == "number":
                reachable = set_to
            assert feedback.get("identifier") in reachable, question.id


def test_qti_identifiers_are_xml_names():
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", identifier(question)) for question in [*QUESTIONS, HARD])


def test_a_qti_item_has_its_parts_in_the_order_of_the_schema():
    order = ["responseDeclaration", "outcomeDeclaration", "itemBody", "responseProcessing", "modalFeedback"]
    for question in QUESTIONS:
        parts = [order.index(local(element)) for element in ElementTree.fromstring(item(question))]
        assert parts == sorted(parts) and set(parts) == set(range(5)), question.id


# Numbers


@pytest.mark.parametrize(
    ("value", "expected"), [(384.0, "384"), (0.3133, "0.3133"), (-2.5, "-2.5"), (1e-6, "0.000001"), (-0.0, "0")]
)
def test_a_number_is_written_without_an_exponent(value, expected):
    assert number(value) == expected


# The command


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_questions_give_the_same_bytes(format):
    assert export(QUESTIONS, format, "All") == export(chosen(whole_bank()), format, "All")


def test_a_file_in_the_package_has_no_date():
    with zipfile.ZipFile(io.BytesIO(qti_package([HARD], "One"))) as package:
        assert {info.date_time for info in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert package.namelist() == ["imsmanifest.xml", "test.xml", "items/2-nasty.xml"]


def test_a_quiz_or_a_lesson_can_be_chosen():
    assert {question.quiz for question in chosen(BANK, quiz="quiz-2")} == {"quiz-2"}
    assert {question.lesson for question in chosen(BANK, lesson="03")} == {"03_inference"}
    assert {question.lesson for question in chosen(BANK, lesson="03_inference")} == {"03_inference"}
    both = chosen(BANK, lesson="03", quiz="quiz-2")
    assert {(question.lesson, question.quiz) for question in both} == {("03_inference", "quiz-2")}


@pytest.mark.parametrize("format", FORMATS)
def test_the_command_writes_a_file_and_says_how_much(format, tmp_path, capsys):
    out = tmp_path / "questions"
    assert main(["export-questions", "--format", format, "--quiz", "quiz-3", "--out", str(out)]) == 0
    assert out.stat().st_size > 1000
    assert capsys.readouterr().out == f"{len(chosen(BANK, quiz='quiz-3'))} questions written to {out}\n"


def test_own_questions_are_exported_as_well(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    text = (
        "- id: two-and-two\n  covers: []\n  difficulty: easy\n  kind: number\n  prompt: How much is 2 + 2?\n"
        "  answer: 4\n  options: []\n  hint: Count.\n  explanation: It is four.\n  proof: assert answer == 4\n"
    )
    (own / "sums.yaml").write_text(text, encoding="utf-8")
    arguments = ["--format", "gift", "--lesson", "sums", "--questions", str(own), "--out", str(tmp_path / "sums.txt")]
    assert main(["export-questions", *arguments]) == 0
    assert "::two-and-two::[html]<p>How much is 2 + 2?</p>{#" in (tmp_path / "sums.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quiz", "quiz-99"], "No question fits"),
        (["--lesson", "77"], "The lessons are 00_start_here"),
        (["--questions", "nowhere"], "There is no folder nowhere"),
    ],
)
def test_what_cannot_be_exported_is_told_and_writes_nothing(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export-questions", "--format", "gift", "--out", "file.txt", *arguments]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "file.txt").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["export-questions", "--format", "gift", "--out", str(tmp_path / "no" / "file.txt")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


def test_an_unknown_format_is_an_error():
    with pytest.raises(ValueError, match="no format 'docx'"):
        export([replace(HARD)], "docx", "One")
