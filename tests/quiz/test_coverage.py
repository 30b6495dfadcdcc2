"""Every fact of the course is asked about in the question bank, and every claim to a fact names one that exists.

A question claims facts in its `covers`, a lesson cell in its metadata: ``# %% covers=["S27"]``.
"""

import json
import re
from pathlib import Path

from course_utils.quiz.bank import whole_bank

ROOT = Path(__file__).resolve().parents[2]
# The numbers of the facts. S87, the last, is about pages to read, not about models, and is not asked.
FACTS = [f"S{number}" for number in range(1, 87)]


def claimed_by_questions() -> dict[str, set[str]]:
    """The facts that each question claims, by its id."""
    return {question.id: set(question.covers) for question in whole_bank().values()}


def claimed_by_cells(script: str) -> list[set[str]]:
    """The facts that each cell of a lesson claims."""
    marks = re.findall(r"^# %%.*?\bcovers=(\[[^]]*\])", script, flags=re.MULTILINE)
    return [set(json.loads(mark)) for mark in marks]


def unclaimed(*claims: set[str]) -> list[str]:
    """The facts that nothing claims, in their order."""
    return [fact for fact in FACTS if fact not in set().union(*claims)]


LESSONS = {path.stem: claimed_by_cells(path.read_text(encoding="utf-8")) for path in (ROOT / "lessons").glob("*.py")}


def test_every_fact_is_claimed():
    cells = [claim for claims in LESSONS.values() for claim in claims]
    assert unclaimed(*claimed_by_questions().values(), *cells) == []


def test_every_fact_is_claimed_by_a_question():
    """A lesson can mention in passing what nobody is asked about; a question cannot."""
    assert unclaimed(*claimed_by_questions().values()) == []


def test_every_claim_names_a_fact():
    strays = {name: claim - {*FACTS} for name, claim in claimed_by_questions().items() if claim - {*FACTS}}
    strays |= {name: claim - {*FACTS} for name, claims in LESSONS.items() for claim in claims if claim - {*FACTS}}
    assert strays == {}


def test_every_lesson_claims_facts():
    assert [name for name, claims in LESSONS.items() if not claims] == []


def test_a_fact_that_nothing_claims_is_named():
    assert unclaimed({*FACTS} - {"S3", "S86"}, {"S86"}) == ["S3"]


def test_claims_of_cells_are_read_beside_other_metadata():
    script = (
        '# %% [markdown] covers=["S1", "S2"]\n# text\n\n# %% tags=["x"] covers=["S3"]\nprint("covers=[]")\n\n# %%\n'
    )
    assert claimed_by_cells(script) == [{"S1", "S2"}, {"S3"}]
