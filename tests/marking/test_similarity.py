"""``python -m course_utils similarity``: what two submissions share and others do not, whatever it is called."""

import re
import time

import nbformat
import pytest
from marking_tools import answered, assignment, new_course, untouched

from course_utils.__main__ import main
from course_utils.marking.fingerprints import GRAM, Place, fingerprints, normalised
from course_utils.marking.pairs import (
    MOST_OF_ONE,
    Answers,
    Cell,
    answers_of,
    closest_pairs,
    provided,
    read_answers,
    reference,
    weights,
)
from course_utils.marking.pairs_page import NO_PROOF, page

NAME = "ps1-heads"
PLAIN = """
def total(numbers, weight=2):
    result = 0
    for number in numbers:
        if number > weight and number % 2 == 0:
            result += number * weight
    print("the sum", result, f"{result} in all")
    return [result, max(numbers), sorted(numbers)]
"""
DISGUISED = """
# Everything is called otherwise here.
def computed( zahlen , w = 2 ):
    '''It computes
    something.'''
    r = 0

    for z in zahlen:   # one after the other
        if (z > w and z % 2 == 0):
            r += z*w ;
    print('Summe',
          r, f'{r:.3f} ist {w} alles')
    return [
        r,
        max(zahlen),
        sorted(zahlen),
    ]
"""
OTHER = """
def total(weight, *numbers):
    chosen = [number * weight for number in numbers if number > weight]
    return dict(total=sum(chosen), largest=max(chosen, default=None), text="the sum")
"""


def texts(source: str) -> list[str]:
    return [text for text, _ in normalised(source)]


def test_names_comments_texts_and_layout_do_not_count():
    disguised = DISGUISED.replace("if (z > w and z % 2 == 0):", "if z > w and z % 2 == 0:")
    assert texts(PLAIN) == texts(disguised)
    assert fingerprints(PLAIN).keys() == fingerprints(disguised).keys()
    assert len(fingerprints(PLAIN).keys() & fingerprints(DISGUISED).keys()) > 3, "two brackets change what is near them"


def test_other_code_has_other_fingerprints():
    assert fingerprints(PLAIN) and fingerprints(OTHER)
    assert not fingerprints(PLAIN).keys() & fingerprints(OTHER).keys()


@pytest.mark.parametrize(("one", "other"), [
    ("model.eval()", "model.train()"), ("x + 1", "x + 2"), ("a and b", "a or b"), ("len(x)", "sum(x)"),
])  # fmt: skip
def test_what_the_code_does_stays(one, other):
    assert texts(one) != texts(other)


def test_a_fingerprint_says_where_it_is():
    source = "\n\n" + "value = first + second * third - fourth / fifth\n" * 3
    places = [place for found in fingerprints(source).values() for place in found]
    assert places and all(2 <= place.first <= place.last <= 4 for place in places)


@pytest.mark.parametrize("harm", [
    lambda source: "%timeit f()\n!pip install x\n" + source,
    lambda source: "def f(:\n    ''' '\n" + source,
    lambda source: source + "\nx = (((\n",
    lambda source: source + '\nx = """never closed\n',
    lambda source: source + "\n   wrong\n indent\n",
    lambda source: source + "\nx = 'open\ny = $ ? \0\n",
])  # fmt: skip
def test_of_broken_code_what_can_be_read_counts(harm):
    right, broken = fingerprints(PLAIN).keys(), fingerprints(harm(PLAIN)).keys()
    assert len(right & broken) >= len(right) / 2


@pytest.mark.parametrize("source", ["", "\n", "\0", "(" * 50_000, "'" * 9, "\t \n" * 1000, "é = 1\n" * 3, "x = 1"])
def test_nothing_or_nonsense_is_no_error(source):
    fingerprints(source)


def code(student: str, *sources: str) -> Answers:
    return answers_of(student, [Cell("", source) for source in sources], frozenset())


def variant(number: int) -> str:
    """Some code that no other number has."""
    return "\n".join(f"value = {number} + {line} * item - {number * line} / other[{line}]" for line in range(2, 9))


def test_the_pair_that_shares_something_unusual_comes_first():
    found = [code(f"s{number}", variant(number)) for number in range(30)]
    found += [code("ada", variant(99), PLAIN), code("ben", DISGUISED, variant(98))]
    comparison = closest_pairs(found, frozenset(), most=5)
    assert [(pair.one.student, pair.other.student) for pair in comparison.pairs] == [("ada", "ben")]
    assert comparison.submissions == 32 and comparison.median == 0


