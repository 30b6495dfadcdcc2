"""The package as Colab gets it: a wheel with everything a lesson needs, used far away from the repository."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from course_utils.authoring.lessons import BUILD_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "docs" / "lessons" / "01_loading_weights.ipynb"


def run(*command, **options) -> str:
    options.setdefault("env", {name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, encoding="utf-8", **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def names(wheel) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """A fresh environment: the wheel, and torch and the others borrowed from the environment of the tests.

    A folder that a .pth file adds is searched for packages, but .pth files in it are not read, so the repository,
    which is installed as editable there, stays out of sight.
    """
    venv = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    site_packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        "--ignore-installed",
        wheel,
    )
    return python


def test_the_wheel_holds_what_lessons_read(names):
    assert {"course_utils/weights.py", "course_utils/py.typed"} <= set(names)
    assert [name for name in names if name.startswith("course_utils/assets/") and name.endswith(".safetensors")]
    package_data = [path for path in (ROOT / "course_utils").rglob("*") if path.suffix in {".yaml", ".txt", ".json"}]
    assert {path.relative_to(ROOT).as_posix() for path in package_data} <= set(names)
    assert [name for name in names if name.startswith("course_utils/quiz/questions/")]


def test_the_wheel_holds_nothing_else(names):
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"course_utils"}
    assert not [name for name in names if name.endswith((".pyc", ".pt", ".pth", ".npz"))]
    # The released assignments, which `python -m course_utils check` compares a notebook with, and no other.
    notebooks = {name for name in names if name.endswith(".ipynb")}
    released = (ROOT / "exercises" / "release").glob("*/*.ipynb")
    assert notebooks == {f"course_utils/release/{path.parent.name}/{path.name}" for path in released}


def test_the_wheel_is_small_enough_for_a_school_network(wheel):
    assert wheel.stat().st_size < 25e6


def test_the_wheel_carries_the_licences(names):
    assert {Path(name).name for name in names if "/licenses/" in name} == {"LICENSE", "LICENSE-TEXT"}


@pytest.mark.slow
def test_lesson_01_runs_from_the_wheel_in_another_folder_and_shows_what_is_stored(python, tmp_path):
    """The comparison that `make notebook-tests` makes of the other lessons, so that this one runs once."""
    shutil.copy(LESSON, tmp_path)
    environment = {
        "HOME": str(tmp_path),
        "PATH": str(python.parent),
        "COURSE_PROGRESS": str(tmp_path / "progress.json"),
    }
    environment |= BUILD_ENVIRONMENT | {"OMP_WAIT_POLICY": "PASSIVE"}
    environment |= {"IPYTHONDIR": str(tmp_path / "ipython")}
    comparison = ["--nbval", "--nbval-current-env", f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}"]
    printed = run(python, "-m", "pytest", *comparison, LESSON.name, cwd=tmp_path, env=environment)
    cells = sum(cell["cell_type"] == "code" for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"])
    assert f"{cells} passed" in printed


def test_the_doctor_of_the_wheel_finds_the_weights(python, tmp_path):
    program = "from course_utils import doctor; print(doctor.check_course_weights().status, doctor.__file__)"
    status, file = run(python, "-c", program, cwd=tmp_path).split(maxsplit=1)
    assert status == "OK" and Path(file.strip()).is_relative_to(python.parents[1])


EACH_BUILDER = """
import contextlib, importlib, io, json
told = {}
for builder, *options in json.loads(input()):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = importlib.import_module(f"course_utils.authoring.{builder}").main(options)
        except SystemExit as stop:
            status = stop.code
    told[" ".join([builder, *options])] = [status, out.getvalue(), err.getvalue()]
print(json.dumps(told))
"""


def test_a_builder_says_that_the_wheel_is_no_repository(python, tmp_path):
    commands = [
        [builder, *check] for builder in ("lessons", "assignments", "architecture") for check in ([], ["--check"])
    ]
    commands += [["readme"], ["readme", "--fork"]]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = json.loads(run(python, "-c", EACH_BUILDER, cwd=tmp_path, env=environment, input=json.dumps(commands)))
    assert len(told) == 8
    for command, (status, out, err) in told.items():
        assert status and "Clone the repository" in err and "Traceback" not in err, (command, err)
        assert out == "", command
    assert list(tmp_path.iterdir()) == []
