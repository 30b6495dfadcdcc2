"""Let the links of README.md follow ``[tool.course]`` in pyproject.toml; run by ``make notebooks`` and ``make fork``.

python -m course_utils.authoring.readme                write README.md
python -m course_utils.authoring.readme --fork         first take the repository's name from the git remote "origin"
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from course_utils.authoring.lessons import ROOT, binder_link, course_settings, require_repository, site_link
from course_utils.errors import CourseError
from course_utils.files import write_text

LESSON_LINK = (
    r"colab\.research\.google\.com/github/(?P<repository>[^/\s]+/[^/\s]+)/blob/(?P<release>[^\s]+?)/notebooks/"
)


class ForkError(CourseError, RuntimeError):
    """The name of the repository cannot be told; the message says what to do."""


def follow_settings(readme: str, settings: dict[str, str]) -> str:
    """Return the text with the repository and release of its first Colab link replaced by the settings' everywhere.

    Raises ValueError for a text that has no such link.
    """
    written = re.search(LESSON_LINK, readme)
    if written is None:
        raise ValueError("README.md has no link that opens a lesson in Colab, so its repository cannot be told.")
    readme = readme.replace(f"/blob/{written['release']}/", f"/blob/{settings['release']}/")
    readme = readme.replace(binder_link(written.groupdict()), binder_link(settings))
    readme = readme.replace(site_link(written.groupdict()), site_link(settings))
    return readme.replace(written["repository"], settings["repository"])


def repository_of(remote: str) -> str:
    """Return owner/name of a GitHub address, ``https://github.com/o/n.git`` or ``git@github.com:o/n``.

    Raises ForkError for any other address: Colab opens notebooks from GitHub.
    """
    found = re.fullmatch(
        r"(?:https://(?:[^@/]+@)?|ssh://git@|git@)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?", remote
    )
    if found is None:
        raise ForkError(
            f"The remote {remote!r} is no GitHub repository, which Colab needs. "
            'Write owner/name into pyproject.toml, [tool.course], by hand: repository = "owner/name".'
        )
    return found[1]


def with_repository(pyproject: str, repository: str) -> str:
    """Return the text of pyproject.toml with another ``repository`` in ``[tool.course]``.

    Raises ForkError for a text without that line.
    """
    changed, count = re.subn(
        r'(\[tool\.course\][^\[]*?^repository = )"[^"]*"', rf'\1"{repository}"', pyproject, flags=re.M
    )
    if count != 1:
        raise ForkError('pyproject.toml has no line repository = "owner/name" in [tool.course].')
    return changed


def fork(root: Path = ROOT) -> str:
    """Write the name of the git remote "origin" into pyproject.toml, and return it; raises ForkError without one."""
    asked = subprocess.run(["git", "remote", "get-url", "origin"], cwd=root, capture_output=True, text=True)
    if asked.returncode:
        raise ForkError('This folder has no git remote "origin": clone your fork, or git remote add origin ADDRESS.')
    repository = repository_of(asked.stdout.strip())
    settings = root / "pyproject.toml"
    write_text(settings, with_repository(settings.read_text(encoding="utf-8"), repository))
    return repository


def main(arguments: list[str] | None = None) -> int:
    """Write README.md, after ``--fork`` under the fork's own name; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.authoring.readme", description="Let the links of README.md follow pyproject.toml."
    )
    parser.add_argument("--fork", action="store_true", help='take the repository\'s name from the git remote "origin"')
    options = parser.parse_args(arguments)
    try:
        require_repository()
        if options.fork:
            print(f"This is {fork()} from here on.")
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    file = ROOT / "README.md"
    write_text(file, follow_settings(file.read_text(encoding="utf-8"), course_settings()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
