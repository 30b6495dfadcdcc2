"""The question bank: YAML files in, checked questions out.

One file a lesson: practice questions in `course_utils/quiz/questions/`, which is part of the package; those of graded
quizzes in the repository's `exercises/questions/`, which is not: a student's package holds no key of a quiz. A file is
a list of questions:

    - id: head-parameters            # kebab-case, once in the whole bank
      covers: [S46, S60]             # facts that it asks about (python -m course_utils facts); your own need none
      difficulty: easy               # easy | medium | hard
      kind: one                      # one (default) | several | number | order | line
      quiz: quiz-1                   # only in graded questions: the quiz that asks it
      prompt: What does this print?  # Markdown: `code`, **bold**, blank line between paragraphs
      code: print(1)                 # optional
      options:                       # each with a feedback: why it tempts and what is true
        - text: ...                  # or `code: ...`
          right: true
          feedback: ...
          proof: ...                 # optional, on a wrong option: Python that shows it is wrong
      hint: ...
      explanation: ...
      proof: ...                     # Python that fails when the stated answer is false (see `proofs.py`)
      no_proof: ...                  # or why there is none
      needs: keras                   # optional: a package that the proofs import and the course does not require

The kinds differ in what stands where the options are:

    several   two or more options are `right`
    number    `answer`, `tolerance` (default 0), `unit`; options are the numbers people come to by mistake: `value`
    order     `steps` in their right order; the `feedback` of a step says why it cannot come earlier
    line      `code`, and an option for each of its lines that is not blank: `line`, `feedback`, `right`

`question_schema.json` says the same to an editor: with the first line that our own files have, it completes the names
of fields and underlines what is wrong (in VS Code with the extension YAML).

Letters are never written in a file: `lettered` deals them out, from the question's id alone, so that editing words or
running on another machine moves nothing.
"""

from dataclasses import replace
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.files import ROOT
from course_utils.quiz.checking import question_from
from course_utils.quiz.question import Question
from course_utils.quiz.reading import FileProblem, read_entries

QUESTIONS = Path(__file__).parent / "questions"


class BankError(CourseError, ValueError):
    """The question bank cannot be used; the message lists each problem with its file and line."""


def load_bank(*folders: Path | None) -> dict[str, Question]:
    """Return all practice questions by id, in the order of the lessons, and those of further folders.

    A question in one of the ``folders`` (None is no folder) is added, or replaces the one with the same id that came
    before. Raises BankError that lists every problem found in every file.
    """
    bank, problems = _read_folder(QUESTIONS)
    for folder in (Path(folder) for folder in folders if folder is not None):
        if not folder.is_dir():
            raise BankError(f"There is no folder {folder} to read questions from.")
        own, own_problems = _read_folder(folder)
        if not own and not own_problems:
            raise BankError(f"There is no question in {folder}; files of questions end in .yaml or .yml.")
        # A question that replaces another stays in its lesson, whatever the file is called.
        bank |= {id: replace(new, lesson=bank[id].lesson) if id in bank else new for id, new in own.items()}
        problems += own_problems
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        raise BankError("\n".join([f"{len(problems)} {noun} in the question bank:", *problems]))
    return bank


def whole_bank(root: Path = ROOT, own: Path | None = None) -> dict[str, Question]:
    """Return practice and graded questions, for builders and instructors; ``own`` adds a folder as in `load_bank`.

    Away from the course's repository, whose folder is ``root``, there are no graded questions.
    """
    graded = root / "exercises" / "questions"
    return load_bank(graded if graded.is_dir() else None, own)


def _read_folder(folder: Path) -> tuple[dict[str, Question], list[str]]:
    bank: dict[str, Question] = {}
    first_seen: dict[str, str] = {}
    problems: list[str] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            entries = read_entries(path)
        except FileProblem as problem:
            problems.append(_at(path, problem.line, str(problem)))
            continue
        for fields in entries:
            question, wrong = question_from(fields, lesson=path.stem)
            problems += [_at(path, line, sentence) for line, sentence in wrong]
            if question is None:
                continue
            if question.id in bank:
                seen = first_seen[question.id]
                problems.append(_at(path, fields.line, f"the id `{question.id}` is already used in {seen}"))
            bank[question.id] = question
            first_seen[question.id] = f"{path.name}, line {fields.line}"
    return bank, problems


def _at(path: Path, line: int, problem: str) -> str:
    return f"{path.name}, line {line}: {problem}"
