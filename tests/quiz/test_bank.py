"""The questions of the bank: enough, of every kind, each option with feedback, and letters that give nothing away."""

import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import course_utils
from course_utils.quiz.bank import load_bank, whole_bank
from course_utils.quiz.question import Option, Question, answer_key, lettered

BANK = whole_bank()
QUESTIONS = list(BANK.values())
LETTERED = [question for question in QUESTIONS if question.kind in ("one", "several", "order")]


def test_the_bank_is_large_enough_and_uses_every_kind():
    assert len(QUESTIONS) >= 80
    assert {question.kind for question in QUESTIONS} == {"one", "several", "number", "order", "line"}
    assert {question.difficulty for question in QUESTIONS} == {"easy", "medium", "hard"}


def test_each_lesson_has_three_questions():
    lessons = Counter(question.lesson for question in QUESTIONS)
    assert len(lessons) == 11 and min(lessons.values()) >= 3


def test_quiz_1_asks_the_fifteen_practice_questions():
    quiz = [question for question in QUESTIONS if question.quiz == "quiz-1"]
    assert len(quiz) == 15
    mirrored = Counter(number for question in quiz for number in question.covers if 72 <= int(number[1:]) <= 86)
    assert mirrored == Counter(f"S{number}" for number in range(72, 87))


def test_a_question_without_proof_says_why():
    for question in QUESTIONS:
        assert bool(question.proof) != bool(question.no_proof), question.id
        assert not question.no_proof or len(question.no_proof.split()) >= 5, question.id
    assert sum(bool(question.proof) for question in QUESTIONS) >= 0.85 * len(QUESTIONS)


def test_no_text_speaks_of_letters():
    """Letters are dealt at build time, so "option B" would point anywhere."""
    for question in QUESTIONS:
        texts = [question.prompt, question.hint, question.explanation]
        texts += [text for option in question.options for text in (option.text, option.feedback)]
        for text in texts:
            found = re.search(r"\b([Oo]ption|[Aa]nswer|[Cc]hoice|[Ll]etter)s? \(?[A-Ha-h]\b(?! )", text)
            assert not found, (question.id, found)
            assert not re.search(r"\b(all|none|both) of the above\b", text, re.IGNORECASE), question.id


def test_no_two_questions_say_the_same():
    prompts = [(question.prompt, question.code) for question in QUESTIONS]
    assert len(set(prompts)) == len(prompts)


def test_feedback_is_own_to_each_option():
    for question in QUESTIONS:
        said = [option.feedback for option in question.options if option.feedback]
        assert len(set(said)) == len(said), question.id
        assert all(len(text.split()) >= 4 for text in said), question.id


@pytest.mark.parametrize("graded", [False, True], ids=["practice", "graded"])
def test_the_right_option_is_the_longest_or_shortest_no_more_often_than_by_chance(graded):
    """By chance: the sum of 1 divided by the number of options, and less than 1.65 standard deviations more."""
    choices = [question for question in QUESTIONS if question.kind == "one" and bool(question.quiz) == graded]
    longest = shortest = expected = variance = 0
    for question in choices:
        right = next(len(option.words) for option in question.options if option.right)
        others = [len(option.words) for option in question.options if not option.right]
        longest += right > max(others)
        shortest += right < min(others)
        chance = 1 / len(question.options)
        expected, variance = expected + chance, variance + chance * (1 - chance)
        assert right <= 1.6 * max(others) and right >= 0.4 * min(others), question.id
    limit = expected + 1.65 * math.sqrt(variance)
    assert longest <= limit and shortest <= limit, f"{longest} longest, {shortest} shortest of {len(choices)}"


def test_options_are_of_like_length():
    """An option three times as long as another one draws the eye, whichever of them is right."""
    for question in QUESTIONS:
        if question.quiz and question.kind in ("one", "several"):
            lengths = [len(option.words) for option in question.options if option.text]
            assert not lengths or max(lengths) <= 3 * min(lengths), question.id


def test_what_depends_on_the_version_says_which():
    """Defaults, deprecations and messages change; a graded question on one of them names a version."""
    about = re.compile(r"DEFAULT|pretrained=|efficientnet_b8|torch\.load\(")
    for question in QUESTIONS:
        asked = [question.prompt, *(option.words for option in question.options)]
        if question.quiz and question.lesson != "10_the_same_in_keras" and any(about.search(text) for text in asked):
            if question.id == "transforms-is-a-factory":
                continue  # true of every version that has `weights`
            assert re.search(r"(torchvision|PyTorch) \d\.\d+", question.prompt), question.id


