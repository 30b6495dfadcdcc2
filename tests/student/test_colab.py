"""Colab: what an install line adds there, and what a student sees when one fails.

Colab itself cannot be asked. An environment of its Python holds the names, versions and requirements of its packages
(tests/colab_versions.txt, with all that these need), without the packages: pip decides by nothing else. Each line that
students run is then given to pip, which says what it would install.
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_utils.authoring.lessons import colab_cells, course_settings, lesson_scripts, notebook_of

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "tests" / "colab_versions.txt"
PYTHON = re.search(r"Python (3\.\d+)", VERSIONS.read_text(encoding="utf-8"))[1]
PINS = [line for line in VERSIONS.read_text(encoding="utf-8").splitlines() if "==" in line]


def install_lines() -> dict[str, set[str]]:
    """Every line in a lesson that tells a student to install something, and the lessons that it is in."""
    found: dict[str, set[str]] = {}
    for script in lesson_scripts():
        text = "\n".join(cell.source for cell in nbformat.read(notebook_of(script), as_version=4).cells)
        for line in re.findall(r"%pip install ([^`'\n]+)", text):
            if "pretrained-vision-course @" not in line:  # the course itself has a test of its own
                found.setdefault(line, set()).add(script.stem)
    return found


LINES = install_lines()


# What an install line adds


def colabs_python() -> str:
    """Return the path of Python in Colab's version, or skip."""
    candidates = [sys.executable] if sys.version.startswith(f"{PYTHON}.") else []
    candidates += filter(None, [shutil.which(f"python{PYTHON}")])
    candidates += map(str, sorted((Path.home() / ".pyenv" / "versions").glob(f"{PYTHON}.*/bin/python")))
    for python in candidates:
        done = subprocess.run([python, "-m", "pip", "--version"], capture_output=True)
        if not done.returncode:
            return python
    pytest.skip("Colab's own Python is not on this computer")