def test_what_all_wrote_counts_almost_nothing_and_what_two_wrote_all():
    common = [code(f"s{number}", PLAIN, variant(number)) for number in range(50)]
    pair = [code(name, PLAIN, variant(99)) for name in ("ada", "ben")]
    best, *others = closest_pairs([*common, *pair], frozenset(), most=9).pairs
    assert {best.one.student, best.other.student} == {"ada", "ben"} and best.score > 10 * others[0].score
    counts = weights([*common, *pair], frozenset())
    assert all(counts[one] < 0.01 for one in fingerprints(PLAIN))
    assert all(counts[one] == pytest.approx(1) for one in pair[0].places if one not in fingerprints(PLAIN))


def test_what_the_reference_solution_has_counts_a_quarter():
    class_ = [code("ada", PLAIN), code("ben", PLAIN), *(code(f"s{number}", variant(number)) for number in range(9))]
    free = closest_pairs(class_, frozenset(), most=1).pairs[0].score
    natural = closest_pairs(class_, frozenset(fingerprints(PLAIN)), most=1).pairs[0].score
    assert natural == pytest.approx(free / 4) and natural > 0


def test_identical_pairs_of_two_students_alone_are_seen():
    long = "\n".join(variant(number) for number in range(3))
    assert closest_pairs([code("ada", long), code("ben", long)], frozenset(), most=1).pairs[0].score == pytest.approx(1)
    assert closest_pairs([code("ada", long)], frozenset(), most=1).pairs == ()


def test_little_code_gives_a_low_score():
    line = "value = first + second * third - fourth / fifth\n"
    assert 0 < closest_pairs([code("ada", line), code("ben", line)], frozenset(), most=1).pairs[0].score < 0.5


def test_a_group_does_not_hide_other_pairs():
    group = [code(f"g{number}", variant(1)) for number in range(8)]
    others = [code("ada", variant(2), variant(3)), code("ben", variant(2), variant(4))]
    rest = [code(f"s{number}", variant(10 + number)) for number in range(20)]
    pairs = closest_pairs([*group, *others, *rest], frozenset(), most=14).pairs
    names = [name for pair in pairs for name in (pair.one.student, pair.other.student)]
    assert "ada" in names and max(names.count(name) for name in names) == MOST_OF_ONE


def test_what_every_student_was_given_does_not_count(tmp_path):
    prepared = [part.source for part in assignment(NAME).parts if part.kind == "code" and not part.is_answer]
    copied = untouched(NAME)
    copied.cells += [nbformat.v4.new_code_cell(source) for source in prepared]
    course = new_course(tmp_path, NAME, {"ada": untouched(NAME), "ben": copied, "cleo": answered(NAME)})
    found, left_out = read_answers(folders(course), assignment(NAME))
    assert [answers.student for answers in found] == ["cleo"]
    assert left_out.keys() == {"ada", "ben"} and all("no code" in reason for reason in left_out.values())
    assert provided(assignment(NAME)) and not provided(assignment(NAME)) & found[0].places.keys()
    assert reference(assignment(NAME)) >= found[0].places.keys()


def folders(course):
    return {place.name: place / NAME for place in sorted((course / "submitted").iterdir())}