# The keys of graded quizzes stay with the instructor


def test_the_package_holds_no_graded_question_and_the_instructors_folder_only_graded_ones():
    practice = load_bank()
    assert practice and not [question.id for question in practice.values() if question.quiz]
    graded = {id: question for id, question in BANK.items() if id not in practice}
    assert graded and all(question.quiz for question in graded.values())
    assert all(BANK[id] is not None and BANK[id] == question for id, question in practice.items()), (
        "an id is used twice"
    )


def test_no_graded_text_is_in_the_package():
    """Not in another file either: neither an id nor an explanation of a graded question."""
    package = Path(course_utils.__file__).parent
    text = "\n".join(p.read_text(encoding="utf-8") for ext in ("py", "yaml", "json") for p in package.rglob(f"*.{ext}"))
    text = " ".join(text.split())
    for question in QUESTIONS:
        if question.quiz:
            assert question.id not in text and question.explanation[:60] not in text, question.id


def test_away_from_the_repository_the_bank_is_the_practice_questions(tmp_path):
    assert whole_bank(tmp_path) == load_bank()


def test_right_and_wrong_statements_are_equally_long():
    """Where several are right, the careful and long ones must not be the right ones by habit, nor the short ones."""
    length = {True: [], False: []}
    for question in QUESTIONS:
        if question.kind == "several":
            for option in question.options:
                length[option.right].append(len(option.words))
    right, wrong = (sum(found) / len(found) for found in (length[True], length[False]))
    assert 0.75 < right / wrong < 1.33, (right, wrong)


def test_strong_words_do_not_give_wrong_options_away():
    """ "Always" and "never" tempt writers of wrong options; a reader learns to avoid them without knowing anything."""
    strong = re.compile(r"\b(always|never|all|none|only|every|cannot|must)\b", re.IGNORECASE)
    found = {True: [], False: []}
    for question in QUESTIONS:
        if question.kind in ("one", "several"):
            for option in question.options:
                found[option.right].append(bool(strong.search(option.text)))
    right, wrong = (sum(hits) / len(hits) for hits in (found[True], found[False]))
    assert abs(right - wrong) < 0.08, (right, wrong)


def test_the_feedback_to_the_right_option_does_not_stand_out_by_length():
    choices = [question for question in QUESTIONS if question.kind == "one"]
    longest = 0
    for question in choices:
        said = {right: max(len(o.feedback) for o in question.options if o.right is right) for right in (True, False)}
        longest += said[True] > said[False]
    assert longest <= 0.4 * len(choices), f"{longest} of {len(choices)}"


def test_the_line_with_the_bug_is_not_always_the_same():
    places = Counter(answer_key(question) for question in QUESTIONS if question.kind == "line")
    assert len(places) >= 4 and max(places.values()) <= 0.6 * sum(places.values()), places


def test_prompts_and_options_stay_short():
    for question in QUESTIONS:
        assert len(question.prompt) <= 420, question.id
        assert all(len(line) <= 88 for line in question.code.splitlines()), question.id
        assert all(len(option.words) <= 100 for option in question.options if option.text), question.id


# The letters


def test_letters_are_the_same_on_every_machine():
    letters = {option.words: letter for letter, option in lettered(BANK["load-resnet50"])}
    assert sorted(letters.values()) == ["a", "b", "c", "d"]
    options = tuple(Option(text=text, feedback="", right=text == "first") for text in ("first", "second", "third"))
    question = Question("a-fixed-id", "own", "one", "easy", (), "?", options, "", "")
    assert [option.text for _, option in lettered(question)] == ["second", "first", "third"]


def test_editing_words_moves_no_letter():
    question = BANK["load-resnet50"]
    edited = replace(question, options=tuple(replace(option, code="x " + option.code) for option in question.options))
    assert answer_key(edited) == answer_key(question)


def test_the_right_letters_are_spread():
    keys = Counter(answer_key(question) for question in QUESTIONS if question.kind == "one")
    total = sum(keys.values())
    assert set(keys) == set("abcd")
    assert all(0.12 * total <= keys[letter] <= 0.4 * total for letter in "abcd"), keys


def test_steps_are_never_shown_in_their_right_order():
    for question in QUESTIONS:
        if question.kind == "order":
            assert [option for _, option in lettered(question)] != list(question.options), question.id


def test_answer_key_fits_the_letters():
    for question in LETTERED:
        options = dict(lettered(question))
        if question.kind == "order":
            assert tuple(options[letter] for letter in answer_key(question)) == question.options
        else:
            assert {letter for letter, option in options.items() if option.right} == set(answer_key(question))
