"""IMS QTI 2.1: https://www.imsglobal.org/question/ , a content package that most platforms other than Moodle import.

The zip holds imsmanifest.xml, test.xml with all questions in order, a section for each lesson, and one file a question.
Feedback appears after the answer: that of each chosen option, then the explanation for a right answer or the hint for a
wrong one. A line with a bug becomes a choice among the lines. The feedback of the steps of an order is shown together,
since QTI ties feedback to an answer and not to a place in it.
"""

import io
import zipfile
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, fromstring, indent, tostring

from course_utils.quiz.export.markup import number, option_block, reasons, shown, stem
from course_utils.quiz.markdown import to_html
from course_utils.quiz.question import POINTS, Option, Question, given
from course_utils.quiz.words import hint_text

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_WHERE = {  # where a platform finds the schema of each namespace
    QTI: f"{QTI} http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd",
    PACKAGE: f"{PACKAGE} http://www.imsglobal.org/xsd/qti/qtiv2p1/qtiv2p1_imscpv1p2_v1p0.xsd",
}


def qti_package(questions: list[Question], title: str) -> bytes:
    """The questions as a zip with a manifest. Its files have no date, so that the bytes are the same every time."""
    files = {"imsmanifest.xml": _xml(_manifest(questions)), "test.xml": _xml(_test(questions, title))}
    files |= {f"items/{question.id}.xml": item(question) for question in questions}
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in files.items():
                package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
        return file.getvalue()


def item(question: Question) -> bytes:
    """One question as an assessmentItem."""
    root = Element(
        "assessmentItem",
        {
            "xmlns": QTI,
            "xmlns:xsi": XSI,
            "xsi:schemaLocation": _WHERE[QTI],
            "identifier": identifier(question),
            "title": question.id.replace("-", " "),
            "adaptive": "false",
            "timeDependent": "false",
        },
    )
    names = {option: f"option-{place}" for place, option in enumerate(question.options, start=1)}
    _declare(root, question, names)
    body = SubElement(root, "itemBody")
    body.extend(_html(stem(question)))
    _interaction(body, question, names)
    _processing(root, question, names)
    _feedback(root, question, names)
    return _xml(root)


def identifier(question: Question) -> str:
    """The id as a name in XML, which must not begin with a digit."""
    return f"item-{question.id}"


def _declare(root: Element, question: Question, names: dict[Option, str]) -> None:
    """The right answer, and the results that a platform keeps: points, the result and what the feedback depends on."""
    cardinality = {"several": "multiple", "order": "ordered"}.get(question.kind, "single")
    base = "float" if question.kind == "number" else "identifier"
    response = SubElement(root, "responseDeclaration", identifier="RESPONSE", cardinality=cardinality, baseType=base)
    correct = SubElement(response, "correctResponse")
    if question.kind == "number":
        SubElement(correct, "value").text = number(given(question.answer))
    for option in question.options:
        if option.right or question.kind == "order":
            SubElement(correct, "value").text = names[option]
    points = str(POINTS[question.difficulty])
    score = SubElement(
        root, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float", normalMaximum=points
    )
    SubElement(SubElement(score, "defaultValue"), "value").text = "0"
    most = SubElement(root, "outcomeDeclaration", identifier="MAXSCORE", cardinality="single", baseType="float")
    SubElement(SubElement(most, "defaultValue"), "value").text = points
    SubElement(root, "outcomeDeclaration", identifier="RESULT", cardinality="single", baseType="identifier")
    chosen = "multiple" if question.kind == "several" else "single"
    SubElement(root, "outcomeDeclaration", identifier="CHOSEN", cardinality=chosen, baseType="identifier")


def _interaction(body: Element, question: Question, names: dict[Option, str]) -> None:
    if question.kind == "number":
        paragraph = SubElement(body, "p")
        SubElement(paragraph, "textEntryInteraction", responseIdentifier="RESPONSE", expectedLength="12")
        return
    tag, choices = ("orderInteraction", {}) if question.kind == "order" else ("choiceInteraction", {"maxChoices": "1"})
    if question.kind == "several":
        choices = {"maxChoices": "0"}  # as many as one likes
    interaction = SubElement(body, tag, {"responseIdentifier": "RESPONSE", "shuffle": "false", **choices})
    for option in shown(question):
        choice = SubElement(interaction, "simpleChoice", identifier=names[option])
        choice.extend(_html(option_block(question, option)))


