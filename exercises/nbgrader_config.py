"""Settings of the nbgrader course in this folder. Start nbgrader, or JupyterLab for Formgrader, from here."""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader defines it)
here = Path(__file__).resolve().parent

c.CourseDirectory.root = str(here)
c.CourseDirectory.course_id = "pretrained-vision"
# nbgrader copies every other file in source/<assignment>/ to the students. Notes and solutions are such files.
# Not every *.txt: timestamp.txt and submission_secret.txt beside a submission are nbgrader's own, for feedback.
c.CourseDirectory.ignore = [
    ".*",
    "*.pyc",
    "__pycache__",
    "feedback",
    "*.py",
    "*.md",
    "*answer*.txt",
    "*note*.txt",
    "*solution*.txt",
    "*.yaml",
    "*.yml",
    "*.json",
    "*.csv",
    "*.db",
    "*.html",
    "*.pdf",
]
# Only for the exchange on a shared Linux server, where docs/jupyterhub.md sets the variable; make the folder first.
c.Exchange.root = os.environ.get("COURSE_EXCHANGE") or str(here / "exchange")

# A student meets code that runs: an unwritten function returns None, and its test cell says so.
c.ClearSolutions.code_stub = {"python": "# YOUR ANSWER HERE"}

# A deleted test cell is put back, so that it counts as not passed instead of waiting for a manual grade for ever.
c.OverwriteCells.add_missing_cells = True

# Test cells limit their own time (course_utils/grading/points.py); this limit is for the cells of the student.
c.Execute.timeout = 120
c.Execute.shutdown_kernel = "immediate"  # nothing to save: half a second less for each student
c.Execute.extra_arguments = [
    "--HistoryManager.hist_file=:memory:",
    # Nothing of a test cell's source appears in an error message.
    "--InteractiveShell.xmode=Minimal",
    # IPython's exit() ends the kernel, and all points of that student with it. Now it is an error like any other.
    "--InteractiveShellApp.exec_lines=del exit, quit",
]

# nbgrader gives 0 to a cell that writes to stderr, even if it is only a warning of torch. Not here.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s)."

# Feedback without the source of the hidden tests; what the tests say is in the outputs.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
