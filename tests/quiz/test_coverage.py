"""Every fact of the course is taught by a lesson or asked by a question; every claim to a fact names one there is."""

from dataclasses import replace

import pytest

from course_utils.__main__ import main
from course_utils.authoring.facts import (
    DOCUMENTS,
    FACTS_FILE,
    STATUSES,
    FactError,
    asked_by_questions,
    claims_of_cells,
    described,
    load_facts,
    taught_by_lessons,
)

FACTS = load_facts()
LESSONS = taught_by_lessons()
QUESTIONS = asked_by_questions()


def unclaimed(*claims: set[str]) -> list[str]:
    """The facts that nothing claims and that the file does not excuse, in their order."""
    claimed = set().union(*claims)
    return [number for number, fact in FACTS.items() if number not in claimed and not fact.untaught]


def test_every_fact_is_taught_or_asked_or_excused():
    assert unclaimed(*QUESTIONS.values(), *(claim for claims in LESSONS.values() for claim in claims)) == []


def test_every_fact_is_asked():
    """A lesson can mention in passing what nobody is asked about; a question cannot."""
    assert unclaimed(*QUESTIONS.values()) == []


def test_every_claim_names_a_fact():
    strays = {name: claim - FACTS.keys() for name, claim in QUESTIONS.items() if claim - FACTS.keys()}
    strays |= {
        name: claim - FACTS.keys() for name, claims in LESSONS.items() for claim in claims if claim - FACTS.keys()
    }
    assert strays == {}


def test_an_excused_fact_is_really_untaught():
    claimed = set().union(*QUESTIONS.values(), *(claim for claims in LESSONS.values() for claim in claims))
    assert [number for number, fact in FACTS.items() if fact.untaught and number in claimed] == []


def test_every_lesson_claims_facts():
    assert len(LESSONS) >= 11 and [name for name, claims in LESSONS.items() if not claims] == []


def test_a_fact_that_nothing_claims_is_named():
    assert unclaimed(FACTS.keys() - {"S3", "S86", "S87"}, {"S86"}) == ["S3"]


def test_claims_of_cells_are_read_beside_other_metadata():
    script = (
        '# %% [markdown] covers=["S1", "S2"]\n# text\n\n# %% tags=["x"] covers=["S3"]\nprint("covers=[]")\n\n# %%\n'
    )
    assert claims_of_cells(script) == [{"S1", "S2"}, {"S3"}]


# The file


def test_the_facts_are_numbered_and_have_all_that_they_need():
    assert list(FACTS) == [f"S{number}" for number in range(1, len(FACTS) + 1)] and len(FACTS) >= 87
    for fact in FACTS.values():
        assert fact.status in STATUSES and fact.documents and set(fact.documents) <= DOCUMENTS.keys()
        assert len(fact.says.split()) >= 4 and bool(fact.today) == (fact.status != "holds")
    assert len({fact.says for fact in FACTS.values()}) == len(FACTS)


def test_the_head_of_the_file_names_each_document():
    head = FACTS_FILE.read_text(encoding="utf-8").split("- fact:")[0]
    assert all(title in head for title in DOCUMENTS.values())


GOOD = "- fact: S1\n  says: It is so.\n  status: holds\n  from: [time]\n"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("S1", "S2", "line 1: .*numbered without gaps; here S1 is due"),
        ("holds", "true", "line 3: .*one of holds, corrected, version"),
        ("holds", "corrected", "line 1: .*`today` says what is true"),
        ("[time]", "[tim]", "line 4: .*a list of documents: time, purpose"),
        ("[time]", "time", "a list of documents"),
        ("says: It is so.", "say: It is so.", "line 2: .*no field `say`"),
        ("says: It is so.", "says: [It", "line"),
    ],
)
def test_a_bad_fact_is_told(tmp_path, old, new, sentence):
    file = tmp_path / "facts.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert list(load_facts(file)) == ["S1"]
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FactError, match=sentence):
        load_facts(file)


# The command


def test_the_command_says_what_a_fact_says_and_who_teaches_it(capsys):
    assert main(["facts", "S46", "75"]) == 0
    said = capsys.readouterr().out
    lesson = next(name for name, cells in LESSONS.items() if any("S46" in cell for cell in cells))
    question = next(name for name, claimed in QUESTIONS.items() if "S75" in claimed)
    assert lesson in said and question in said and DOCUMENTS["deep-dive"] in said and "S75" in said


def test_without_numbers_the_command_lists_all(capsys):
    assert main(["facts"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(FACTS)


@pytest.mark.parametrize("number", ["S0", "S999", "x"])
def test_an_unknown_number_is_told(number, capsys):
    assert main(["facts", number]) == 1
    assert f"the facts go from S1 to S{len(FACTS)}" in capsys.readouterr().err


def test_a_fact_that_nobody_teaches_says_so(tmp_path):
    said = described(replace(FACTS["S87"], number="S87"), tmp_path)
    assert "lessons    none" in said and "untaught" in said
