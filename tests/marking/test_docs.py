"""Every command of docs/instructors.md runs, in the order of the page, on a copy of the course."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from exercise_files import ROOT
from marking_tools import answered, as_bytes, hand_in

from course_utils.quiz.progress import record_guess

PAGE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]
# Setting up is tested by tests/student/test_setup.py, and these need a network.
SET_UP = ("git clone", "cd course", "python -m venv", "source ", "pip install")


def test_the_page_says_what_to_do_for_every_status():
    from course_utils.marking.results import Status

    assert all(f"| {status} |" in PAGE for status in Status if status is not Status.GRADED)


def test_every_option_is_on_the_page():
    source = (ROOT / "course_utils" / "marking" / "command.py").read_text(encoding="utf-8")
    assert all(option in PAGE for option in re.findall(r'add_argument\("(--[a-z]+)"', source))


@pytest.mark.slow
def test_every_command_runs(copy_course, tmp_path):
    course = copy_course(tmp_path / "course")
    (course / "course_utils").symlink_to(ROOT / "course_utils")
    for name in ("quiz-1", "ps4-metrics"):
        hand_in(course / "exercises", "ada", name, answered(name))
    hand_in(course / "exercises", "ben", "ps4-metrics", answered("ps4-metrics"))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    for name, titles in (("moodle-worksheet", "Username,Grade"), ("canvas-gradebook", "SIS Login ID,quiz-1 (1)")):
        (course / "exercises" / f"{name}.csv").write_text(f"{titles}\nada,\n", encoding="utf-8")
    with zipfile.ZipFile(course / "exercises" / "from-the-platform.zip", "w") as archive:
        archive.writestr("ada/quiz-1.ipynb", as_bytes(answered("quiz-1")))
    record_guess("days-for-imagenet", "10")  # so that there is something to certify
    folder = course
    for line in (line for line in COMMANDS if not line.startswith(SET_UP)):
        if line.startswith("cd "):
            folder = (folder / line[3:]).resolve()
            continue
        if "authoring.assignments" in line:
            line += " --check"  # builds the repository's own, which other tests read at the same time
        done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode in ((0, 1) if " check " in line or "--check" in line else (0,)), (
            line,
            done.stderr[-2000:],
        )
    assert (course / "exercises" / "grades-quiz-1.csv").read_text().count("ada,quiz-1,graded,27") == 1
    for name in ("for-moodle", "for-canvas"):
        assert "ada,27" in (course / "exercises" / f"{name}.csv").read_text()
    assert (course / "exercises" / "grades-ps4.csv").read_text().count("ada,ps4-metrics,graded,25") == 1
