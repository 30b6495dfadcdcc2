"""What `make test` runs: every lesson is compared once, and nothing is left out between quick and slow."""

import shutil
import subprocess
import sys

import pytest

from course_utils.__main__ import main
from course_utils.authoring import checks
from course_utils.authoring.checks import FROM_THE_WHEEL, PARTS, commands, notebooks
from course_utils.authoring.lessons import lesson_scripts
from course_utils.files import ROOT


def test_quick_slow_and_the_wheel_have_every_lesson_once():
    quick, slow = notebooks(slow=False), notebooks(slow=True)
    elsewhere = [path for path in (ROOT / "docs" / "lessons").glob("*.ipynb") if path.name[:2] in FROM_THE_WHEEL]
    compared = sorted(path.stem for path in [*quick, *slow, *elsewhere])
    assert compared == [script.stem for script in lesson_scripts()]
    wheel_test = (ROOT / "tests" / "student" / "test_wheel.py").read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in wheel_test for path in elsewhere)


@pytest.fixture
def called(monkeypatch) -> list[list[str]]:
    """What would have been run; the third fails."""
    calls = []

    def call(command):
        calls.append(command)
        return 7 if len(calls) == 3 else 0

    monkeypatch.setattr(checks, "_call", call)
    return calls


def test_the_first_failure_ends_it_and_is_the_exit_status(called):
    assert main(["test"]) == 7
    assert [command[0] for command in called] == ["ruff", "ruff", "pyright"]


def test_options_reach_pytest(called):
    assert main(["test", "unit", "--slow", "--workers", "3", "--pytest=-k 'a or b' -x"]) == 0
    (command,) = called
    assert command[:3] == ["pytest", "-n", "3"]
    assert command[-5:] == ["-m", "slow", "-k", "a or b", "-x"]


def test_quick_and_slow_are_all_tests():
    """The marks are opposites: what one leaves out the other takes."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "-m 'not slow'" in text
    assert commands("unit", True, "0", [])[0][-2:] == ["-m", "slow"]


@pytest.mark.parametrize("part", PARTS)
def test_make_runs_each_part(part):
    if shutil.which("make") is None:
        pytest.skip("needs make and a Unix shell")
    targets = {"lint": ["lint"], "unit": ["unit-tests", "slow-unit-tests"]}.get(
        part, ["notebook-tests", "slow-notebook-tests"]
    )
    for target in targets:
        printed = subprocess.check_output(["make", "-n", target, "PYTEST_ARGS=-k heads"], cwd=ROOT, text=True)
        (line,) = [line for line in printed.splitlines() if "-m course_utils test" in line]
        assert f"-m course_utils test {part}" in line
        assert ("--slow" in line) == target.startswith("slow")
        assert part == "lint" or '--pytest="-k heads"' in line


def test_a_part_really_runs(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 6 * 7 == 42\n", encoding="utf-8")
    command = [sys.executable, "-m", "course_utils", "test", "unit", "--workers=0", f"--pytest=-q {tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr
