"""nbgrader's exchange between real users of one computer: release, fetch, submit, collect, and the feedback back.

An instructor and two students, each with a uid, a home and the rights of their own, as on a JupyterHub.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

ROOT = Path(__file__).resolve().parents[2]
INSTRUCTOR, STUDENT, NEIGHBOUR = "bin", "daemon", "mail"  # accounts that every Linux has; nbgrader asks for the name
COURSE = "pretrained-vision"
# Out of a second process: setpriv starts the first one with rights that the user does not have. nbgrader does the same.
ALEMBIC = Path(sys.executable).with_name("alembic")
CAN_RUN = f"import subprocess; subprocess.run([{str(ALEMBIC)!r}, '--version'], check=True, capture_output=True)"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or shutil.which("setpriv") is None,
        reason="only root on Linux can be several users",
    ),
]


@dataclass(frozen=True)
class Hub:
    """A folder with the exchange and a home for each user."""

    folder: Path
    exchange: Path
    start: Callable[[str], list[str]]

    def home(self, user: str) -> Path:
        return self.folder / user

    def run(self, user: str, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
        environment = {
            "HOME": str(self.home(user)),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COURSE_EXCHANGE": str(self.exchange),
            "JUPYTER_CONFIG_PATH": str(self.folder / "etc"),
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        if user == INSTRUCTOR:
            environment["PYTHONPATH"] = str(self.folder / "package")  # for the kernel that grades
        return subprocess.run(
            [*self.start(user), *command], cwd=cwd or self.home(user), env=environment, capture_output=True, text=True
        )

    def nbgrader(self, user: str, *arguments: str, cwd: Path | None = None) -> None:
        done = self.run(user, sys.executable, "-m", "nbgrader", *arguments, cwd=cwd)
        assert not done.returncode, done.stderr


def starter() -> Callable[[str], list[str]]:
    """Return what starts a command as another user; skip where that user cannot run this Python."""

    def direct(user: str) -> list[str]:
        account = pwd.getpwnam(user)
        return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]

    def around_a_closed_home(user: str) -> list[str]:
        """For a Python below /root, which is shut to all others: an empty folder in its place, with Python in it."""
        python = Path(sys.base_prefix)
        open_way = [path for path in reversed(python.parents) if path.is_relative_to(Path.home())]
        folders = [part for path in open_way[1:] for part in ("--perms", "755", "--dir", str(path))]
        see_python = ["--tmpfs", str(Path.home()), *folders, "--ro-bind", str(python), str(python)]
        return ["bwrap", "--dev-bind", "/", "/", *see_python, "--cap-add", "ALL", "--", *direct(user)]

    for start in (direct, around_a_closed_home):
        try:
            command = [*start(STUDENT), sys.executable, "-c", CAN_RUN]
            if not subprocess.run(command, cwd="/", capture_output=True).returncode:
                return start
        except OSError:  # no bubblewrap
            pass
    pytest.skip("another user cannot run this Python")


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    start = starter()
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are shut to other users
        folder = Path(name)
        folder.chmod(0o755)
        exchange = folder / "exchange"
        exchange.mkdir()
        exchange.chmod(0o1777)  # as in docs/jupyterhub.md
        (folder / "etc").mkdir()
        shutil.copy(ROOT / "tools" / "jupyterhub" / "nbgrader_config.py", folder / "etc")
        shutil.copytree(ROOT / "course_utils", folder / "package" / "course_utils")
        hub = Hub(folder, exchange, start)
        exercises = hub.home(INSTRUCTOR) / "exercises"
        for part in ("source", "release"):
            shutil.copytree(ROOT / "exercises" / part / "quiz-1", exercises / part / "quiz-1")
        shutil.copy(ROOT / "exercises" / "nbgrader_config.py", exercises)
        for user in (INSTRUCTOR, STUDENT, NEIGHBOUR):
            hub.home(user).mkdir(exist_ok=True)
            for path in [hub.home(user), *hub.home(user).rglob("*")]:
                shutil.chown(path, user)
            hub.home(user).chmod(0o700)
        yield hub


@pytest.fixture(scope="module")
def course(hub) -> Path:
    """The instructor's course after all that the tests below look at: an answer went there, and feedback came back."""
    exercises = hub.home(INSTRUCTOR) / "exercises"
    hub.nbgrader(INSTRUCTOR, "release_assignment", "quiz-1", cwd=exercises)
    hub.nbgrader(STUDENT, "fetch_assignment", "quiz-1")
    fetched = hub.home(STUDENT) / "quiz-1" / "quiz-1.ipynb"
    book = nbformat.read(fetched, as_version=4)
    book.cells.append(nbformat.v4.new_markdown_cell("My own words."))
    nbformat.write(book, fetched)
    hub.nbgrader(STUDENT, "submit", "quiz-1")
    hub.nbgrader(INSTRUCTOR, "collect", "quiz-1", cwd=exercises)
    return exercises


