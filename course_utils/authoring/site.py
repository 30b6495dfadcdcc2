"""Build the course's web site in ``build/site``: ``make site``.

    python -m course_utils.authoring.site                        everything
    python -m course_utils.authoring.site --without-playground   no "Show it a picture": needs neither npm nor onnx

Lessons come with their stored outputs from ``docs/lessons/``, practice questions from the bank, "Show it a picture"
from ``docs/site/static/playground``. No network is needed but for npm's first run. To look at it:
``python -m http.server --directory build/site``.
"""

import argparse
import html
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from course_utils.authoring.site_pages import PAGES, SiteError, write_sources
from course_utils.files import ROOT, write_text
from course_utils.quiz.bank import whole_bank
from course_utils.quiz.question import Question

SITE = ROOT / "build" / "site"
WITHOUT_PLAYGROUND = "# Show it a picture\n\nThis copy of the site was built without models.\n"
READABLE = {".html", ".js", ".json", ".css", ".txt", ".md", ".ipynb", ".inv", ".xml"}


def build(out: Path = SITE, playground: bool = True) -> None:
    """Build the site in ``out``. Raises `SiteError` where a page does not build or would give a graded answer away."""
    refuse_what_is_missing(
        ["sphinx", "myst_nb", "furo", *(["onnx", "onnxscript", "onnxruntime"] if playground else [])]
    )
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "site"
        write_sources(sources)
        if not playground:
            write_text(sources / "show_it_a_picture.md", WITHOUT_PLAYGROUND)
        run_sphinx(sources, out)
    if playground:
        from course_utils.authoring.site_model import add_playground  # onnx takes a second to import

        add_playground(out)
    refuse_graded_keys(out, [question for question in whole_bank().values() if question.quiz])


def refuse_what_is_missing(packages: list[str]) -> None:
    """Raise `SiteError` where the pages or one of the packages are not there."""
    if not PAGES.is_dir():
        raise SiteError("The site is built from the course's repository: clone it, and run this command there.")
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise SiteError(f"The site needs {', '.join(missing)}: pip install -e '.[site]' installs all it needs.")


def run_sphinx(sources: Path, out: Path) -> None:
    """Turn ``sources`` into HTML; a warning is an error, because each one is a page with something missing."""
    if (out / ".buildinfo").is_file():  # Sphinx's mark: an earlier site, whose pages may be gone by now
        shutil.rmtree(out)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-d", str(sources.parent / "doctrees"), str(sources), str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SiteError(f"Sphinx could not build the site:\n{done.stderr.strip()}")


def refuse_graded_keys(folder: Path, graded: list[Question]) -> None:
    """Raise `SiteError` if a file in ``folder`` holds what only the answer to a graded question says.

    That is its explanation and the feedback of its options, looked for as bare letters and digits, so that neither
    HTML nor JSON hides them.
    """
    secrets = {}
    for question in graded:
        for text in (question.explanation, *(option.feedback for option in question.options)):
            if len(bare := bare_text(text)) >= 30:
                secrets[bare] = question.id
    for file in sorted(folder.rglob("*")):
        if file.suffix in READABLE and file.is_file():
            content = bare_text(file.read_text(encoding="utf-8", errors="ignore"))
            found = sorted({question_id for secret, question_id in secrets.items() if secret in content})
            if found:
                raise SiteError(f"{file.relative_to(folder)} gives away the graded question {found[0]!r}.")


def bare_text(text: str) -> str:
    """Return letters and digits alone, in lower case, without tags, entities and escapes."""
    text = re.sub(r"<[a-zA-Z/][^<>]*>", "", html.unescape(text))
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    return re.sub(r"[\W_]+", "", re.sub(r"\\[nrt]", " ", text)).lower()


def main(arguments: list[str] | None = None) -> int:
    """Build the site; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.authoring.site", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--out", type=Path, default=SITE, help="the folder to write to; default: build/site")
    parser.add_argument("--without-playground", action="store_true", help='leave out "Show it a picture"')
    options = parser.parse_args(arguments)
    try:
        build(options.out.resolve(), playground=not options.without_playground)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Built. To look at it: python -m http.server --directory {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
