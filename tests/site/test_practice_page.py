"""Practice questions and the search in Chromium, from files: by keyboard, with a reason for every answer."""

import pytest
from in_the_browser import one, wait

from course_utils.authoring.site_pages import practice_questions
from course_utils.quiz.question import answer_key

QUESTIONS = practice_questions()
ONE_OF_EACH_KIND = {question.kind: name for name, question in QUESTIONS.items()}.values()


def answer_right(form, question) -> str:
    """Answer a question by keyboard; return what the page says."""
    fields = form.find_elements("css selector", "[name=answer]")
    key = answer_key(question)
    if question.kind == "number":
        fields[0].send_keys(repr(key), "\n")
    elif question.kind == "order":
        for field, letter in zip(fields, key, strict=True):
            field.send_keys(letter)
        form.find_element("css selector", "[type=submit]").send_keys("\n")
    else:
        wanted = [str(key)] if question.kind == "line" else list(str(key))
        chosen = [field for field in fields if field.get_attribute("value") in wanted]
        for field in chosen:
            field.send_keys(" ")
        chosen[0].send_keys("\n")
    return form.find_element("css selector", "[role=status]").text


def test_a_question_of_each_kind_is_answered_right_by_keyboard(browser, pages):
    for name in ONE_OF_EACH_KIND:
        browser.get((pages / "practice" / f"{QUESTIONS[name].lesson}.html").as_uri())
        assert answer_right(one(browser, f"form[id='{name}']"), QUESTIONS[name]).startswith("Right."), name


@pytest.mark.slow
@pytest.mark.parametrize("lesson", sorted({question.lesson for question in QUESTIONS.values()}))
def test_every_practice_question_is_answered_right_by_keyboard(browser, pages, lesson):
    browser.get((pages / "practice" / f"{lesson}.html").as_uri())
    asked = {name: question for name, question in QUESTIONS.items() if question.lesson == lesson}
    for name, question in asked.items():
        assert answer_right(one(browser, f"form[id='{name}']"), question).startswith("Right."), name
    assert one(browser, ".tally").text.startswith(f"{len(asked)} of {len(asked)} answered right")


def test_a_wrong_answer_gets_its_reason_and_help_comes_step_by_step(browser, pages):
    question = next(question for question in practice_questions().values() if question.kind == "one")
    browser.get((pages / "practice" / f"{question.lesson}.html").as_uri())
    form = one(browser, f"form[id='{question.id}']")
    reply = form.find_element("css selector", "[role=status]")
    hint, explain = (form.find_element("css selector", f"[data-action={name}]") for name in ("hint", "explain"))
    assert not explain.is_enabled()
    hint.send_keys("\n")
    assert reply.text.startswith("Hint:")
    form.find_element("css selector", "[type=submit]").send_keys("\n")
    assert reply.text.startswith("There is no answer yet")
    wrong = next(
        f for f in form.find_elements("css selector", "input") if f.get_attribute("value") != answer_key(question)
    )
    wrong.send_keys(" ", "\n")
    assert reply.text.startswith("Not yet.")
    explain.send_keys("\n")
    assert reply.text.startswith("The answer is")


def test_the_search_finds_a_word_of_a_lesson_also_without_a_server(browser, pages):
    browser.get((pages / "search.html").as_uri() + "?q=softmax")
    found = wait(lambda: browser.find_elements("css selector", "#search-results li a"))
    assert any("03_inference" in link.get_attribute("href") for link in found)
