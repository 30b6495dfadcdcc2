"""JupyterLab as `make lab` starts it: opens in the first lesson, stays on this computer, ends on one Ctrl-C.

By hand the same server is `jupyter lab --config=jupyter_lab_config.py`, from this folder.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - Jupyter puts it here

# The whole course is the root, so that Formgrader finds exercises/ through nbgrader_config.py beside this file.
here = Path(__file__).resolve().parent
c.ServerApp.root_dir = str(here)
c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"

# No news, no look-ups of updates or extensions: JupyterLab works offline and tells no other host about you.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LabApp.app_settings_dir = str(here / "tools" / "jupyterlab")  # overrides.json there: do not ask about news either

# A quiet terminal: the address and warnings, not sixty lines of start-up (LAB_ARGS=--debug shows everything).
c.Application.log_level = "WARN"

# One Ctrl-C ends it; the question "Shut down this server?" would wait for an answer. Notebooks are saved by themselves.
c.ServerApp.answer_yes = True

# Containers and servers: root is usual there, and a text browser would take over the terminal.
c.ServerApp.allow_root = hasattr(os, "geteuid") and os.geteuid() == 0
if sys.platform == "linux" and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
    c.ServerApp.open_browser = False