def test_what_a_student_handed_in_is_collected_under_their_name(hub, course):
    handed_in = hub.home(STUDENT) / "quiz-1" / "quiz-1.ipynb"
    collected = course / "submitted" / STUDENT / "quiz-1" / "quiz-1.ipynb"
    assert collected.read_bytes() == handed_in.read_bytes()
    assert b"My own words." in collected.read_bytes()
    assert collected.owner() == INSTRUCTOR
    assert [path.name for path in (course / "submitted").iterdir()] == [STUDENT]


def test_the_moment_and_the_secret_come_along(course):
    """Late penalties need the one; without the other nbgrader cannot bring feedback back."""
    submission = course / "submitted" / STUDENT / "quiz-1"
    assert {"timestamp.txt", "submission_secret.txt"} <= {path.name for path in submission.iterdir()}


def test_students_see_neither_each_others_work_nor_the_sources(hub, course):
    shared = hub.exchange / COURSE
    submission = next((shared / "inbound").iterdir())
    assert submission.owner() == STUDENT
    assert "My own words." in (submission / "quiz-1.ipynb").read_text(encoding="utf-8")
    for closed in (shared / "inbound", course / "source", hub.home(STUDENT)):
        assert "Permission denied" in hub.run(NEIGHBOUR, "ls", str(closed)).stderr
    released = shared / "outbound" / "quiz-1" / "quiz-1.ipynb"
    assert hub.run(NEIGHBOUR, "cat", str(released)).returncode == 0
    assert "### BEGIN HIDDEN TESTS" not in released.read_text(encoding="utf-8")


def test_students_change_nothing_that_was_released_or_handed_in(hub, course):
    shared = hub.exchange / COURSE
    released = shared / "outbound" / "quiz-1" / "quiz-1.ipynb"
    before = released.read_bytes()
    attempts = (["rm", str(released)], ["cp", "/etc/passwd", str(released)], ["mv", str(shared), f"{shared}-gone"])
    assert all(hub.run(NEIGHBOUR, *attempt).returncode for attempt in attempts)
    assert released.read_bytes() == before


def test_feedback_goes_to_its_student_alone(hub, course):
    for command in ("generate_assignment", "autograde", "generate_feedback", "release_feedback"):
        force = ["--force"] if command == "generate_assignment" else []
        hub.nbgrader(INSTRUCTOR, command, "quiz-1", *force, cwd=course)
    hub.nbgrader(STUDENT, "fetch_feedback", "quiz-1")
    [page] = (hub.home(STUDENT) / "quiz-1" / "feedback").rglob("*.html")
    assert "My own words." in page.read_text(encoding="utf-8")
    hub.nbgrader(NEIGHBOUR, "fetch_feedback", "quiz-1")
    assert list((hub.home(NEIGHBOUR)).rglob("*.html")) == []
    assert "Permission denied" in hub.run(NEIGHBOUR, "ls", str(hub.exchange / COURSE / "feedback")).stderr