def renamed(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Another student's work with names, comments and layout of their own, the cells in another order."""
    for one in book.cells:
        if one.metadata.get("nbgrader", {}).get("solution"):
            one.source = re.sub(r"(?<![.\w\"'])(layer|parts?|found|block)(?=\W)", r"my_\1", one.source)
            one.source = "# My own work\n" + one.source.replace("\n\n", "\n# so\n")
    return book


@pytest.fixture(scope="module")
def class_of_ten(tmp_path_factory):
    stored = ("right_reference", "right_functional", "right_hooks", "right_families", "wrong_heads", "right_subclass",
              "right_layer_hooks")  # fmt: skip
    books = {f"<b>{answer}": answered(NAME, answer) for answer in stored}
    books["copy"] = renamed(answered(NAME, "right_hooks"))
    books |= {"broken": b"{", "untouched": untouched(NAME)}
    course = new_course(tmp_path_factory.mktemp("course"), NAME, books)
    (course / "submitted" / "nothing" / NAME).mkdir(parents=True)
    return course


def test_a_whole_class(class_of_ten, tmp_path, capsys):
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    out = tmp_path / "page.html"
    assert main(["similarity", NAME, "--course", str(class_of_ten), "--out", str(out), "--pairs", "4"]) == 0
    said, text = capsys.readouterr().out, out.read_text(encoding="utf-8")
    first = next(line for line in said.splitlines() if " and " in line)
    assert "right_hooks" in first and "copy" in first
    assert NO_PROOF in said and NO_PROOF in text and "broken, nothing, untouched" in said
    assert "<b>" not in text and "&lt;b&gt;right_hooks" in text
    assert not re.search(r"cheat|plagiar|dishonest|copied|guilt|fraud|suspect|offen[cd]", (said + text).lower())
    assert 1 <= text.count("<section") <= 4 and text.count("<pre") == 2 * text.count("<section")
    assert '<html lang="en">' in text and "<title>" in text and "http" not in text and "<script" not in text
    assert all(f"<li>{student}: " in text for student in ("broken", "nothing", "untouched"))


def test_the_page_shows_the_lines_that_both_have_as_text():
    ada, ben = (code(name, f"{before}\n" + PLAIN + "\nlast = '</pre><script>'") for name, before in
                (("<ada>", "x = 1\n" * 20), ("ben & co", "y = 2\n" * 30)))  # fmt: skip
    others = [code(f"s{number}", variant(number)) for number in range(9)]
    text = page("a <title>", closest_pairs([ada, ben, *others], frozenset(), 1), {"<eve>": "<why>"})
    marked = re.findall(r"<mark>┃ (.*?)</mark>", text)
    assert marked.count("        if number &gt; weight and number % 2 == 0:") == 2
    assert "x = 1" not in "".join(marked) and text.count("x = 1") < 5, "of the rest little is shown"
    assert "&lt;ada&gt;" in text and "ben &amp; co" in text and "&lt;eve&gt;: &lt;why&gt;" in text
    assert "<script>" not in text and "<ada>" not in text and "a &lt;title&gt;" in text


@pytest.mark.parametrize(("arguments", "says"), [
    (["quiz-1"], "is a quiz"), (["ps9"], "There is no assignment ps9"), ([NAME, "--pairs", "0"], "--pairs must be"),
    ([NAME], "nothing to compare"),
])  # fmt: skip
def test_what_cannot_be_compared_is_refused_in_a_sentence(arguments, says, tmp_path, capsys):
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    course = new_course(tmp_path, NAME, {"ada": answered(NAME)})
    (course / "source" / "quiz-1").mkdir()
    (course / "source" / "quiz-1" / "quiz-1.ipynb").write_text(
        nbformat.writes(nbformat.v4.new_notebook(cells=[
            nbformat.v4.new_code_cell("questions.answer_is_right(", metadata={"nbgrader": {
                "grade_id": "test-q1", "grade": True, "points": 1, "solution": False, "locked": True}})])))  # fmt: skip
    assert main(["similarity", *arguments, "--course", str(course)]) == 2
    assert says in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_a_sentence(class_of_ten, tmp_path, capsys):
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    out = tmp_path / "none" / "page.html"
    assert main(["similarity", NAME, "--course", str(class_of_ten), "--out", str(out)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_thousand_submissions_are_compared_at_once():
    """Half a million pairs; the limit is far above what it takes, and far below what comparing texts would."""
    place = ((0, Place(0, 0)),)
    common = dict.fromkeys(range(300), place)
    found = [
        Answers(
            f"s{number}",
            (Cell("", ""),),
            common | dict.fromkeys(range(1000 * (number + 1), 1000 * number + 1100), place),
        )
        for number in range(1000)
    ]
    found[7] = Answers("s7", found[7].cells, found[500].places)
    start = time.perf_counter()
    best = closest_pairs(found, frozenset(), most=20).pairs[0]
    assert time.perf_counter() - start < 60
    assert {best.one.student, best.other.student} == {"s7", "s500"}


def test_a_gram_is_shorter_than_what_two_must_share():
    """Less than a gram has no fingerprint; a longer run always has one, whatever stands around it."""
    line = " + ".join(str(number) for number in range(40))
    assert not fingerprints(" ".join(["n"] * (GRAM - 1)))
    assert fingerprints(f"a = 7\n{line}\n").keys() & fingerprints(f"for b in c: pass\n{line}\nprint(9)").keys()
