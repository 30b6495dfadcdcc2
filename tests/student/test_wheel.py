"""The package as Colab gets it: a wheel with everything a lesson needs, used far away from the repository."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "lessons" / "01_loading_weights.py"

# Runs a lesson as a notebook in the Python that executes this, and says where course_utils came from.
RUN_LESSON = """
import sys, jupytext
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

notebook = jupytext.read(sys.argv[1], fmt="py:percent")
notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
notebook.cells.append(new_code_cell("import course_utils; print(course_utils.__file__)"))
NotebookClient(notebook, timeout=300).execute()
print(notebook.cells[-1].outputs[0].text)
"""


def run(*command, **options) -> str:
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
    assert "course_utils/weights.py" in names
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
    assert wheel.stat().st_size < 50e6


def test_the_wheel_carries_the_licences(names):
    assert {Path(name).name for name in names if "/licenses/" in name} == {"LICENSE", "LICENSE-TEXT"}


def test_lesson_01_runs_from_the_wheel_in_another_folder(python, tmp_path):
    environment = {
        "HOME": str(tmp_path),
        "PATH": str(python.parent),
        "COURSE_PROGRESS": str(tmp_path / "progress.json"),
    }
    environment |= {"COURSE_WEIGHTS": "course", "COURSE_DEVICE": "cpu", "IPYTHONDIR": str(tmp_path / "ipython")}
    printed = run(python, "-c", RUN_LESSON, LESSON, cwd=tmp_path, env=environment)
    assert Path(printed.strip()).is_relative_to(python.parents[1])


def test_the_doctor_of_the_wheel_finds_its_checkpoint(python, tmp_path):
    program = "from course_utils import doctor; print(doctor.check_checkpoint().status, doctor.__file__)"
    status, file = run(python, "-c", program, cwd=tmp_path).split(maxsplit=1)
    assert status == "OK" and Path(file.strip()).is_relative_to(python.parents[1])
