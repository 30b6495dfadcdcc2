"""Honest but clumsy submissions: right answers in unusual surroundings, which must score in full."""

import nbformat
import pytest
from marking_tools import answered, as_bytes, cell, marked, total, warm_sandbox

from course_utils.marking.results import Status
from course_utils.marking.sandbox import why_not_safe

pytestmark = pytest.mark.skipif(bool(why_not_safe()), reason=why_not_safe() or "there is a sandbox")

# Cells of the student's own, before all answers.
CELLS = {
    "prints_a_lot": "for i in range(20_000):\n    print('epoch', i)",
    "long_table": "print(list(range(100_000)))",
    "warns": "import warnings\nwarnings.warn('careful')",
    "deprecated": "import numpy as np\nnp.array([1, 2]).tostring if hasattr(np.ndarray, 'tostring') else None",
    "writes_to_stderr": "import sys\nprint('to stderr', file=sys.stderr)",
    "logs": "import logging\nlogging.basicConfig(level='DEBUG')\nlogging.error('not so bad')",
    "plots": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "plots_inline": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.hist([1, 2, 2])",
    "magics": "%load_ext autoreload\n%autoreload 2\n%who",
    "times": "%time sum(range(1000))",
    "cell_magic": "%%time\nx = 3",
    "shell": "!echo hello",
    "help": "?len",
    "displays": "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<b>x</b>'), Markdown('# x'))",
    "progress": "from tqdm.auto import tqdm\nfor _ in tqdm(range(100)):\n    pass",
    "await": "import asyncio\nawait asyncio.sleep(0)",
    "error": "1 / 0",
    "typo": "pritn('x')",
    "syntax": "def half(:",
    "missing_module": "import a_module_that_nobody_has",
    "missing_file": "open('my_photo.jpg')",
    "downloads": "import urllib.request\nurllib.request.urlopen('https://example.org', timeout=1)",
    "writes_files": "open('notes.txt', 'w').write('x')\nimport os\nos.makedirs('out', exist_ok=True)",
    "temporary_file": "import tempfile\nwith tempfile.NamedTemporaryFile() as f:\n    f.write(b'x')",
    "threads": "from concurrent.futures import ThreadPoolExecutor as P\nwith P(4) as p:\n    list(p.map(abs, [1]))",
    "sub_process": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(1)'], check=True)",
    "seeds": "import random, numpy as np, torch\nrandom.seed(1); np.random.seed(1); torch.manual_seed(1)",
    "names_of_tests": "points = 3\nexpect = None\nquestions = 'none'\nPoints = int",
    "names_of_modules": "torch = None\nnn = None",
    "no_grad": "import torch\ntorch.set_grad_enabled(False)",
    "pandas": "import pandas as pd\npd.DataFrame({'a': [1]})",
    "slow_but_right": "import time\ntime.sleep(3)",
    "input": "name = input('your name? ')",
    "exit": "exit",
    "globals": "globals()['helper'] = 1",
    "class": "class Notes:\n    def __repr__(self):\n        return 'mine'\nNotes()",
    "unicode": "größe = 'ä ⚘ 中'\nprint(größe)",
    "indented": "  x = 1",
    "empty": "",
    "comment": "# TODO: ask about question 3",
    "course": "from course_utils import hint\nimport course_utils",
}  # fmt: skip
ALWAYS = ("error", "names_of_tests", "input")


def full_marks(book, name):
    record = marked(book, name, warm_sandbox())
    said = "\n".join(result.output for result in record.cells if result.earned != result.maximum)
    assert record.status in (Status.GRADED, Status.STUDENT_ERROR), record.reason
    assert record.score == total(name), said
    return record


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in ALWAYS else pytest.mark.slow) for n in CELLS])
@pytest.mark.parametrize("work", ["quiz-1", "ps4-metrics"])
def test_clumsy_cells_cost_nothing(work, name):
    book = answered(work)
    book.cells.insert(1, nbformat.v4.new_code_cell(CELLS[name]))
    book.cells.append(nbformat.v4.new_code_cell(CELLS[name]))
    full_marks(book, work)


def test_answers_that_are_computed():
    book = answered("quiz-1")
    for number in range(1, 16):
        answer = cell(book, f"q{number}")
        answer.source += f"\nguess = q{number}\nq{number} = [guess][0] if guess else 'z'"
    full_marks(book, "quiz-1")


def test_numbers_of_numpy_and_torch_are_numbers():
    book = answered("quiz-2")
    book.cells.insert(1, nbformat.v4.new_code_cell("import numpy as np, torch"))
    cell(book, "q2").source = "q2 = np.float32(384)"
    cell(book, "q3").source = "q3 = torch.tensor(232.0)"
    record = marked(book, "quiz-2", warm_sandbox())
    assert record.score == total("quiz-2"), record.cells


def test_windows_line_ends():
    for work in ("quiz-1", "ps4-metrics"):
        book = answered(work)
        for one in book.cells:
            one.source = one.source.replace("\n", "\r\n")
        full_marks(as_bytes(book).replace(b"\n", b"\r\n"), work)


def test_a_solution_in_several_cells_with_helpers_under_other_names():
    book = answered("ps4-metrics")
    for one in [one for one in book.cells if one.metadata.get("nbgrader", {}).get("solution")]:
        name = one.metadata.nbgrader.grade_id
        book.cells.insert(
            book.cells.index(one), nbformat.v4.new_code_cell(one.source.replace(f"def {name}(", f"def my_{name}("))
        )
        one.source = f"{name} = my_{name}"
    full_marks(book, "ps4-metrics")


def test_a_warning_in_the_function_that_is_tested():
    book = answered("ps4-metrics")
    cell(book, "accuracy").source += (
        "\n_plain = accuracy\n"
        "def accuracy(*args):\n"
        "    import sys, warnings\n"
        "    warnings.warn('careful')\n"
        "    print('loud', file=sys.stderr)\n"
        "    print('loud')\n"
        "    return _plain(*args)"
    )
    record = full_marks(book, "ps4-metrics")
    told = next(result.output for result in record.cells if result.grade_id == "test-accuracy")
    assert "Your code printed: loud" in told
