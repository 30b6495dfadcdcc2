"""Moodle XML: https://docs.moodle.org/en/Moodle_XML_format

As in GIFT, an order becomes a matching question and a line with a bug a choice among lines. Points, hints and the
question's id, by which Moodle recognises it again, are carried here.
"""

from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from course_utils.quiz.export.gift import shares
from course_utils.quiz.export.markup import number, option_html, reasons, shown, stem
from course_utils.quiz.markdown import to_html
from course_utils.quiz.question import POINTS, Option, Question, given


def moodle_xml(questions: list[Question]) -> bytes:
    """The questions as one Moodle XML file, a category for each lesson."""
    quiz = Element("quiz")
    for lesson, of_lesson in groupby(questions, key=lambda question: question.lesson):
        category = SubElement(quiz, "question", type="category")
        _text(category, "category", f"$course$/{lesson}")
        for question in of_lesson:
            _question(quiz, question)
    indent(quiz, " ")
    return tostring(quiz, encoding="utf-8", xml_declaration=True) + b"\n"


def _text(parent: Element, tag: str, text: str, **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    SubElement(element, "text").text = text
    return element


def _question(quiz: Element, question: Question) -> None:
    kind = {"number": "numerical", "order": "matching"}.get(question.kind, "multichoice")
    element = SubElement(quiz, "question", type=kind)
    _text(element, "name", question.id)
    _text(element, "questiontext", stem(question), format="html")
    general = to_html(question.explanation) + (reasons(question) if kind == "matching" else "")
    _text(element, "generalfeedback", general, format="html")
    SubElement(element, "defaultgrade").text = str(POINTS[question.difficulty])
    SubElement(element, "penalty").text = "0.3333333"  # of the points, for a second try after the hint
    SubElement(element, "hidden").text = "0"
    SubElement(element, "idnumber").text = question.id
    if kind == "multichoice":
        SubElement(element, "single").text = "false" if question.kind == "several" else "true"
        SubElement(element, "shuffleanswers").text = "false"
        SubElement(element, "answernumbering").text = "none" if question.kind == "line" else "abc"
        fractions = shares(question) if question.kind == "several" else {}
        for option in shown(question):
            fraction = fractions.get(option, "100" if option.right else "0")
            answer = _text(element, "answer", option_html(question, option), fraction=fraction, format="html")
            _text(answer, "feedback", to_html(option.feedback), format="html")
    elif kind == "numerical":
        _number(element, question, given(question.answer), "100", "")
        for option in question.options:
            _number(element, question, given(option.value), "0", to_html(option.feedback))
    else:
        SubElement(element, "shuffleanswers").text = "true"
        place: dict[Option, int] = {option: number for number, option in enumerate(question.options, start=1)}
        for option in shown(question):
            pair = _text(element, "subquestion", option_html(question, option), format="html")
            _text(pair, "answer", str(place[option]))
    _text(element, "hint", to_html(question.hint), format="html")


def _number(element: Element, question: Question, value: float, fraction: str, feedback: str) -> None:
    answer = _text(element, "answer", number(value), fraction=fraction, format="moodle_auto_format")
    SubElement(answer, "tolerance").text = number(question.tolerance)
    _text(answer, "feedback", feedback, format="html")
