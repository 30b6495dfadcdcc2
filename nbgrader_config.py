"""Formgrader and `nbgrader` read the configuration of the folder they start in; the course itself is in exercises/."""

c = get_config()  # noqa: F821 - nbgrader puts it here
load_subconfig("exercises/nbgrader_config.py")  # noqa: F821