def _processing(root: Element, question: Question, names: dict[Option, str]) -> None:
    """Points for the right answer, nothing for others, and the names of the feedback to show."""
    processing = SubElement(root, "responseProcessing")
    condition = SubElement(processing, "responseCondition")
    is_right = SubElement(condition, "responseIf")
    _is_right(is_right, question)
    _set(is_right, "SCORE", "float", str(POINTS[question.difficulty]))
    _set(is_right, "RESULT", "identifier", "right")
    _set(SubElement(condition, "responseElse"), "RESULT", "identifier", "wrong")
    if question.kind in ("one", "several", "line"):
        chosen = SubElement(processing, "setOutcomeValue", identifier="CHOSEN")
        SubElement(chosen, "variable", identifier="RESPONSE")
    elif question.kind == "number" and question.options:
        condition = SubElement(processing, "responseCondition")
        for tag, option in zip(["responseIf", *["responseElseIf"] * 9], question.options, strict=False):
            found = SubElement(condition, tag)
            equal = _equal(found, question)
            SubElement(equal, "baseValue", baseType="float").text = number(given(option.value))
            _set(found, "CHOSEN", "identifier", names[option])


def _is_right(parent: Element, question: Question) -> None:
    test = _equal(parent, question) if question.kind == "number" else SubElement(parent, "match")
    if question.kind != "number":
        SubElement(test, "variable", identifier="RESPONSE")
    SubElement(test, "correct", identifier="RESPONSE")


def _equal(parent: Element, question: Question) -> Element:
    """Equality with the answer within the question's tolerance; what it is compared with is still to be added."""
    tolerance = number(question.tolerance)
    how = {"toleranceMode": "absolute", "tolerance": f"{tolerance} {tolerance}"} if question.tolerance else {}
    equal = SubElement(parent, "equal", how or {"toleranceMode": "exact"})
    SubElement(equal, "variable", identifier="RESPONSE")
    return equal


def _set(parent: Element, outcome: str, base: str, value: str) -> None:
    element = SubElement(parent, "setOutcomeValue", identifier=outcome)
    SubElement(element, "baseValue", baseType=base).text = value


def _feedback(root: Element, question: Question, names: dict[Option, str]) -> None:
    if question.kind != "order":
        for option in question.options:
            _show(root, "CHOSEN", names[option], to_html(option.feedback))
    why = reasons(question) if question.kind == "order" else ""
    _show(root, "RESULT", "right", to_html(question.explanation))
    _show(root, "RESULT", "wrong", why + to_html(hint_text(question)))


def _show(root: Element, outcome: str, value: str, html: str) -> None:
    feedback = SubElement(root, "modalFeedback", outcomeIdentifier=outcome, identifier=value, showHide="show")
    feedback.extend(_html(html))


def _test(questions: list[Question], title: str) -> Element:
    root = Element(
        "assessmentTest",
        {
            "xmlns": QTI,
            "xmlns:xsi": XSI,
            "xsi:schemaLocation": _WHERE[QTI],
            "identifier": "questions",
            "title": title,
        },
    )
    part = SubElement(root, "testPart", identifier="part", navigationMode="nonlinear", submissionMode="individual")
    for place, (lesson, of_lesson) in enumerate(groupby(questions, key=lambda question: question.lesson), start=1):
        name = lesson.replace("_", " ")
        section = SubElement(part, "assessmentSection", identifier=f"section-{place}", title=name, visible="true")
        for question in of_lesson:
            SubElement(section, "assessmentItemRef", identifier=identifier(question), href=f"items/{question.id}.xml")
    return root


def _manifest(questions: list[Question]) -> Element:
    root = Element(
        "manifest",
        {"xmlns": PACKAGE, "xmlns:xsi": XSI, "xsi:schemaLocation": _WHERE[PACKAGE], "identifier": "pretrained-vision"},
    )
    metadata = SubElement(root, "metadata")
    SubElement(metadata, "schema").text = "QTIv2.1 Package"
    SubElement(metadata, "schemaversion").text = "1.0.0"
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    test = SubElement(resources, "resource", identifier="test", type="imsqti_test_xmlv2p1", href="test.xml")
    SubElement(test, "file", href="test.xml")
    for question in questions:
        SubElement(test, "dependency", identifierref=identifier(question))
    for question in questions:
        href = f"items/{question.id}.xml"
        resource = SubElement(
            resources, "resource", identifier=identifier(question), type="imsqti_item_xmlv2p1", href=href
        )
        SubElement(resource, "file", href=href)
    return root


def _html(html: str) -> list[Element]:
    """The elements of a piece of our own HTML, which is also XML."""
    return list(fromstring(f"<div>{html}</div>"))


def _xml(root: Element) -> bytes:
    if root.tag != "assessmentItem":  # there, white space between elements is text that somebody reads
        indent(root, " ")
    return tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
