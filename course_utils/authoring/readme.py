"""Let the links of README.md follow ``[tool.course]`` in pyproject.toml; run by ``make notebooks``."""

import re

from course_utils.authoring.lessons import ROOT, course_settings, site_link

LESSON_LINK = r"colab\.research\.google\.com/github/(?P<repository>[^/\s]+/[^/\s]+)/blob/(?P<branch>[^\s]+?)/notebooks/"


def follow_settings(readme: str, settings: dict[str, str]) -> str:
    """Return the text with the repository and branch of its first Colab link replaced by the settings' everywhere."""
    written = re.search(LESSON_LINK, readme)
    if written is None:
        raise ValueError("README.md has no link that opens a lesson in Colab, so its repository cannot be told.")
    readme = readme.replace(f"/blob/{written['branch']}/", f"/blob/{settings['branch']}/")
    readme = readme.replace(site_link(written.groupdict()), site_link(settings))
    return readme.replace(written["repository"], settings["repository"])


if __name__ == "__main__":
    file = ROOT / "README.md"
    file.write_text(
        follow_settings(file.read_text(encoding="utf-8"), course_settings()), encoding="utf-8", newline="\n"
    )
