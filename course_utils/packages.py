"""Packages that one lesson needs and the rest of the course does not."""

from importlib.util import find_spec

from course_utils.errors import CourseError


class PackageMissing(CourseError, ImportError):
    """A package that a lesson needs is not installed. Nothing is broken, so a notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter prints instead of a traceback; "Run all" stops here all the same."""
        return [str(self)]


def require(package: str, install: str = "") -> None:
    """Do nothing where ``package`` can be imported; elsewhere stop, with a sentence that says how to install it.

    ``install`` is what pip has to be told, where that is not the package's own name.
    """
    if find_spec(package) is None:
        raise PackageMissing(
            f"This lesson needs the package {package}, which is not installed here. Run `%pip install "
            f"{install or package}` in a cell of its own, restart the kernel, and begin again. Or read on without it: "
            "the outputs that you see below are those of a computer that has it."
        )