def resolve(*command: str) -> list[dict]:
    """Return the metadata of what pip would install."""
    done = subprocess.run(
        [*command, "--dry-run", "--quiet", "--report", "-", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        timeout=540,
    )
    assert not done.returncode, done.stderr
    return [item["metadata"] for item in json.loads(done.stdout)["install"]]


@pytest.fixture(scope="module")
def pip(tmp_path_factory) -> list[str]:
    """The command `pip install` of an environment that looks to pip like Colab's."""
    python = colabs_python()
    probe = [python, "-m", "pip", "download", "--no-deps", "--retries", "0", "--timeout", "15", "--quiet"]
    if subprocess.run([*probe, "tqdm", "-d", tmp_path_factory.mktemp("probe")], capture_output=True).returncode:
        pytest.skip("the package index cannot be reached")
    packages = resolve(python, "-m", "pip", "install", "--ignore-installed", *PINS)
    environment = tmp_path_factory.mktemp("colab") / "venv"
    subprocess.run([python, "-m", "venv", "--without-pip", environment], check=True)
    for package in packages:
        folder = environment / "lib" / f"python{PYTHON}" / "site-packages"
        folder /= f"{package['name'].replace('-', '_')}-{package['version']}.dist-info"
        folder.mkdir()
        requirements = "".join(f"Requires-Dist: {line}\n" for line in package.get("requires_dist", []))
        extras = "".join(f"Provides-Extra: {name}\n" for name in package.get("provides_extra", []))
        head = f"Metadata-Version: 2.1\nName: {package['name']}\nVersion: {package['version']}\n"
        (folder / "METADATA").write_text(head + requirements + extras, encoding="utf-8")
        (folder / "RECORD").write_text("", encoding="utf-8")
    return [python, "-m", "pip", "--python", str(environment / "bin" / "python"), "install"]


@pytest.fixture(scope="module")
def colab(pip) -> set[str]:
    """The names of Colab's packages."""
    listed = subprocess.check_output([*pip[:-1], "list", "--format", "json", "--disable-pip-version-check"], text=True)
    names = {canonicalize_name(package["name"]) for package in json.loads(listed)}
    assert {Requirement(pin).name for pin in PINS} <= names
    return names


def added(pip: list[str], line: str) -> set[str]:
    return {canonicalize_name(package["name"]) for package in resolve(*pip, *shlex.split(line))}


@pytest.mark.slow
def test_the_course_replaces_nothing_that_colab_has(pip, colab):
    new = added(pip, shlex.quote(str(ROOT)))
    assert "pretrained-vision-course" in new
    assert new & colab == set()


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_a_line_of_a_lesson_replaces_nothing_that_colab_has(pip, colab, line):
    new = added(pip, line)
    assert {Requirement(part).name for part in shlex.split(line)} <= new | colab
    assert new & colab == set()


@pytest.mark.slow
def test_the_environment_notices_what_replaces_a_package(pip, colab):
    """A version that asks for a newer protobuf: without it, the tests above could not fail."""
    assert "protobuf" in added(pip, '"onnx>=1.23"') & colab


def test_install_lines_are_found_and_a_shell_reads_them_as_pip_does():
    assert any("09" in name for lessons in LINES.values() for name in lessons)
    for line in LINES:
        for part in shlex.split(line):
            requirement = Requirement(part)  # an option would be no requirement
            assert not requirement.specifier or f'"{part}"' in line, "without quotes a shell reads < and > as files"


def test_a_lesson_says_its_line_the_same_way_everywhere():
    lessons = [name for where in LINES.values() for name in where]
    assert len(lessons) == len(set(lessons))


# The release that is installed


def test_colab_opens_and_installs_the_release_of_this_version():
    release = course_settings()["release"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert release == f"v{project['version']}", "after `version`, set `release` in [tool.course]"
    for script in lesson_scripts():
        link, install = nbformat.read(notebook_of(script), as_version=4).cells[1:3]
        assert f"/blob/{release}/" in link.source and f'@{release}"' in install.source


# The install cell


FORGET_THE_COURSE = """\
import os
import sys
from importlib.machinery import PathFinder
from types import ModuleType


class WithoutTheCourse(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return super().find_spec(name, [os.environ["PYTHONPATH"]] if name == "course_utils" else path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTheCourse
"""
IN_COLAB = "sys.modules['google.colab'] = ModuleType('google.colab')"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs the install cell between two others, with a pip of our own, in a new kernel."""

    def run(pip: str, before: str = IN_COLAB) -> nbformat.NotebookNode:
        (tmp_path / "stub" / "pip").mkdir(parents=True)
        (tmp_path / "stub" / "pip" / "__init__.py").touch()
        (tmp_path / "stub" / "pip" / "__main__.py").write_text(f"import sys, pathlib\n{pip}\n", encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "stub"))
        install = colab_cells("notebooks/00_start_here.ipynb", course_settings())[1]
        cells = [new_code_cell(FORGET_THE_COURSE + before), install, new_code_cell("import course_utils")]
        notebook = new_notebook(cells=cells)
        client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}})
        with contextlib.suppress(CellExecutionError):
            client.execute()
        return notebook

    return run


def test_a_failed_install_ends_in_one_sentence_and_stops_there(run):
    _, install, following = run("print('ERROR: no network', file=sys.stderr)\nsys.exit(1)").cells
    *_, error = install.outputs
    assert error.output_type == "error" and len(error.traceback) == 1
    assert re.fullmatch(r"The course was not installed; .+ Run this cell again, then the next\.", error.traceback[0])
    assert following.execution_count is None


def test_a_successful_install_is_found_at_once(run, tmp_path):
    package = tmp_path / "stub" / "course_utils"
    _, install, following = run(f"p = pathlib.Path({str(package)!r})\np.mkdir()\n(p / '__init__.py').touch()").cells
    assert [output for output in [*install.outputs, *following.outputs] if output.output_type == "error"] == []
    assert following.execution_count == 3


def test_elsewhere_the_cell_does_nothing(run):
    _, install, following = run("raise SystemExit('pip was called')", before="").cells
    assert install.outputs == []
    assert following.outputs[0].ename == "ModuleNotFoundError"  # the course is away, and nobody fetched it
