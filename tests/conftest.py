"""What all tests share: no network, no forced settings, and copies of the course that a test may write into."""

import operator
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ci_skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401 - pytest finds hooks here

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("MPLBACKEND", "Agg")  # figures without a screen, also in the processes that tests start

if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a core of its own, also for the processes that it starts
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The files that take longest. Where several processes share the tests (make test), nobody waits for these at the end.
LONGEST_FIRST = (
    *("test_same_scores.py", "test_answers.py", "test_nbgrader_loop.py", "test_hostile.py", "test_mutants.py"),
    *("test_command.py", "test_picture_page.py", "test_docs.py", "test_heads.py", "test_doctor.py"),
)
# Their tests of one assignment share what is slow to make, those of two do not.
BY_ASSIGNMENT = ("test_same_scores.py", "test_answers.py", "test_mutants.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin."""
    items.sort(key=lambda item: LONGEST_FIRST.index(item.path.name) if item.path.name in LONGEST_FIRST else 99)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each file to one process, and the longest in pieces."""
    from xdist.scheduler import LoadFileScheduling

    class LoadPiecesScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            assignment = re.search(r"\[((ps|quiz-)[0-9])", nodeid)
            return f"{file} {assignment[1]}" if file.endswith(BY_ASSIGNMENT) and assignment else file

    return LoadPiecesScheduling(config, log)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch, tmp_path):
    """A developer's own COURSE_WEIGHTS must not decide what a test sees, nor a test touch their answers."""
    for name in [name for name in os.environ if name.startswith("COURSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


@pytest.fixture(autouse=True)
def same_numbers_every_time():
    """Random weights and pictures are the same in each run, whichever tests ran before on the same process."""
    seed = int(os.environ.get("TEST_SEED", "0"))
    random.seed(seed)
    for name, start in (("numpy", "random.seed"), ("torch", "manual_seed")):
        if name in sys.modules:
            operator.attrgetter(start)(sys.modules[name])(seed)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Refuse every connection that leaves this computer, at once, so that tests behave the same everywhere."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def is_here(host) -> bool:
        return host in (None, "", "localhost", "::1") or str(host).startswith("127.")

    def connect_here(self, address):
        if isinstance(address, tuple) and not is_here(address[0]):
            raise OSError(f"tests have no network: {address[0]}")
        return connect(self, address)

    def look_up_here(host, *arguments, **options):
        if not is_here(host.decode() if isinstance(host, bytes) else host):
            raise socket.gaierror(socket.EAI_NONAME, f"tests have no network: {host}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


@pytest.fixture(scope="session")
def copy_course() -> Callable[[Path], Path]:
    """Return a function that copies what `make lab` uses to a new folder, without anybody's work or marks."""

    def copy(folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name in ("Makefile", "pyproject.toml", "jupyter_lab_config.py", "nbgrader_config.py"):
            shutil.copy(ROOT / name, folder)
        work = ("submitted", "autograded", "feedback", "exchange", "gradebook.db*", ".ipynb_checkpoints", "__pycache__")
        for name in ("tools", "notebooks", "exercises"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*work))
        return folder

    return copy


@pytest.fixture(scope="session")
def set_up_already() -> Callable[[Path], None]:
    """Return a function that gives a copy a `.venv` which is this environment under another name.

    `make lab` then finds everything installed, as on its second run, and goes straight on.
    """

    def set_up(course: Path) -> None:
        python = course / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        checksum = subprocess.check_output("cksum < pyproject.toml", shell=True, cwd=course, text=True)
        (course / ".venv" / "installed-test").write_text(f"{course}/.venv\n{course}\n{checksum}", encoding="utf-8")

    return set_up


@pytest.fixture(scope="module")
def one_thread():
    """Many tiny steps are faster, and sums are added in one order, on a single thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def bars_as_usual(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """4 classes, 8 pictures of each to train on, in two shards, and 2 of each to validate."""
    from tiny_data import write_shards

    return write_shards(tmp_path / "shards")


@pytest.fixture
def small_bank(monkeypatch, tmp_path: Path) -> Path:
    """A bank of five questions, and a progress file of the test's own, which is returned."""
    from small_questions import SMALL_BANK

    from course_utils.quiz import notebook
    from course_utils.quiz import progress as progress_file

    monkeypatch.setattr(notebook, "_bank", lambda: SMALL_BANK)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "kept" / "progress.json"))
    monkeypatch.setattr(progress_file, "_told", set())
    return tmp_path / "kept" / "progress.json"
