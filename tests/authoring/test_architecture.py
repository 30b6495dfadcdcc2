"""The map of the house is what the imports say: the picture, the table, and no circle."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from course_utils.authoring import architecture
from course_utils.authoring.architecture import (
    FLOOR,
    PICTURE,
    ArchitectureError,
    boxes,
    described,
    draw,
    essential,
    imports,
    levels,
    main,
    modules,
    rooms,
)
from course_utils.files import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GRAPH = imports()
HOW = "run python -m course_utils.authoring.architecture"


@pytest.fixture
def house(tmp_path) -> Path:
    """A package with a floor of two modules and a room on it."""
    package = tmp_path / "course_utils"
    for name, text in {
        "__init__.py": "",
        "files.py": "",
        "images.py": "def later():\n    from course_utils.files import write\n",
        "quiz/__init__.py": "",
        "quiz/bank.py": "import course_utils.images\nfrom course_utils.quiz import words\nimport json\n",
        "quiz/words.py": "from course_utils import files\n",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    return package


def test_every_way_to_import_is_seen(house):
    graph = imports(house)
    assert graph["images"] == {"files"}
    assert graph["quiz.bank"] == {"images", "quiz.words"}
    assert graph["quiz.words"] == {"files"}
    assert rooms(graph, house) == {FLOOR: set(), "quiz": {FLOOR}}


def test_a_circle_is_named():
    with pytest.raises(ArchitectureError, match="a imports b imports a"):
        levels({"a": {"b"}, "b": {"a"}})


def test_an_arrow_that_another_way_says_is_left_out():
    assert essential({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_a_new_import_changes_the_picture(house):
    before = draw(imports(house), house)
    (house / "reports").mkdir()
    (house / "reports" / "page.py").write_text("from course_utils.quiz import bank\n", encoding="utf-8")
    after = draw(imports(house), house)
    assert "reports/" in after and "reports/" not in before


def test_the_picture_is_what_the_code_imports():
    assert PICTURE.read_text(encoding="utf-8") == draw(GRAPH), HOW


def test_the_command_says_so(capsys, monkeypatch, tmp_path):
    assert main(["--check"]) == 0
    monkeypatch.setattr(architecture, "PICTURE", tmp_path / "none.svg")
    assert main(["--check"]) == 1
    assert "run python -m" in capsys.readouterr().out


def test_rooms_do_not_import_in_a_circle_nor_do_modules():
    assert levels(rooms(GRAPH))
    assert levels(GRAPH)


def test_a_room_imports_only_what_the_page_says():
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.*)\|$", PAGE, re.MULTILINE)
    allowed = {room: set(re.findall(r"`(\w+)`", names)) for room, names in rows}
    found = rooms(GRAPH)
    assert allowed.keys() == found.keys(), "docs/architecture.md needs a row for each room"
    assert {room: targets - allowed[room] for room, targets in found.items() if targets - allowed[room]} == {}


def test_the_words_for_the_picture_are_those_of_the_code():
    assert f"![{described(GRAPH)}](architecture.svg)" in PAGE, f"the alt text should be: {described(GRAPH)}"


def test_every_module_that_the_page_names_is_there():
    names = set(re.findall(r"`((?:floor|quiz|grading|authoring|pretraining|reports)/\w+)`", PAGE))
    assert names
    assert {name.replace("/", ".") for name in names} <= modules().keys()


def test_nothing_in_the_picture_lies_on_something_else_or_leaves_its_box():
    root = ElementTree.fromstring(draw(GRAPH))
    right, bottom = (float(number) for number in root.attrib["viewBox"].split()[2:])
    placed = boxes(GRAPH)
    for number, box in enumerate(placed):
        assert box.x >= 0 and box.x + box.width <= right and box.y + box.height <= bottom
        assert all(architecture.LETTER * len(line) <= box.width - 12 for line in box.lines)
        for other in placed[number + 1 :]:
            beside = box.x + box.width <= other.x or other.x + other.width <= box.x
            assert beside or box.y + box.height <= other.y or other.y + other.height <= box.y
