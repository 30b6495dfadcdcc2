"""The files for a JupyterHub fit together and to the rest of the project; no hub is started here."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from course_utils.authoring.lessons import course_settings

ROOT = Path(__file__).resolve().parents[2]
HUB = ROOT / "tools" / "jupyterhub"
PAGE = (ROOT / "docs" / "jupyterhub.md").read_text(encoding="utf-8")
DOCKERFILE = (HUB / "Dockerfile").read_text(encoding="utf-8")
VALUES = yaml.safe_load((HUB / "values.yaml").read_text(encoding="utf-8"))
CLAIM, JOB = yaml.safe_load_all((HUB / "exchange.yaml").read_text(encoding="utf-8"))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

# What the chart's own schema knows of what we set; below the last name stands what Kubernetes or JupyterHub reads.
CHART = [
    "hub.config",
    "hub.extraConfig",
    "singleuser.image.name",
    "singleuser.image.tag",
    "singleuser.defaultUrl",
    "singleuser.memory.guarantee",
    "singleuser.memory.limit",
    "singleuser.cpu.guarantee",
    "singleuser.cpu.limit",
    "singleuser.extraEnv",
    "singleuser.storage.capacity",
    "singleuser.storage.homeMountPath",
    "singleuser.storage.extraVolumes",
    "singleuser.storage.extraVolumeMounts",
    "singleuser.lifecycleHooks",
    "cull.enabled",
    "cull.timeout",
    "cull.every",
]


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def copied() -> list[str]:
    return [path for name, rest in instructions() if name == "COPY" for path in rest.split()[:-1]]


def variables() -> dict[str, str]:
    return dict(pair.split("=") for name, rest in instructions() if name == "ENV" for pair in rest.split())


# The image


def test_the_image_is_made_of_instructions_and_begins_with_a_supported_python():
    known = {"FROM", "ARG", "RUN", "WORKDIR", "COPY", "ENV", "USER", "CMD"}
    assert {name for name, _ in instructions()} <= known
    assert instructions()[0] == ("FROM", "python:3.12-slim")


def test_all_that_is_copied_is_there_and_nothing_that_students_must_not_have():
    assert copied()
    for path in copied():
        assert (ROOT / path).exists(), path
    assert [path for path in copied() if path.startswith("exercises")] == ["exercises/release"]
    assert not {".", "lessons", "docs"} & set(copied())


def test_all_that_the_wheel_needs_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["project"]["readme"], *wheel["packages"], *wheel["force-include"]}
    assert needed <= set(copied())


@pytest.mark.parametrize("text", [DOCKERFILE, PAGE], ids=["Dockerfile", "page"])
def test_it_asks_for_the_extras_of_make_lab(text):
    asked = re.search(r"\.\[([\w,]+)\]", text)[1]
    assert set(asked.split(",")) <= EXTRAS.keys()
    assert f"extras={asked} " in (ROOT / "tools" / "setup_venv.sh").read_text(encoding="utf-8")


def test_the_image_carries_the_name_of_the_release():
    release = course_settings()["release"]
    assert VALUES["singleuser"]["image"]["tag"] == release
    assert f"vision-course:{release} " in DOCKERFILE and f"vision-course:{release} " in PAGE


def test_the_weights_that_are_fetched_are_a_line_that_runs():
    [line] = [rest for name, rest in instructions() if name == "RUN" and "load_pretrained" in rest]
    compile(re.search(r'-c "([^"]+)"', line)[1], "RUN", "exec")


# The values, and the volume


def leaves(tree: dict, path: str = "") -> list[str]:
    """Names of settings as the chart has them, no deeper than it knows them."""
    names = []
    for key, value in tree.items():
        name = f"{path}.{key}".lstrip(".")
        names += leaves(value, name) if isinstance(value, dict) and name not in CHART else [name]
    return names


def test_every_value_is_one_that_the_chart_knows():
    assert sorted(leaves(VALUES)) == sorted(CHART)


def test_the_exchange_is_one_folder_for_everybody():
    [volume], [mount] = (VALUES["singleuser"]["storage"][name] for name in ("extraVolumes", "extraVolumeMounts"))
    assert volume["persistentVolumeClaim"]["claimName"] == CLAIM["metadata"]["name"]
    assert CLAIM["spec"]["accessModes"] == ["ReadWriteMany"]
    assert volume["name"] == mount["name"]
    assert mount["mountPath"] == variables()["COURSE_EXCHANGE"]
    pod = JOB["spec"]["template"]["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"] == volume["persistentVolumeClaim"]
    assert pod["containers"][0]["command"] == ["chmod", "1777", mount["mountPath"]]
    assert pod["containers"][0]["volumeMounts"][0]["mountPath"] == mount["mountPath"]


def test_every_uid_that_the_hub_gives_has_the_name_that_nbgrader_looks_for():
    class Spawner:
        class user:
            id = 1

    class KubeSpawner:
        uid = None

    class c:
        pass

    c.KubeSpawner = KubeSpawner
    exec(VALUES["hub"]["extraConfig"]["own-uid"], {"c": c})
    first, last = map(int, re.search(r"seq (\d+) (\d+)", DOCKERFILE).groups())
    assert first < KubeSpawner.uid(Spawner) <= last
    assert 'echo "jovyan:x:$id:' in DOCKERFILE
    assert VALUES["singleuser"]["storage"]["homeMountPath"] == variables()["HOME"]


def test_threads_are_as_many_as_cores_and_wait_passively():
    assert int(VALUES["singleuser"]["extraEnv"]["OMP_NUM_THREADS"]) == VALUES["singleuser"]["cpu"]["limit"]
    assert variables()["OMP_WAIT_POLICY"] == "PASSIVE"


# nbgrader


def settings_of(file: Path, monkeypatch) -> dict:
    from traitlets.config import PyFileConfigLoader

    monkeypatch.setenv("COURSE_EXCHANGE", "/srv/exchange")
    return PyFileConfigLoader(file.name, path=str(file.parent)).load_config()


def test_students_and_instructors_have_one_course_and_one_exchange(monkeypatch):
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    theirs = settings_of(HUB / "nbgrader_config.py", monkeypatch)
    ours = settings_of(ROOT / "exercises" / "nbgrader_config.py", monkeypatch)
    assert theirs["Exchange"]["root"] == ours["Exchange"]["root"] == "/srv/exchange"
    assert theirs["CourseDirectory"]["course_id"] == ours["CourseDirectory"]["course_id"]
    monkeypatch.delenv("COURSE_EXCHANGE")
    from traitlets.config import PyFileConfigLoader

    alone = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT / "exercises")).load_config()
    assert alone["Exchange"]["root"] == str(ROOT / "exercises" / "exchange")


# The page


def test_every_file_of_the_page_exists():
    paths = re.findall(r"\btools/jupyterhub(?:/[\w.]+)?", PAGE)
    assert len(set(paths)) >= 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_nbgrader_command_of_the_page_exists():
    apps = pytest.importorskip("nbgrader.apps", reason="the grading extra is not installed")
    named = set(re.findall(r"`nbgrader (\w+)", PAGE))
    assert {"release_assignment", "fetch_assignment", "submit", "collect"} <= named
    assert named <= apps.NbGraderApp.subcommands.keys()
