"""Grade a submission in this process, in seconds: its cells and the real test cells in one namespace, no kernel.

nbgrader starts a kernel for each submission, and most of its time is the start of Python and torch. Tests of the
graders need hundreds of submissions, so they run here. What a student gets is still nbgrader's number;
``tests/instructor/`` compares the two.
"""

import ast
import contextlib
import io
import linecache
from collections.abc import Collection
from dataclasses import dataclass

from nbformat import NotebookNode

from course_utils.authoring.answers import is_answer


@dataclass(frozen=True)
class Graded:
    """What one test cell gave: its points, and what it told the student."""

    points: float
    said: str


def grade(source: NotebookNode, submission: NotebookNode, steps: Collection[str] | None = None) -> dict[str, Graded]:
    """Return the result of every test cell by its name, in their order.

    ``source`` is the instructor's notebook, whose test cells and locked cells run; answers come from ``submission``.
    With ``steps`` only the test cells of these names run, for whoever knows that the others are right.
    """
    session = Session()
    written = {cell.id: cell.source for cell in submission.cells if is_answer(cell)}
    wanted = [
        cell
        for cell in source.cells
        if steps is None or not cell.id.startswith("test-") or cell.id.removeprefix("test-") in steps
    ]
    return {name: graded for name, graded in session.run(wanted, written) if graded}


class Session:
    """A namespace in which cells run one after the other, as in a kernel; an error ends only its own cell."""

    def __init__(self) -> None:
        self.names: dict[str, object] = {"__name__": "__main__"}

    def run(self, cells: Collection[NotebookNode], written: dict[str, str]) -> list[tuple[str, Graded | None]]:
        """Run code cells, answer cells with the text in ``written``; each with its result if it is a test cell."""
        texts = {cell.id: cell.source for cell in cells} | written
        return [
            (cell.id.removeprefix("test-"), self._run_one(cell, texts[cell.id]))
            for cell in cells
            if cell.cell_type == "code"
        ]

    def _run_one(self, cell: NotebookNode, text: str) -> Graded | None:
        file = f"<{cell.id}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        if not cell.id.startswith("test-"):
            with contextlib.suppress(Exception, SystemExit), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(text, file, "exec"), self.names)  # a cell with %pip is no Python, and not needed here
            return None
        *body, last = ast.parse(text).body
        if not isinstance(last, ast.Expr):
            raise ValueError(f"The test cell {cell.id} does not end in its points.")
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(ast.Module(body, []), file, "exec"), self.names)
            points = eval(compile(ast.Expression(last.value), file, "eval"), self.names)
        return Graded(points, output.getvalue())
