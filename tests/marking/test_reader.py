"""Reading what was handed in: every encoding and format that is really met, and a sentence for everything else."""

import json
import os

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marking_tools import answered, as_bytes

from course_utils.marking import reader
from course_utils.marking.reader import UnreadableNotebook, parse_notebook, read_notebook

BOOK = as_bytes(answered("quiz-1"))
PLAIN = parse_notebook(BOOK)


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii"]
)
def test_every_encoding_gives_the_same_cells(encoding):
    found = parse_notebook(BOOK.decode().encode(encoding))
    assert found.cells == PLAIN.cells
    assert bool(found.notes) == (encoding != "ascii")


def test_a_notebook_in_windows_1252_is_read_and_noted():
    text = json.dumps({"cells": [{"cell_type": "markdown", "source": "Größe"}]}, ensure_ascii=False)
    found = parse_notebook(text.encode("cp1252"))
    assert found.cells[0].source == "Größe"
    assert "not UTF-8" in found.notes[0]


def test_windows_line_ends_make_no_difference():
    book = json.loads(BOOK)
    for cell in book["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    assert parse_notebook(json.dumps(book, indent=1).replace("\n", "\r\n").encode()).cells == PLAIN.cells


def test_format_3_is_upgraded():
    old = nbformat.convert(nbformat.reads(BOOK.decode(), as_version=4), 3)
    found = parse_notebook(nbformat.writes(old, version=3).encode())
    assert [cell.source for cell in found.cells] == [cell.source for cell in PLAIN.cells]
    assert [cell.kind for cell in found.cells] == [cell.kind for cell in PLAIN.cells]
    assert "format 3" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\0" * 100, "empty"),
        (b"{", "not a complete notebook"),
        (BOOK[: len(BOOK) // 2], "not a complete notebook"),
        (b"[1, 2]", "no cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": [3]}', "is not a cell"),
        (b'{"cells": ' + b"[" * 100_000, "not a notebook"),
        (b'{"cells": [], "n": ' + b"9" * 5000 + b"}", "not a notebook"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b'{"cells": [' + b",".join([b"{}"] * 2001) + b"]}", "2001 cells"),
        (b"PK\x03\x04" + bytes(range(256)), "not a complete notebook"),
    ],
)
def test_what_is_no_notebook_gets_a_sentence(content, said):
    with pytest.raises(UnreadableNotebook, match=said):
        parse_notebook(content)


def test_links_folders_pipes_and_giants_are_not_read(tmp_path, monkeypatch):
    target = tmp_path / "target.ipynb"
    target.write_bytes(BOOK)
    (tmp_path / "link.ipynb").symlink_to(target)
    (tmp_path / "dangling.ipynb").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.ipynb").mkdir()
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name, said in {"link": "link", "dangling": "link", "folder": "folder", "pipe": "device"}.items():
        with pytest.raises(UnreadableNotebook, match=said):
            read_notebook(tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(reader, "MOST_BYTES", 100)
    with pytest.raises(UnreadableNotebook, match="MB"):
        read_notebook(target)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(content):
    try:
        parse_notebook(content)
    except UnreadableNotebook as error:
        assert str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["cells", "cell_type", "source", "metadata", "nbgrader", "grade_id", "id", "worksheets"]), inner
    ),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_no_structure_makes_the_reader_fail(cells):
    for book in ({"cells": cells}, {"worksheets": cells}):
        try:
            found = parse_notebook(json.dumps(book).encode())
        except UnreadableNotebook:
            continue
        assert all(isinstance(cell.grade_id, str) and isinstance(cell.source, str) for cell in found.cells)
