"""Lessons: the notebooks match their scripts, and every lesson keeps the rules that readers rely on."""

import html
import itertools
import re
from pathlib import Path

import nbformat
import pytest

from course_utils.authoring import lessons
from course_utils.authoring.lessons import (
    ROOT,
    build,
    course_settings,
    execute,
    executed_of,
    lesson_scripts,
    notebook_of,
    same_content,
    stale_notebooks,
    write,
)
from course_utils.quiz.bank import load_bank

SCRIPTS = lesson_scripts()
BANK = load_bank()

LOCAL_LINK = r"\]\((?!https?:|#)([^)]+)\)"

SCRIPT = """\
# %% [markdown]
# # A lesson

# %% covers=["S1"]
print("hello")

# %%
import sys
print("10%\\r20%\\r30%")
print("oops", file=sys.stderr)

# %% tags=["raises-exception"]
1 / 0
"""


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "lessons").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.course]\nrepository = "somebody/their-course"\nrelease = "v7"\n', encoding="utf-8"
    )
    (tmp_path / "lessons" / "00_hello.py").write_text(SCRIPT, encoding="utf-8")
    return tmp_path


# The builder


def test_badge_and_install_come_right_after_the_title_and_name_this_notebook(project):
    notebook = build(project / "lessons" / "00_hello.py")
    title, badge, install, *_ = notebook.cells
    assert title.source == "# A lesson"
    assert "github/somebody/their-course/blob/v7/notebooks/00_hello.ipynb" in badge.source
    assert "git+https://github.com/somebody/their-course@v7" in install.source


def test_a_fork_changes_one_line(project):
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace("somebody/their-course", "fork/course"))
    text = nbformat.writes(build(project / "lessons" / "00_hello.py"))
    assert "fork/course" in text
    assert "somebody" not in text


def test_the_same_script_builds_the_same_notebook(project):
    script = project / "lessons" / "00_hello.py"
    assert nbformat.writes(build(script)) == nbformat.writes(build(script))


def test_editing_one_cell_changes_one_id(project):
    script = project / "lessons" / "00_hello.py"
    before = [cell.id for cell in build(script).cells]
    script.write_text(SCRIPT.replace("hello", "good morning"))
    after = [cell.id for cell in build(script).cells]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_two_equal_cells_get_different_ids(project):
    script = project / "lessons" / "00_hello.py"
    script.write_text('# %% [markdown]\n# # T\n\n# %%\nprint("x")\n\n# %%\nprint("x")\n')
    ids = [cell.id for cell in build(script).cells]
    assert len(set(ids)) == len(ids)


def test_execution_stores_tidy_outputs(project):
    notebook = build(project / "lessons" / "00_hello.py")
    execute(notebook, project)
    hello, progress, error = notebook.cells[3:6]
    assert hello.outputs[0].text == "hello\n"
    assert hello.metadata == {"covers": ["S1"]}
    assert progress.outputs[0].text == "30%\n"
    assert error.outputs[0].ename == "ZeroDivisionError"
    assert "ipykernel" not in nbformat.writes(notebook)
    assert str(project) not in nbformat.writes(notebook)


def test_printed_pieces_are_joined_and_half_done_progress_bars_dropped(project):
    script = project / "lessons" / "00_hello.py"
    pieces = 'print("one ", end="", flush=True)\nprint("two")'
    bar = "from tqdm.notebook import tqdm\nfor _ in tqdm(range(2)): pass"
    script.write_text(f"# %% [markdown]\n# # T\n\n# %%\n{pieces}\n\n# %%\n{bar}\n")
    notebook = build(script)
    execute(notebook, project)
    *_, printed, progress = notebook.cells
    assert [output.text for output in printed.outputs] == ["one two\n"]
    assert progress.outputs == []


def test_an_error_that_no_tag_expects_stops_the_build(project):
    script = project / "lessons" / "00_hello.py"
    script.write_text(SCRIPT.replace('# %% tags=["raises-exception"]', "# %%"))
    with pytest.raises(Exception, match="ZeroDivisionError"):
        execute(build(script), project)


def test_stale_missing_and_orphaned_notebooks_are_named(project):
    script = project / "lessons" / "00_hello.py"
    both = ["notebooks/00_hello.ipynb", "docs/lessons/00_hello.ipynb"]
    assert stale_notebooks(project) == [f"{name} is missing" for name in both]
    for path in (notebook_of(script), executed_of(script)):
        write(build(script), path)
    assert stale_notebooks(project) == []
    script.write_text(SCRIPT.replace("hello", "bye"))
    write(build(script), project / "notebooks" / "07_left_over.ipynb")
    assert stale_notebooks(project) == [
        *(f"{name} does not match lessons/00_hello.py" for name in both),
        "notebooks/07_left_over.ipynb has no script in lessons/",
    ]


def test_a_students_notebook_with_outputs_is_noticed(project):
    script = project / "lessons" / "00_hello.py"
    notebook = build(script)
    write(notebook, executed_of(script))
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="an answer")]
    write(notebook, notebook_of(script))
    assert stale_notebooks(project) == ["notebooks/00_hello.ipynb holds outputs"]


def test_an_edited_notebook_is_noticed(project):
    script = project / "lessons" / "00_hello.py"
    notebook = build(script)
    notebook.cells[3].source = "print('edited by hand')"
    assert not same_content(build(script), notebook)


