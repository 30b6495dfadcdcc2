"""Build ``notebooks/`` and ``docs/lessons/`` from ``lessons/``, one plain-text script a lesson.

Students open ``notebooks/``, which hold no outputs: no answer is on the screen before it was asked for. The same
lessons with their outputs lie in ``docs/lessons/``, for those who only read, for the site, and for the comparison in
``make test``.

    python -m course_utils.authoring.lessons               build and run every lesson
    python -m course_utils.authoring.lessons 01 05         only these
    python -m course_utils.authoring.lessons --no-run      keep the stored outputs: new text or a new Colab link
    python -m course_utils.authoring.lessons --check       say which notebooks do not match their script

A notebook is its script plus two cells at the top: the Colab link and the Colab install, both made from
``[tool.course]`` in ``pyproject.toml``. The build leaves nothing in a notebook that changes by itself: cell ids
come from the cell's text, and times, widget views and machine paths are not stored.
"""

import argparse
import hashlib
import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.errors import CourseError
from course_utils.files import ROOT, write_text

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What the stored outputs are made with, so that they do not depend on who builds, or on how fast.
BUILD_ENVIRONMENT = {
    "COURSE_WEIGHTS": "course",
    "COURSE_DEVICE": "cpu",
    "TQDM_DISABLE": "1",
    "COURSE_GUESSES": "skip",  # nobody is there to guess
}

# It ends in one sentence where pip fails, so that no later cell is the first to say that something is missing.
INSTALL_CELL = """\
# Only for Colab: fetches the course. Everywhere else this cell does nothing.
import importlib, importlib.util, sys
if "google.colab" in sys.modules and importlib.util.find_spec("course_utils") is None:
    %pip install -q "pretrained-vision-course @ {package}"
    importlib.invalidate_caches()
    if importlib.util.find_spec("course_utils") is None:
        class NotInstalled(ImportError):
            def _render_traceback_(self):
                return [str(self)]
        raise NotInstalled("The course was not installed; pip says why above. Run this cell again, then the next.")"""


class NoRepository(CourseError, RuntimeError):
    """The sources of the course are not where the package lies."""


class OutputsStale(CourseError, RuntimeError):
    """Stored outputs do not belong to the code that a lesson has."""


def require_repository(root: Path = ROOT) -> None:
    """Do nothing in the course's repository; raise NoRepository where the package was installed without it.

    An installed package has no lessons to build from, and "nothing is out of date" would be no answer there.
    """
    if not lesson_scripts(root) or not (root / "pyproject.toml").is_file():
        raise NoRepository(
            f"This builds from the course's repository, and {root} is none: it has no lessons/. "
            "Clone the repository, install it with pip install -e ., and run the command there."
        )


def lesson_scripts(root: Path = ROOT) -> list[Path]:
    """Return the lesson scripts in course order."""
    return sorted((root / "lessons").glob("[0-9][0-9]_*.py"))


def notebook_of(script: Path) -> Path:
    """Return the path of the notebook that is built from ``script``."""
    return script.parents[1] / "notebooks" / f"{script.stem}.ipynb"


def executed_of(script: Path) -> Path:
    """Return the path of the same notebook with its outputs."""
    return script.parents[1] / "docs" / "lessons" / f"{script.stem}.ipynb"


