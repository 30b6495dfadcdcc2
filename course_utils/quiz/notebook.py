"""Self-check questions: ask, answer, ask for a hint, see how far you are.

    ask("what-eval-does")          shows the question, with buttons where the notebook has them
    check("what-eval-does", "b")   answers it in plain code, and works everywhere
    hint("what-eval-does")         one step of help; hint("ps1.2") the next one for step 2 of problem set 1
    explain("what-eval-does")      the answer and its reason, when you would rather read on
    progress()                     how far you are, lesson by lesson; save_progress() and load_progress() take it along

The questions are the practice questions of the bank (`bank.py`), not those of graded quizzes; an instructor's own
folder of questions is used as well when the environment variable COURSE_QUESTIONS names it.
"""

import difflib
import os
import re
import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.quiz.bank import load_bank
from course_utils.quiz.hints import is_step, next_hint
from course_utils.quiz.judging import AnswerError, judge
from course_utils.quiz.markdown import WIDTH, for_notebook, to_text
from course_utils.quiz.progress import read_progress, record
from course_utils.quiz.question import Question
from course_utils.quiz.words import explanation_text, hint_text, how_to_answer, question_head, question_text


class UnknownQuestion(CourseError, LookupError):
    """There is no practice question with this id; the message names ids that look like it."""


def ask(question_id: str) -> None:
    """Show a question of the bank, with buttons in a notebook and as plain text elsewhere."""
    question = find_question(question_id)
    if not in_notebook():
        _print_question(question)
        return
    from IPython.display import display

    try:
        from course_utils.quiz.widgets import show_buttons
    except ImportError:  # a notebook without ipywidgets
        _print_question(question)
        return
    head = question_head(question)
    display({"text/markdown": for_notebook(head), "text/plain": to_text(head)}, raw=True)
    show_buttons(question)


def check(question_id: str, answer: str | float | Iterable[str]) -> None:
    """Print what is right or not yet right about an answer, and remember it.

    `answer` is a letter ("b"), several letters ("ac"), the letters of the steps in order ("bca"), a number or the
    number of a line; `ask` says which.
    """
    question = find_question(question_id)
    try:
        verdict = judge(question, answer)
    except AnswerError as error:
        print(textwrap.fill(str(error), WIDTH, break_on_hyphens=False))
        return
    print(to_text(verdict.text))
    record(question.id, verdict.right)


def hint(question_id: str) -> None:
    """Print one step of help: for a question, or the next one for a step of a problem set, as in `hint("ps1.2")`."""
    text = next_hint(question_id) if is_step(question_id) else hint_text(find_question(question_id))
    print(to_text(text))


def explain(question_id: str) -> None:
    """Print the answer and its explanation."""
    print(to_text(explanation_text(find_question(question_id))))


def progress() -> None:
    """Print how many questions of each lesson you have answered right, those of the graded quizzes left out."""
    answers = read_progress()
    lessons: dict[str, list[bool]] = {}
    for question in practice_questions():
        done = answers.get(question.id, {}).get("right", False)
        lessons.setdefault(question.lesson, []).append(done)
    width = max(len(_title(lesson)) for lesson in lessons)
    for lesson, done in lessons.items():
        filled = round(20 * sum(done) / len(done))
        bar = "█" * filled + "░" * (20 - filled)
        print(f"{_title(lesson):{width}}  {bar}  {sum(done):2d} of {len(done):2d} right")
    every = [done for lesson in lessons.values() for done in lesson]
    print(f"{'All lessons':{width}}  {' ' * 20}  {sum(every):2d} of {len(every):2d} right")


def practice_questions() -> list[Question]:
    """Every question that a lesson asks, in the order of the lessons; those of graded quizzes are none."""
    return [question for question in _bank().values() if not question.quiz]


def find_question(question_id: str) -> Question:
    """The question with this id. Raises UnknownQuestion, which names the nearest ids, when there is none."""
    bank = _bank()
    name = str(question_id)[:60]
    if name in bank:
        return bank[name]
    if re.fullmatch(r"(quiz-\d+(\.\d+)?|q\d+)", name.strip().lower()):
        raise UnknownQuestion(
            f"{name!r} belongs to a graded quiz: it has no hints here, and its answer is told after grading."
        )
    nearest = difflib.get_close_matches(name, bank, n=3, cutoff=0.4)
    advice = f" Did you mean {' or '.join(repr(name) for name in nearest)}?" if nearest else ""
    raise UnknownQuestion(f"There is no question {name!r} among the practice questions.{advice}")


@cache
def _bank() -> dict[str, Question]:
    own = os.environ.get("COURSE_QUESTIONS")
    return load_bank(Path(own) if own else None)


def _print_question(question: Question) -> None:
    print(to_text(question_text(question)))
    print("\n" + how_to_answer(question))


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code (then outputs are displayed, not only printed)."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def _title(lesson: str) -> str:
    return lesson.replace("_", " ")
