"""What README.md and environment.yml promise exists: commands, files, links, lessons, and one list of dependencies."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course_utils.__main__ import COMMANDS
from course_utils.authoring.lessons import binder_link, colab_link, course_settings, lesson_scripts
from course_utils.authoring.readme import ForkError, follow_settings, fork, repository_of
from course_utils.doctor import NOTE, OK, PLACEHOLDER, check_repository_name

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CODE = "\n".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL) + re.findall(r"`([^`\n]+)`", README))
LINKS = re.findall(r"\]\(([^)]+)\)", README)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


# README.md


def test_every_make_command_is_a_target():
    named = set(re.findall(r"\bmake ([a-z-]+)", CODE))
    assert {"lab", "test", "doctor", "notebooks", "exercises"} <= named
    assert named <= make_targets()


def test_every_documented_target_is_declared_phony():
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)[1].replace("\\", " ").split()
    assert make_targets() == set(phony)


def test_every_course_command_exists():
    named = set(re.findall(r"-m course_utils ([a-z-]+)", CODE))
    assert named and named <= set(COMMANDS)


@pytest.mark.parametrize("link", [link for link in LINKS if "://" not in link])
def test_every_local_link_leads_to_a_file(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("page", ["README.md", "exercises/README.md"])
def test_an_instructor_is_told_to_register_assignments_whose_release_is_there_already(page):
    lines = [line for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if "generate_assignment" in line]
    assert lines
    assert all("--force" in line for line in lines), "without it nbgrader skips them, and autograde finds nothing"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+)`", README))))
def test_every_folder_that_is_named_exists(path):
    assert (ROOT / path).is_dir()


def test_every_lesson_has_a_row_with_its_number():
    rows = re.findall(r"^\| (\d\d) \| \[.+\]\((notebooks/.+\.ipynb)\) \| .+ \|$", README, re.MULTILINE)
    assert rows == [(script.name[:2], f"notebooks/{script.stem}.ipynb") for script in lesson_scripts()]


def test_every_released_assignment_is_linked():
    released = {str(path.relative_to(ROOT)) for path in (ROOT / "exercises" / "release").glob("*/*.ipynb")}
    assert released and released == {link for link in LINKS if link.startswith("exercises/release/")}


def test_the_instructors_table_says_what_each_assignment_is_worth():
    page = (ROOT / "exercises" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| .{20,} \| (\d+) \|$", page, re.MULTILINE)
    worth = {}
    for path in (ROOT / "exercises" / "source").glob("*/*.ipynb"):
        cells = [cell.metadata.get("nbgrader", {}) for cell in nbformat.read(path, as_version=4).cells]
        worth[path.stem] = sum(about["points"] for about in cells if about.get("grade"))
    assert worth and {name: float(points) for name, points in rows} == worth


def test_links_into_this_repository_follow_the_one_setting():
    settings = course_settings()
    assert follow_settings(README, settings) == README
    assert colab_link("notebooks/00_start_here.ipynb", settings) in LINKS
    assert binder_link(settings) in LINKS
    assert f"git clone https://github.com/{settings['repository']}.git" in CODE


def test_a_forks_setting_reaches_every_link():
    fork = follow_settings(README, {"repository": "somebody/their-course", "release": "v7"})
    assert course_settings()["repository"] not in fork
    assert colab_link("notebooks/00_start_here.ipynb", {"repository": "somebody/their-course", "release": "v7"}) in fork
    assert binder_link({"repository": "somebody/their-course", "release": "v7"}) in fork
    assert "https://github.com/somebody/their-course.git" in fork
    assert "https://somebody.github.io/their-course/show_it_a_picture.html" in fork


# A fork's own name


def test_the_placeholder_is_called_one_on_this_page_and_by_the_doctor():
    is_placeholder = course_settings()["repository"] == PLACEHOLDER
    assert ("is a placeholder" in README) == is_placeholder
    assert check_repository_name(ROOT / "pyproject.toml").status == (NOTE if is_placeholder else OK)


@pytest.fixture
def own_copy(tmp_path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_make_fork_takes_the_name_from_the_git_remote(own_copy):
    before = (own_copy / "pyproject.toml").read_text(encoding="utf-8")
    subprocess.run(
        ["git", "remote", "add", "origin", "git@github.com:somebody/their-course.git"], cwd=own_copy, check=True
    )
    assert fork(own_copy) == "somebody/their-course"
    assert course_settings(own_copy) == course_settings() | {"repository": "somebody/their-course"}
    assert check_repository_name(own_copy / "pyproject.toml").status == OK
    after = (own_copy / "pyproject.toml").read_text(encoding="utf-8")
    assert after == before.replace(f'"{course_settings()["repository"]}"', '"somebody/their-course"')


def test_without_a_remote_nothing_is_written(own_copy):
    before = (own_copy / "pyproject.toml").read_bytes()
    with pytest.raises(ForkError, match="no git remote"):
        fork(own_copy)
    assert (own_copy / "pyproject.toml").read_bytes() == before


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/a-b/c.d.git",
        "https://github.com/a-b/c.d/",
        "https://token@github.com/a-b/c.d",
        "git@github.com:a-b/c.d.git",
        "ssh://git@github.com/a-b/c.d.git",
    ],
)
def test_every_way_to_write_a_github_address_is_understood(remote):
    assert repository_of(remote) == "a-b/c.d"


@pytest.mark.parametrize("remote", ["https://gitlab.com/a/b.git", "../course", "https://github.com/a", ""])
def test_another_address_is_refused_with_what_to_do(remote):
    with pytest.raises(ForkError, match="by hand"):
        repository_of(remote)


def test_a_readme_without_a_lesson_link_is_refused():
    with pytest.raises(ValueError, match="no link that opens a lesson in Colab"):
        follow_settings("# Nothing here", course_settings())


def test_every_image_has_a_text_that_stands_for_it():
    texts = re.findall(r"!\[([^\]]*)\]", README)
    assert texts and [text for text in texts if len(text.split()) < 4] == []


# environment.yml


@pytest.fixture(scope="module")
def conda() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]


def test_conda_gets_a_python_that_the_course_supports(conda):
    python = next(line for line in conda if isinstance(line, str) and line.startswith("python="))
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(python.removeprefix("python="))


def test_conda_lists_no_package_a_second_time(conda):
    assert [line.partition("=")[0] for line in conda if isinstance(line, str)] == ["python", "pip"]
    pip = next(line["pip"] for line in conda if isinstance(line, dict))
    course = [line for line in pip if not line.startswith("--")]
    assert len(course) == 1 and course[0].startswith("-e .")


def test_conda_asks_for_extras_that_exist(conda):
    pip = next(line["pip"] for line in conda if isinstance(line, dict))
    extras = re.search(r"\[(.+)\]", pip[-1])[1].split(",")
    assert set(extras) <= set(PYPROJECT["project"]["optional-dependencies"])


def test_make_asks_for_extras_that_exist():
    script = (ROOT / "tools" / "setup_venv.sh").read_text(encoding="utf-8")
    extras = {name for line in re.findall(r"extras=([\w,]+)", script) for name in line.split(",")}
    assert extras and extras <= set(PYPROJECT["project"]["optional-dependencies"])


# Binder

BINDER = ROOT / ".binder"


def test_binder_installs_what_make_lab_does():
    """Not the tools of the tests, which take longer than a student waits."""
    installed = re.search(r'-e "\.\[(.+)\]"', (BINDER / "postBuild").read_text(encoding="utf-8"))[1]
    script = (ROOT / "tools" / "setup_venv.sh").read_text(encoding="utf-8")
    assert installed in re.findall(r"extras=([\w,]+)", script)
    assert {"keras", "ship"} <= set(installed.split(",")) <= PYPROJECT["project"]["optional-dependencies"].keys()
    assert "test" not in installed.split(",")


def test_binder_lists_no_package_a_second_time():
    environment = yaml.safe_load((BINDER / "environment.yml").read_text(encoding="utf-8"))
    python, pip = environment["dependencies"]
    assert pip == "pip"
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(python.removeprefix("python="))


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_binder_can_run_its_scripts(name):
    """Their mode in git is what Binder gets; a Windows checkout has none."""
    listed = subprocess.run(["git", "ls-files", "-s", f".binder/{name}"], cwd=ROOT, capture_output=True, text=True)
    if not listed.stdout:
        pytest.skip("this copy of the course is no git checkout")
    assert listed.stdout.startswith("100755")
    assert (BINDER / name).read_bytes().startswith(b"#!/bin/bash\n")


@pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="needs bash on a Unix system")
def test_threads_wait_passively_in_binder():
    command = ["bash", BINDER / "start", "bash", "-c", "echo $OMP_WAIT_POLICY $0", "lab"]
    assert subprocess.check_output(command, text=True) == "PASSIVE lab\n"
    subprocess.run(["bash", "-n", BINDER / "postBuild"], check=True)


def test_the_environments_name_is_the_one_in_the_readme():
    name = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["name"]
    assert f"conda activate {name}" in CODE


def test_there_is_no_second_list_of_dependencies():
    assert not [*ROOT.glob("*requirements*"), *ROOT.glob("setup.*"), *ROOT.glob("Pipfile*")]


# pyproject.toml and Colab


def test_the_base_dependencies_leave_colabs_own_packages_alone():
    lines = (ROOT / "tests" / "colab_versions.txt").read_text(encoding="utf-8").splitlines()
    colab = dict(line.split("==") for line in lines if "==" in line)
    needed = {r.name: r.specifier for r in map(Requirement, PYPROJECT["project"]["dependencies"])}
    shared = needed.keys() & colab.keys()
    assert {"torch", "numpy", "ipywidgets", "pillow", "scikit-learn"} <= shared
    assert [f"{name}=={colab[name]}" for name in shared if not needed[name].contains(colab[name])] == []


@pytest.mark.parametrize("name", ["torch", "torchvision", "numpy"])
def test_packages_that_must_fit_together_have_no_upper_bound(name):
    specifier = next(r.specifier for r in map(Requirement, PYPROJECT["project"]["dependencies"]) if r.name == name)
    assert {clause.operator for clause in specifier} == {">="}


# uv.lock

LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))


def test_the_lock_file_has_every_dependency():
    extras = PYPROJECT["project"]["optional-dependencies"]
    lines = [*PYPROJECT["project"]["dependencies"], *(line for extra in extras.values() for line in extra)]
    asked = {re.sub(r"[-_.]+", "-", Requirement(line).name).lower() for line in lines}
    assert asked - {package["name"] for package in LOCK["package"]} == set(), "run make lock"


def test_the_lock_file_knows_the_public_index_only():
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
