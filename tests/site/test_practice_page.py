"""Practice questions and the search in Chromium, from files: by keyboard, with a reason for every answer."""

from in_the_browser import one, wait

from course_utils.authoring.site_pages import practice_questions
from course_utils.quiz.question import answer_key


def test_every_practice_question_is_answered_right_by_keyboard(browser, pages):
    questions = practice_questions()
    for lesson in sorted({question.lesson for question in questions.values()}):
        browser.get((pages / "practice" / f"{lesson}.html").as_uri())
        for question in (question for question in questions.values() if question.lesson == lesson):
            form = one(browser, f"form[id='{question.id}']")
            fields = form.find_elements("css selector", "[name=answer]")
            key = answer_key(question)
            if question.kind == "number":
                fields[0].send_keys(repr(key), "\n")
            elif question.kind == "order":
                for field, letter in zip(fields, key, strict=True):
                    field.send_keys(letter)
                form.find_element("css selector", "[type=submit]").send_keys("\n")
            else:
                chosen = [field for field in fields if field.get_attribute("value") in list(str(key))]
                if question.kind == "line":
                    chosen = [field for field in fields if field.get_attribute("value") == str(key)]
                for field in chosen:
                    field.send_keys(" ")
                chosen[0].send_keys("\n")
            reply = form.find_element("css selector", "[role=status]").text
            assert reply.startswith("Right."), (question.id, reply)
        count = sum(question.lesson == lesson for question in questions.values())
        assert one(browser, ".tally").text.startswith(f"{count} of {count} answered right")


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
