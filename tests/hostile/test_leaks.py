"""What a submission could see of the tests, the solutions and the keys: nothing, wherever it looks.

It gets digests of all secret lines, never the lines, and looks for them after all tests have run: in every file that
it can open, and in every text that its process holds. Two lines that are there to be found show that it really looks.
"""

import hashlib
import re

import nbformat
import pytest
from exercise_files import EXERCISES, ROOT, notebook
from marking_tools import LIMITS, answered, assignment, marked, total

from course_utils.marking import bridge
from course_utils.marking.engine import trusted_modules
from course_utils.marking.results import Status
from course_utils.marking.sandbox import Sandbox, why_not_safe

pytestmark = pytest.mark.skipif(bool(why_not_safe()), reason=why_not_safe() or "there is a sandbox")

SHORTEST = 30  # characters of a line that says something; shorter ones stand in any program
HIDDEN = re.compile(r"### BEGIN (?:HIDDEN TESTS|SOLUTION)\n(.*?)### END", flags=re.DOTALL)
THERE_TO_BE_FOUND = bridge.__doc__.splitlines()[2]  # in a file of the package, and as a text of a module

SEARCH = """
import gc, hashlib, os, types

def look(where, text):
    for line in text.splitlines():
        line = line.strip()
        if len(line) >= {shortest} and hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:20] in wanted:
            print("FOUND", where, line[:60])

wanted = set({wanted})
for folder, inside, files in os.walk("/"):
    inside[:] = [name for name in inside if name not in ("site-packages", "usr", "lib", "lib64", "sys", "dev")]
    if folder.endswith("site-packages/course_utils"):
        inside[:] = []
    for file in files:
        path = os.path.join(folder, file)
        try:
            if os.path.getsize(path) < 20_000_000:
                with open(path, errors="replace") as stream:
                    look("file", stream.read())
        except OSError:
            pass

def texts(thing, seen):
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if type(thing) is str:
        look("object", thing)
    elif type(thing) in (bytes, bytearray):
        look("object", thing.decode("utf-8", "replace"))
    elif type(thing) is types.CodeType:
        for one in thing.co_consts:
            texts(one, seen)

gc.unfreeze()
seen = set()
for thing in gc.get_objects():
    for one in (thing, *gc.get_referents(thing)):
        texts(one, seen)
print("looked at", len(seen) > 10_000)
"""


def digest(line: str) -> str:
    return hashlib.sha256(line.strip().encode("utf-8", "replace")).hexdigest()[:20]


def lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= SHORTEST}


def secrets(name: str) -> set[str]:
    """Lines of hidden tests, solutions and questions with their keys that neither the student nor the package has."""
    source = "\n".join(cell.source for cell in notebook("source", name).cells)
    found = set().union(*(lines(hidden) for hidden in HIDDEN.findall(source)))
    if name.startswith("quiz"):
        found |= set().union(*(lines(path.read_text("utf-8")) for path in (EXERCISES / "questions").rglob("*.yaml")))
    public = [cell.source for cell in notebook("release", name).cells]
    public += [path.read_text("utf-8") for path in (ROOT / "course_utils").rglob("*.py")]
    public += [path.read_text("utf-8") for path in (ROOT / "course_utils").rglob("*.yaml")]
    return found - set().union(*map(lines, public))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quiz-1", "ps1-heads", "ps4-metrics"])
def test_no_secret_line_is_anywhere_in_sight(name):
    hidden = secrets(name)
    assert len(hidden) > 20
    book = answered(name)
    wanted = sorted({digest(line) for line in (*hidden, THERE_TO_BE_FOUND)})
    search = SEARCH.format(shortest=SHORTEST, wanted=wanted)
    # Its own answers are the solution; they are no secret to it any more.
    own = set().union(*(lines(cell.source) for cell in book.cells))
    book.cells.append(nbformat.v4.new_code_cell(search))
    with Sandbox("safe", LIMITS.memory, trusted_modules(assignment(name))) as sandbox:
        record = marked(book, name, sandbox)
    assert (record.status, record.score) == (Status.GRADED, total(name)), record.reason
    said = "\n".join(text for _, text in record.outputs)
    found = {tuple(line.split(" ", 2)[1:]) for line in said.splitlines() if line.startswith("FOUND")}
    there = {(where, THERE_TO_BE_FOUND[:60]) for where in ("file", "object")}
    assert there <= found, "it has not looked everywhere"
    assert "looked at True" in said
    assert {text for _, text in found - there} <= {line[:60] for line in own}
    seen_later = lines(said + "\n" + "\n".join(result.output for result in record.cells))
    assert not seen_later & (hidden - own)
