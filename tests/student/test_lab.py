"""`python -m course_utils lab`: the same JupyterLab as `make lab` starts, where there is no make."""

import argparse
import re
import sys

import pytest

from course_utils import lab
from course_utils.files import ROOT
from course_utils.lab import LabError, command


def test_it_starts_what_make_starts():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^\t@exec \$\(python\) (-m jupyterlab --config=\S+) ", makefile, re.MULTILINE)
    assert command(None, []) == [sys.executable, *recipe.split()]
    in_make = re.search(r"--port=\$\(PORT\) (\S+)\)", makefile)[1]
    assert command(8899, ["--no-browser"])[-3:] == ["--port=8899", in_make, "--no-browser"]


def test_a_package_without_its_repository_has_no_lessons_to_open(monkeypatch, tmp_path):
    monkeypatch.setattr(lab, "CONFIG", tmp_path / "jupyter_lab_config.py")
    with pytest.raises(LabError, match="clone it"):
        command(None, [])


def test_a_missing_jupyterlab_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LabError, match=r"pip install -e"):
        command(None, [])


def test_ctrl_c_is_left_to_jupyterlab(monkeypatch, capsys):
    waits = []

    class Server:
        def __init__(self, started, **options):
            assert options["cwd"] == ROOT and "--no-browser" in started

        def wait(self):
            waits.append(1)
            if len(waits) == 1:
                raise KeyboardInterrupt
            return 0

    monkeypatch.setattr(lab.subprocess, "Popen", Server)
    assert lab.run(argparse.Namespace(port=None, args="--no-browser")) == 0
    assert len(waits) == 2 and "Ctrl-C" in capsys.readouterr().out