def course_settings(root: Path = ROOT) -> dict[str, str]:
    """Return ``[tool.course]`` of pyproject.toml: ``repository`` as owner/name, and ``release``, a git tag."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]


def colab_link(notebook: str, settings: dict[str, str]) -> str:
    """Return the address that opens ``notebook`` (a path in the repository) in Colab."""
    return f"https://colab.research.google.com/github/{settings['repository']}/blob/{settings['release']}/{notebook}"


def binder_link(settings: dict[str, str]) -> str:
    """Return the address that starts the release on mybinder.org and opens the first lesson in JupyterLab."""
    first = "notebooks/00_start_here.ipynb"
    return f"https://mybinder.org/v2/gh/{settings['repository']}/{settings['release']}?urlpath=lab/tree/{first}"


def site_link(settings: dict[str, str]) -> str:
    """Return the address at which GitHub Pages publishes the site of the repository."""
    owner, name = settings["repository"].split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def colab_cells(notebook: str, settings: dict[str, str]) -> list[NotebookNode]:
    """Return the link and the install cell; the second does nothing outside Colab."""
    link = colab_link(notebook, settings)
    # Words, no picture: a picture from Colab would be fetched on opening, and the course asks no other host.
    badge = f"**[Open this lesson in Colab]({link})**"
    package = f"git+https://github.com/{settings['repository']}@{settings['release']}"
    return [new_markdown_cell(badge), new_code_cell(INSTALL_CELL.format(package=package))]


def build(script: Path, settings: dict[str, str] | None = None) -> NotebookNode:
    """Return the notebook of ``script``, not yet executed, the same for the same script and settings."""
    settings = settings or course_settings(script.parents[1])
    lesson = jupytext.read(script, fmt="py:percent")
    cells = lesson.cells
    # The title stays the first thing a reader meets; badge and install come right after it.
    cells[1:1] = colab_cells(f"notebooks/{script.stem}.ipynb", settings)
    notebook = new_notebook(cells=cells, metadata=METADATA)
    give_stable_ids(notebook)
    return notebook


def give_stable_ids(notebook: NotebookNode) -> None:
    """Name each cell after its own text, so that a rebuild changes only the cells that were edited."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def reuse_outputs(notebook: NotebookNode, stored: NotebookNode) -> None:
    """Give ``notebook`` the outputs of ``stored``; raises OutputsStale where the code of a lesson's cell has changed.

    The install cell may differ: it does nothing where lessons are built.
    """
    new, old = ([cell for cell in book.cells if cell.cell_type == "code"] for book in (notebook, stored))
    if [cell.source for cell in new[1:]] != [cell.source for cell in old[1:]]:
        raise OutputsStale("The code of the lesson has changed, so its outputs must be made again, without --no-run.")
    for cell, before in zip(new, old, strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell in ``folder`` and store tidy outputs; an error that no tag expects stops the build."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as empty:
        os.environ.update(BUILD_ENVIRONMENT, COURSE_PROGRESS=f"{empty}/progress.json")
        try:
            NotebookClient(
                notebook, timeout=900, record_timing=False, resources={"metadata": {"path": str(folder)}}
            ).execute()
        finally:
            os.environ.clear()
            os.environ.update(before)
    notebook.metadata = NotebookNode(METADATA)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [tidy for output in _joined(cell.outputs) if (tidy := _tidy(output))]


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join printed text that arrived in pieces: where it was cut depends on the clock."""
    joined: list[NotebookNode] = []
    for output in outputs:
        before = joined[-1] if joined else NotebookNode(output_type="none")
        if before.output_type == output.output_type == "stream" and before.name == output.name:
            before.text += output.text
        else:
            joined.append(output)
    return joined


def _tidy(output: NotebookNode) -> NotebookNode | None:
    if output.output_type == "stream":
        # A terminal shows only what follows the last carriage return of a line.
        output.text = re.sub(r"[^\n]*\r(?!\n)", "", output.text)
        return output if output.text else None
    if "data" in output:
        # A stored widget view is dead without its kernel; the text beside it stays readable, unless it is a half-done
        # progress bar (tqdm's notebook bar does not look at TQDM_DISABLE).
        widget = output.data.pop("application/vnd.jupyter.widget-view+json", None)
        progress_bar = widget and re.match(r"[^|]*\d+%\|", output.data.get("text/plain", ""))
        return output if output.data and not progress_bar else None
    if output.output_type == "error":
        output.traceback = [_without_paths(line) for line in output.traceback]
    return output


def _without_paths(line: str) -> str:
    line = re.sub(r"\S*ipykernel_\d+/\d+\.py", "cell", line)
    return re.sub(r"(/[^\s:]+)?/(site-packages|lib/python[\d.]+)/", "…/", line)


def same_content(built: NotebookNode, stored: NotebookNode) -> bool:
    """Compare everything the script decides: cells, ids and metadata, not the outputs."""

    def authored(notebook: NotebookNode) -> list[tuple]:
        return [(cell.cell_type, cell.id, cell.source, dict(cell.metadata)) for cell in notebook.cells]

    return authored(built) == authored(stored) and dict(built.metadata) == dict(stored.metadata)


def stale_notebooks(root: Path = ROOT) -> list[str]:
    """Return a line for every notebook that is missing, out of date, or has no script."""
    problems = []
    scripts = lesson_scripts(root)
    for path_of in (notebook_of, executed_of):
        for script in scripts:
            path = path_of(script)
            name = path.relative_to(root).as_posix()
            if not path.is_file():
                problems.append(f"{name} is missing")
                continue
            notebook = nbformat.read(path, as_version=4)
            if not same_content(build(script), notebook):
                problems.append(f"{name} does not match lessons/{script.name}")
            elif path_of is notebook_of and any(cell.get("outputs") for cell in notebook.cells):
                problems.append(f"{name} holds outputs")
    expected = {path_of(script) for script in scripts for path_of in (notebook_of, executed_of)}
    found = {*(root / "notebooks").glob("*.ipynb"), *(root / "docs" / "lessons").glob("*.ipynb")}
    orphans = sorted(path.relative_to(root).as_posix() for path in found - expected)
    return problems + [f"{orphan} has no script in lessons/" for orphan in orphans]


def write(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook whole or not at all, with Unix line ends on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, nbformat.writes(notebook) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Build and run lessons, or check the notebooks; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.authoring.lessons", description="Build notebooks/ and docs/lessons/ from lessons/."
    )
    parser.add_argument("lessons", nargs="*", help="numbers such as 01; default: all")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a notebook is out of date")
    parser.add_argument("--no-run", action="store_true", help="keep the stored outputs; refused where code has changed")
    options = parser.parse_args(arguments)
    try:
        require_repository()
    except NoRepository as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        problems = stale_notebooks()
        print("\n".join(problems) or "Every notebook matches its script.")
        return 1 if problems else 0
    chosen = [s for s in lesson_scripts() if not options.lessons or s.stem.split("_")[0] in options.lessons]
    unknown = set(options.lessons) - {script.stem.split("_")[0] for script in chosen}
    if unknown:
        print(f"No lesson {', '.join(sorted(unknown))} in lessons/.", file=sys.stderr)
        return 2
    for script in chosen:
        notebook = build(script)
        if options.no_run:
            try:
                reuse_outputs(notebook, nbformat.read(executed_of(script), as_version=4))
            except (OutputsStale, OSError) as error:
                print(f"{script.stem}: {error}", file=sys.stderr)
                return 2
        write(build(script), notebook_of(script))
        if not options.no_run:
            print(f"{script.stem}: running", flush=True)
            execute(notebook, notebook_of(script).parent)
        write(notebook, executed_of(script))
    return 0


if __name__ == "__main__":
    sys.exit(main())
