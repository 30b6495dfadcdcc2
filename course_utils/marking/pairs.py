"""Which submissions of an assignment are alike in something unusual. Similarity is no proof of anything.

What counts is what a pair shares and others do not: a fingerprint that only two have counts whole, one that all have
next to nothing, and one of the reference solution a quarter besides, because that is how the course itself teaches it.
What every student was given (prepared cells, tests, the released answer cells, code in the text) does not count at all.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from course_utils.marking.fingerprints import Place, fingerprints
from course_utils.marking.reader import UnreadableNotebook
from course_utils.marking.submission import STUB, Assignment, choose_notebook, mended

OF_THE_REFERENCE = 0.25
MOST_OF_ONE = 3  # pairs that one student is in, so that a large group does not hide the others
FEW = 15  # fingerprints, about ten lines; of less code all likeness is chance, so it is measured as if it were so much
UNUSUAL = 0.5  # from this weight on a fingerprint is shown


@dataclass(frozen=True)
class Cell:
    """Code that a student wrote: the answer cell's name ("" for a cell of their own) and its text."""

    name: str
    source: str


@dataclass(frozen=True)
class Answers:
    """All code of one student, and where each fingerprint is: the number of the cell and the lines there."""

    student: str
    cells: tuple[Cell, ...]
    places: Mapping[int, tuple[tuple[int, Place], ...]]


@dataclass(frozen=True)
class Pair:
    """Two submissions, their score from 0 to 1, and the unusual fingerprints that they share."""

    one: Answers
    other: Answers
    score: float
    shared: frozenset[int]


@dataclass(frozen=True)
class Comparison:
    """The closest pairs, the closest first; how many were compared; and the score of the pair in the middle of all."""

    pairs: tuple[Pair, ...]
    submissions: int
    median: float


def read_answers(folders: Mapping[str, Path], assignment: Assignment) -> tuple[list[Answers], dict[str, str]]:
    """Read what each student wrote; also why a submission cannot be compared, by student."""
    found, left_out = [], {}
    given = provided(assignment)
    for student, folder in folders.items():
        try:
            notebook, _ = choose_notebook(folder, assignment)
        except FileNotFoundError:
            left_out[student] = "There is no notebook."
            continue
        except UnreadableNotebook as error:
            left_out[student] = str(error)
            continue
        cells = [
            Cell(step.part.grade_id if step.part else "", step.source)
            for step in mended(notebook, assignment).steps
            if step.kind == "code" and step.is_students
        ]
        answers = answers_of(student, cells, given)
        if answers.places:
            found.append(answers)
        else:
            left_out[student] = "It holds no code beyond what was given, or too little to compare."
    return found, left_out


def answers_of(student: str, cells: Iterable[Cell], given: frozenset[int]) -> Answers:
    """Return a student's cells with their fingerprints, those ``given`` to everybody left out."""
    cells = tuple(cells)
    places: dict[int, tuple[tuple[int, Place], ...]] = {}
    for number, cell in enumerate(cells):
        for fingerprint, here in fingerprints(cell.source).items():
            if fingerprint not in given:
                places[fingerprint] = (*places.get(fingerprint, ()), *((number, place) for place in here))
    return Answers(student, cells, places)


def provided(assignment: Assignment) -> frozenset[int]:
    """The fingerprints of all code that every student was given."""
    solved = re.compile(r"^[ \t]*### BEGIN SOLUTION.*?### END SOLUTION[^\n]*$", re.DOTALL | re.MULTILINE)
    texts = []
    for cell in assignment.cells:
        if cell.kind == "code":
            texts.append(solved.sub(STUB, cell.source))
        texts += re.findall(r"^```(?:python)?\n(.*?)^```", cell.source, flags=re.DOTALL | re.MULTILINE)
    return frozenset().union(*(fingerprints(text) for text in texts))


def reference(assignment: Assignment) -> frozenset[int]:
    """The fingerprints of the assignment's own answers."""
    return frozenset().union(*(fingerprints(part.source) for part in assignment.parts if part.is_answer))


def weights(found: Sequence[Answers], natural: frozenset[int]) -> dict[int, float]:
    """How much each fingerprint that two or more share counts, from 1 (only two have it) down to almost 0 (all do)."""
    counts = Counter(fingerprint for answers in found for fingerprint in answers.places)
    rarest = log((len(found) + 1) / 2)
    return {
        fingerprint: log((len(found) + 1) / count) / rarest * (OF_THE_REFERENCE if fingerprint in natural else 1.0)
        for fingerprint, count in counts.items()
        if count > 1
    }


def closest_pairs(found: Sequence[Answers], natural: frozenset[int], most: int) -> Comparison:
    """Score all pairs at once, as a product of sparse matrices, and return the ``most`` closest that share anything.

    A student appears in at most `MOST_OF_ONE` of them.
    The score is the weight of what a pair shares, as a share of the fingerprints of the shorter submission.
    """
    if len(found) < 2:
        return Comparison((), len(found), 0.0)
    weight = weights(found, natural)
    column = {fingerprint: number for number, fingerprint in enumerate(weight)}
    rows, columns = [], []
    for number, answers in enumerate(found):
        shared = [column[fingerprint] for fingerprint in answers.places if fingerprint in column]
        rows += [number] * len(shared)
        columns += shared
    has = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(found), max(1, len(column))))
    by_weight = has.multiply(np.array([*weight.values()] or [0.0])).tocsr()
    together = (by_weight @ has.T).toarray()
    sizes = np.maximum(FEW, [len(answers.places) for answers in found])
    scores = together / np.minimum.outer(sizes, sizes)
    one, other = np.triu_indices(len(found), 1)
    flat = scores[one, other]
    pairs: list[Pair] = []
    seen: Counter[int] = Counter()
    for at in np.argsort(-flat, kind="stable"):
        both = int(one[at]), int(other[at])
        if len(pairs) == most or flat[at] <= 0:
            break
        if max(seen[student] for student in both) < MOST_OF_ONE:
            seen.update(both)
            pairs.append(_pair(found[both[0]], found[both[1]], float(flat[at]), weight))
    return Comparison(tuple(pairs), len(found), float(np.median(flat)))


def _pair(one: Answers, other: Answers, score: float, weight: Mapping[int, float]) -> Pair:
    shared = one.places.keys() & other.places.keys()
    return Pair(one, other, score, frozenset(fingerprint for fingerprint in shared if weight[fingerprint] >= UNUSUAL))