def test_a_new_link_or_text_keeps_the_outputs_and_new_code_does_not(project, monkeypatch, capsys):
    script = project / "lessons" / "00_hello.py"
    executed = build(script)
    execute(executed, project)
    write(executed, executed_of(script))
    monkeypatch.setattr(lessons, "lesson_scripts", lambda root=project: lesson_scripts(project))
    monkeypatch.setattr(lessons, "require_repository", lambda: None)
    monkeypatch.setattr(lessons, "execute", lambda *_: pytest.fail("a lesson was run"))
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"v7"', '"v8"'))
    script.write_text(SCRIPT.replace("# A lesson", "# The lesson"))
    assert lessons.main(["--no-run"]) == 0
    assert stale_notebooks(project) == []
    kept = nbformat.read(executed_of(script), as_version=4)
    assert [cell.get("outputs") for cell in kept.cells] == [cell.get("outputs") for cell in executed.cells]
    assert "blob/v8/" in kept.cells[1].source
    script.write_text(SCRIPT.replace("hello", "good morning"))
    before = executed_of(script).read_bytes()
    assert lessons.main(["--no-run"]) == 2
    assert "without --no-run" in capsys.readouterr().err
    assert executed_of(script).read_bytes() == before


def test_a_lesson_that_is_not_there_is_named(capsys):
    assert lessons.main(["98"]) == 2
    assert "No lesson 98" in capsys.readouterr().err


# The lessons themselves


def test_every_notebook_matches_its_script():
    assert SCRIPTS
    assert stale_notebooks() == []


@pytest.fixture(params=SCRIPTS, ids=lambda script: script.stem)
def stored(request):
    return nbformat.read(executed_of(request.param), as_version=4)


def test_the_lessons_have_what_the_rules_below_are_about():
    """A rule about figures or links would hold by itself in a course that has none."""
    books = [nbformat.read(executed_of(script), as_version=4) for script in SCRIPTS]
    outputs = [output for book in books for cell in book.cells for output in cell.get("outputs", [])]
    assert sum("<img src=" in output.get("data", {}).get("text/html", "") for output in outputs) > len(books)
    assert any(output.output_type == "error" for output in outputs)
    assert sum(bool(re.search(LOCAL_LINK, text_of(book, "markdown"))) for book in books) > len(books) / 2


def text_of(notebook, kind: str) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == kind)


def test_headings_have_one_title_and_no_gaps(stored):
    words = re.sub(r"^```.*?^```", "", text_of(stored, "markdown"), flags=re.MULTILINE | re.DOTALL)
    levels = [len(marks) for marks in re.findall(r"^(#{1,6}) ", words, flags=re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(levels))


def test_the_first_cell_says_what_how_long_and_what_is_needed(stored):
    first = stored.cells[0].source.lower()
    assert "after this lesson you can" in first
    assert re.search(r"\*\*time:\*\* \d+ minutes", first)
    assert "**you need:**" in first


def test_there_are_three_self_checks_and_none_is_graded_elsewhere(stored):
    in_cells = re.findall(r'\bask\("([^"]+)"\)', text_of(stored, "code"))
    in_text = re.findall(r'\bask\("([^"]+)"\)', text_of(stored, "markdown"))
    assert len(in_cells) >= (0 if "Appendix" in stored.cells[0].source else 3)
    for question in in_cells + in_text:
        assert question in BANK, f"{question} is no practice question"


def test_the_map_gives_each_lesson_the_minutes_that_it_gives_itself():
    start = SCRIPTS[0].read_text(encoding="utf-8").split("# | Lesson | The question | Minutes |")[1]
    on_the_map = [int(minutes) for minutes in re.findall(r"^# \|.*\| (\d+) \|$", start, flags=re.MULTILINE)]
    own = [re.search(r"\*\*Time:\*\* (\d+) minutes", script.read_text(encoding="utf-8")) for script in SCRIPTS]
    assert on_the_map == [int(minutes[1]) for minutes in own]


def test_it_ends_with_what_you_know_and_where_to_go(stored):
    end = "\n".join(cell.source for cell in stored.cells[-4:]).lower()
    assert "what you now know" in end
    assert "practise" in end


def test_links_to_other_lessons_lead_somewhere(stored):
    for target in re.findall(LOCAL_LINK, text_of(stored, "markdown")):
        assert (ROOT / "notebooks" / target.split("#")[0]).exists(), target


def test_nothing_is_stored_that_a_student_should_not_see(stored):
    for cell in stored.cells:
        if cell.cell_type != "code":
            continue
        assert len(cell.source.splitlines()) <= 25, cell.source
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.source
            if output.output_type == "error":
                assert "raises-exception" in cell.metadata.get("tags", [])
            assert not re.search(r"(/root|/home|/tmp|site-packages/torch)", str(output)), cell.source
            assert "Warning" not in str(output.get("text", "")) or "warn" in cell.source, cell.source


def test_every_figure_has_an_alt_text(stored):
    for cell in stored.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert "image/png" not in data, "a picture without a text: show it with plots.show"
            for alt in re.findall(r'<img src="data:[^"]+" alt="([^"]*)"', data.get("text/html", "")):
                assert len(alt) > 30 and html.unescape(alt) == data["text/plain"], cell.source


def test_no_markdown_picture_is_without_words(stored):
    assert not re.search(r"!\[\s*\]\(", text_of(stored, "markdown"))


def test_badges_follow_the_setting_in_pyproject(stored):
    assert course_settings()["repository"] in stored.cells[1].source
