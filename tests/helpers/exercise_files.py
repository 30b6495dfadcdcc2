"""Where the assignments lie, and their notebooks as nbgrader reads them."""

from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = ROOT / "exercises"
ASSIGNMENTS = sorted(path.name for path in (EXERCISES / "source").iterdir() if path.is_dir())


def notebook(step: str, name: str) -> nbformat.NotebookNode:
    return nbformat.read(EXERCISES / step / name / f"{name}.ipynb", as_version=4)


def graded_cells(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.metadata.get("nbgrader", {}).get("grade")]
