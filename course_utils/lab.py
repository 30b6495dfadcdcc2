"""``python -m course_utils lab``: JupyterLab as `make lab` starts it, for computers without make."""

import argparse
import importlib.util
import os
import shlex
import subprocess
import sys

from course_utils.errors import CourseError
from course_utils.files import ROOT

CONFIG = ROOT / "jupyter_lab_config.py"


class LabError(CourseError, RuntimeError):
    """JupyterLab cannot be started; the message says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m course_utils lab``."""
    parser.add_argument("--port", type=int, help="default: the first free one from 8888 on")
    parser.add_argument("--args", default="", help='more for JupyterLab, as in --args="--no-browser"')


def command(port: int | None, more: list[str]) -> list[str]:
    """Return the command line. Raises LabError outside the repository and where JupyterLab is not installed."""
    if not CONFIG.is_file():
        raise LabError("The lessons are in the course's repository: clone it, and run this command in its folder.")
    if importlib.util.find_spec("jupyterlab") is None:
        raise LabError('JupyterLab is not installed: python -m pip install -e ".[lab,grading,keras,ship]", once.')
    own_port = [f"--port={port}", "--ServerApp.port_retries=0"] if port is not None else []
    return [sys.executable, "-m", "jupyterlab", f"--config={CONFIG.name}", *own_port, *more]


def run(args: argparse.Namespace) -> int:
    """Start JupyterLab, wait for its end, and return its exit status."""
    started = command(args.port, shlex.split(args.args))
    print("Starting JupyterLab; Ctrl-C in this window ends it.")
    server = subprocess.Popen(started, cwd=ROOT, env={"OMP_WAIT_POLICY": "PASSIVE"} | os.environ)
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:
            pass  # JupyterLab got it too, and ends by itself
