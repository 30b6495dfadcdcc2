"""`make lab` and `make test` from the first run on, with a pretended Python, and twice with the real JupyterLab."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or sys.platform == "win32", reason="needs make and a Unix shell"
)

TOOLS = ("sh", "make", "cksum", "head", "cat", "cp", "dirname", "ls", "mkdir", "rm", "sed", "awk", "chmod")

# Answers what tools/setup_venv.sh asks a Python, and "makes" an environment whose Python keeps a log.
PRETENDED_PYTHON = """\
#!/bin/sh
case "$*" in
    *print*) echo {version} ;;
    *sys.exit*) exit {too_old} ;;
    *ensurepip*) exit {no_venv} ;;
    "-m venv "*) mkdir -p "$3/bin" && cp {venv_python} "$3/bin/python" ;;
esac
"""
PRETENDED_VENV_PYTHON = """\
#!/bin/sh
case "$*" in *sys.exit*) exit ${{TOO_OLD:-0}} ;; esac
echo "$*" >> {log}
case "$*" in *pip*) exit "$(cat {pip_status})" ;; esac
"""


class Machine:
    """A computer that has make, a few Unix tools, and the Pythons that a test gives it."""

    def __init__(self, folder: Path, course: Path):
        self.course, self.bin = course, folder / "bin"
        self.log, self.pip_status, self.venv_python = (folder / name for name in ("log", "pip-status", "venv-python"))
        self.environment = {}
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self._script(self.venv_python, PRETENDED_VENV_PYTHON.format(log=self.log, pip_status=self.pip_status))
        self.pip_works(True)

    def _script(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    def pip_works(self, works: bool) -> None:
        self.pip_status.write_text("0" if works else "1", encoding="utf-8")

    def add_python(self, name: str, version: str, *, venv: bool = True) -> None:
        too_old = int(int(version.split(".")[1]) < 11)
        text = PRETENDED_PYTHON.format(
            version=version, too_old=too_old, no_venv=int(not venv), venv_python=self.venv_python
        )
        self._script(self.bin / name, text)

    def make_own_environment(self) -> Path:
        """What a student does who wants another torch: an environment that no make has made, with a file in it."""
        environment = self.course / ".venv"
        subprocess.run([self.bin / "python3", "-m", "venv", environment], env={"PATH": str(self.bin)})
        (environment / "torch-for-cpu").touch()
        return environment

    def make(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run make as a student would; ``calls`` of the result are what the environment's Python was asked to do."""
        self.log.write_text("", encoding="utf-8")
        result = subprocess.run(
            ["make", *arguments],
            cwd=self.course,
            env={"PATH": str(self.bin), **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        result.calls = self.log.read_text(encoding="utf-8").splitlines()
        result.installed = [
            extras for call in result.calls for extras in re.findall(r"pip install .* -e \.\[(.*)\]", call)
        ]
        return result


@pytest.fixture
def machine(tmp_path, copy_course) -> Machine:
    # The space is meant: folders called "my course" are common.
    return Machine(tmp_path, copy_course(tmp_path / "my course"))


def test_first_run_installs_and_opens_the_lab(machine):
    machine.add_python("python3", "3.12")
    result = machine.make("lab", "PORT=9999", "LAB_ARGS=--ip=0.0.0.0")
    assert result.returncode == 0, result.stderr
    assert result.installed == ["lab,grading,keras,ship"]
    started = result.calls[-1]
    assert started.startswith("-m jupyterlab --config=jupyter_lab_config.py")
    assert "--port=9999" in started and started.endswith("--ip=0.0.0.0")


def test_second_run_installs_nothing(machine):
    machine.add_python("python3", "3.12")
    machine.make("lab")
    machine.pip_works(False)  # as it would be with no network
    second = machine.make("lab")
    assert (second.returncode, len(second.calls), second.installed) == (0, 1, [])


def test_what_the_tests_need_includes_what_the_lab_needs(machine):
    machine.add_python("python3", "3.12")
    assert machine.make("setup-test").installed == ["lab,grading,test"]
    assert machine.make("setup-lab").installed == []


def test_the_lab_alone_is_not_enough_for_the_tests(machine):
    machine.add_python("python3", "3.12")
    machine.make("setup-lab")
    assert machine.make("setup-test").installed == ["lab,grading,test"]


def test_changed_dependencies_are_added_to_the_same_environment(machine):
    machine.add_python("python3", "3.12")
    machine.make("setup-lab")
    kept = machine.course / ".venv" / "kept"
    kept.touch()
    with (machine.course / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    machine.pip_works(False)
    assert machine.make("setup-lab").returncode != 0
    machine.pip_works(True)
    assert machine.make("setup-lab").installed == ["lab,grading,keras,ship"]
    assert kept.exists()


def test_a_python_that_is_too_old_is_named_and_nothing_is_made(machine):
    machine.add_python("python3", "3.9")
    result = machine.make("lab")
    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr and "python3 is Python 3.9" in result.stderr
    assert not (machine.course / ".venv").exists()


def test_a_newer_python_under_another_name_is_found(machine):
    machine.add_python("python3", "3.9")
    machine.add_python("python3.12", "3.12")
    result = machine.make("setup-lab")
    assert result.returncode == 0 and "with Python 3.12" in result.stdout


def test_no_python_at_all(machine):
    result = machine.make("lab")
    assert result.returncode != 0 and "No working Python was found" in result.stderr


def test_a_python_without_venv_gets_the_package_to_install(machine):
    machine.add_python("python3", "3.11", venv=False)
    result = machine.make("lab")
    assert result.returncode != 0 and "sudo apt install python3.11-venv" in result.stderr


def test_python_can_be_chosen(machine):
    machine.add_python("python3", "3.11")
    machine.add_python("mine", "3.13")
    assert "with Python 3.13" in machine.make("setup-lab", "PYTHON=mine").stdout


def test_an_installation_that_broke_off_is_begun_again(machine):
    machine.add_python("python3", "3.12")
    machine.pip_works(False)
    broken = machine.make("lab")
    assert broken.returncode != 0 and "Installing did not finish" in broken.stderr
    assert not any("jupyterlab" in call for call in broken.calls)
    half = machine.course / ".venv" / "half-a-package"
    half.touch()
    machine.pip_works(True)
    result = machine.make("lab")
    assert (result.returncode, result.installed) == (0, ["lab,grading,keras,ship"])
    assert not half.exists()


def test_an_environment_that_the_user_made_is_never_removed(machine):
    machine.add_python("python3", "3.12")
    environment = machine.make_own_environment()
    machine.pip_works(False)
    machine.make("lab")
    machine.pip_works(True)
    assert machine.make("lab").returncode == 0
    assert (environment / "torch-for-cpu").exists()


@pytest.mark.parametrize("spelling", [".venv/", "./.venv", "absolute"])
def test_another_way_to_write_the_folder_is_the_same_environment(machine, spelling):
    machine.add_python("python3", "3.12")
    machine.make_own_environment()
    machine.course = machine.course.rename(machine.course.with_name("course"))  # make wants names without spaces
    machine.make("setup-lab", "VENV=.venv")
    again = machine.make("setup-lab", f"VENV={machine.course / '.venv' if spelling == 'absolute' else spelling}")
    assert (again.returncode, again.installed) == (0, [])
    assert (machine.course / ".venv" / "torch-for-cpu").exists()


def test_a_users_environment_in_a_moved_folder_stays_and_is_named(machine, tmp_path):
    machine.add_python("python3", "3.12")
    machine.make_own_environment()
    machine.make("lab")
    machine.course = machine.course.rename(tmp_path / "elsewhere")
    result = machine.make("lab")
    assert result.returncode != 0 and "You made .venv yourself" in result.stderr
    assert (machine.course / ".venv" / "torch-for-cpu").exists()


def test_a_folder_with_other_things_is_no_place_for_an_environment(machine):
    machine.add_python("python3", "3.12")
    thesis = machine.course / "stuff" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.touch()
    for _ in range(2):
        result = machine.make("lab", "VENV=stuff")
        assert result.returncode != 0 and "stuff is a folder with other things in it" in result.stderr
    assert thesis.exists()


def test_an_environment_with_an_old_python_is_refused(machine):
    machine.add_python("python3", "3.12")
    machine.make_own_environment()
    machine.environment = {"TOO_OLD": "1"}
    result = machine.make("lab")
    assert result.returncode != 0 and "The Python in .venv is too old" in result.stderr
    assert result.installed == []


def test_a_moved_folder_gets_a_new_environment(machine, tmp_path):
    machine.add_python("python3", "3.12")
    machine.make("lab")
    machine.course = machine.course.rename(tmp_path / "elsewhere")
    (machine.course / ".venv" / "old").touch()
    result = machine.make("lab")
    assert result.installed == ["lab,grading,keras,ship"] and "has moved" in result.stdout
    assert not (machine.course / ".venv" / "old").exists()


def test_plain_make_lists_the_commands(machine):
    listing = machine.make().stdout
    assert re.search(r"make lab +open", listing) and re.search(r"make test +ruff", listing)


# The real JupyterLab


@pytest.fixture
def course(tmp_path, copy_course, set_up_already) -> Path:
    course = copy_course(tmp_path / "course")
    set_up_already(course)
    return course


@pytest.fixture
def start_lab(course) -> Iterator[Callable[..., subprocess.Popen]]:
    """Return a function that runs `make lab`, as somebody at a terminal without a screen does."""
    _, terminal = pytest.importorskip("pty").openpty()  # only to somebody at a terminal does Ctrl-C ask questions
    screens = {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}
    environment = {name: value for name, value in os.environ.items() if name not in screens}
    environment |= {f"JUPYTER_{kind}_DIR": str(course / ".jupyter" / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            ["make", "lab", *arguments],
            cwd=course,
            env=environment,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def read_until(process: subprocess.Popen, words: str) -> str:
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    pytest.fail(f"{words!r} was never printed:\n{read}")


def ask_for(address: str) -> list:
    """Get JSON from a server that has just said its address and may need another moment."""
    for _ in range(30):
        with suppress(URLError), urlopen(address, timeout=30) as answer:
            return json.load(answer)
        time.sleep(0.5)
    pytest.fail(f"no answer from {address}")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has a browser, and this would open it")
def test_the_address_is_printed_formgrader_knows_the_course_and_ctrl_c_ends_quietly(course, start_lab):
    process = start_lab()
    printed = read_until(process, "127.0.0.1")
    address, token = re.search(
        r"(http://localhost:\d+)/lab/tree/notebooks/00_start_here\.ipynb\?token=(\w+)", printed
    ).groups()

    listed = {assignment["name"] for assignment in ask_for(f"{address}/formgrader/api/assignments?token={token}")}
    assert listed and listed == {folder.name for folder in (course / "exercises" / "source").iterdir()}

    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert "Traceback" not in printed + rest
    assert "Error" not in rest and "[y/N]" not in rest and "(y/[n])" not in rest


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has a browser, and this would open it")
def test_a_port_that_is_taken_is_said(start_lab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start_lab(f"PORT={port}")
        printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"port {port} is not available" in printed
