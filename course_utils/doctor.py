"""Check a computer before the first lesson: ``python -m course_utils doctor`` prints what works and what to do.

Each check is a function that returns a `Check`. None of them may stop the others, so nothing here imports torch,
torchvision or another package at the top, and a pair of torch and torchvision that does not fit is tried in a
process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path

from course_utils.errors import shown

OK, NOTE, FAIL = "OK", "NOTE", "FAIL"
OLDEST_PYTHON = (3, 11)  # as `requires-python` in pyproject.toml
DISTRIBUTION = "pretrained-vision-course"
PLACEHOLDER = "pretrained-vision-course/pretrained-vision-course"  # the repository's name until `make fork`
GIB = 2**30
CHECKOUT = (Path(__file__).parents[1] / "pyproject.toml").is_file()  # not in Colab, where the course is a package
# Packages of the course for which a reader's own file is often named, besides the modules of Python itself.
OFTEN_HIDDEN = ("torch", "torchvision", "numpy", "matplotlib", "PIL", "sklearn", "skimage", "keras", "onnx", "tqdm")
ALL_WELL = "All lessons will run on this computer."

MATCHED_PAIR = (
    "pip uninstall -y torch torchvision, then both again in ONE command from ONE place: "
    "pip install torch torchvision (any computer; large on Linux), or, without an NVIDIA GPU, "
    "pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu. Then restart the kernel."
)


@dataclass(frozen=True)
class Check:
    """The result of one check: ``status`` is OK, NOTE (good to know) or FAIL (lessons will not run)."""

    name: str
    status: str
    found: str
    advice: str = ""


def check_python() -> Check:
    """Look whether Python is new enough for the course."""
    found = f"Python {platform.python_version()} ({platform.system()}, {platform.machine()})"
    if sys.version_info < OLDEST_PYTHON:
        return Check("Python", FAIL, found, "Install Python 3.11 or newer and set the course up with it: README.md.")
    return Check("Python", OK, found)


def check_environment() -> Check:
    """Look where packages go: into an environment of their own, or among those of the system."""
    if _in_colab():
        return Check("Environment", OK, "Google Colab")
    if os.environ.get("CONDA_PREFIX") and Path(os.environ["CONDA_PREFIX"]) == Path(sys.prefix):
        return Check("Environment", OK, f"conda environment {os.environ.get('CONDA_DEFAULT_ENV', sys.prefix)}")
    if sys.prefix != sys.base_prefix:
        return Check("Environment", OK, f"virtual environment {sys.prefix}")
    advice = "Packages of different projects get in each other's way there. `make lab` makes an environment of its own."
    return Check("Environment", NOTE, f"no virtual environment: {sys.prefix}", advice)


def check_packages() -> Check:
    """Look at the base dependencies that the installed course declares; extras are not asked for."""
    try:
        declared = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        advice = "Fine for a look. " + _how_to_install(
            "To use it from any folder: pip install -e . in the folder of pyproject.toml."
        )
        return Check("Packages", NOTE, "the course is not installed, it runs from its folder", advice)
    from packaging.requirements import Requirement

    requirements = [Requirement(line) for line in declared]
    requirements = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    problems = []
    for requirement in requirements:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            problems.append(f"{requirement.name} is missing")
        else:
            if not requirement.specifier.contains(version, prereleases=True):
                problems.append(f"{requirement.name} is {version}, the course needs {requirement.specifier}")
    if problems:
        advice = _how_to_install("pip install -e . in the course's folder, or `make lab` again.")
        return Check("Packages", FAIL, "; ".join(problems), advice)
    return Check("Packages", OK, f"all {len(requirements)} that every lesson needs")


def check_extra_packages() -> Check:
    """Look for the packages of the last two lessons; `make lab` brings them, pip only when it is asked to."""
    packages = {"09": ("onnx", "onnxscript", "onnxruntime", "torchao"), "10": ("keras",)}
    missing = {
        lesson: [name for name in names if importlib.util.find_spec(name) is None] for lesson, names in packages.items()
    }
    if not any(missing.values()):
        return Check("Extra packages", OK, "those of lessons 09 and 10 are there")
    found = "; ".join(f"lesson {lesson} misses {', '.join(names)}" for lesson, names in missing.items() if names)
    advice = "Lesson 09 leaves out what it cannot measure, lesson 10 stops. " + (
        "For all: pip install -e '.[keras,ship]'." if CHECKOUT else "Each begins with the line that installs its own."
    )
    return Check("Extra packages", NOTE, found, advice)


# Run in a process of its own: a pair that does not fit may end the interpreter, not only raise.
TRY_TORCH = """
import torch, torchvision
boxes = torch.tensor([[0., 0., 2., 2.], [0., 0., 2., 2.]])
assert torchvision.ops.nms(boxes, torch.tensor([.5, .9]), .5).tolist() == [1]
"""


def check_torch() -> Check:
    """Look whether torch and torchvision are there, can be imported, and belong together."""
    name = "torch, torchvision"
    missing = [package for package in ("torch", "torchvision") if importlib.util.find_spec(package) is None]
    if missing:
        advice = "pip install torch torchvision, both in one command" + (
            "; or `make lab`, which installs everything." if CHECKOUT else "."
        )
        return Check(name, FAIL, f"{' and '.join(missing)} not installed", advice)
    pair = f"torch {_build('torch')}, torchvision {_build('torchvision')}"
    try:
        trial = subprocess.run(
            [sys.executable, "-c", TRY_TORCH],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=300,
            env=os.environ | {"PYTHONSAFEPATH": "1"},  # not the reader's own random.py: `check_folder` tells of it
        )
    except subprocess.TimeoutExpired:
        return Check(
            name, FAIL, f"{pair}: importing them takes more than five minutes", "Restart the computer; try again."
        )
    if trial.returncode == 0:
        return Check(name, OK, f"{pair}, working together")
    error = _last_line(trial.stderr) or f"Python ended with status {trial.returncode}"
    if re.search(r"operator torchvision::\w+ does not exist", trial.stderr):
        marks = [_build(package).partition("+")[2] or "none" for package in ("torch", "torchvision")]
        reason = (
            f"They are different builds (marks: {marks[0]} and {marks[1]})"
            if marks[0] != marks[1]
            else "Parts are missing"
        )
        found = (
            f"{pair} do not fit together ({error}). {reason}: torchvision looks for pieces of another torch, does not "
            "find them, and is left without its own operators. pip does not notice, because it compares numbers only."
        )
        return Check(name, FAIL, found, MATCHED_PAIR)
    return Check(name, FAIL, f"{pair}: importing them failed ({error})", MATCHED_PAIR)


def check_device() -> Check:
    """Look which device the lessons will compute on."""
    device = import_module("course_utils.device")
    try:
        chosen = device.get_device()
    except device.DeviceError as error:
        return Check("Device", FAIL, str(error), "Or unset COURSE_DEVICE, and the course chooses.")
    found = device.describe_device(chosen)
    if chosen.type == "cpu" and not os.environ.get("COURSE_DEVICE") and shutil.which("nvidia-smi"):
        advice = (
            "There is an NVIDIA driver, but torch cannot use it: a CPU build of torch, or a driver that is too old."
        )
        return Check("Device", NOTE, found, advice)
    return Check("Device", OK, found + (": enough for every lesson" if chosen.type == "cpu" else ""))


def check_disk() -> Check:
    """Look how much room is left on the disk, in GiB (2**30 bytes)."""
    free = shutil.disk_usage(Path.cwd()).free / GIB
    found = f"{free:.1f} GiB free"
    if free < 0.5:
        return Check("Disk", FAIL, found, "Make some room: notebooks and their outputs cannot be saved for long.")
    if free < 2:
        return Check(
            "Disk",
            NOTE,
            found,
            "Enough for the lessons, tight for real data sets (Oxford-IIIT Pet: 0.8 GB) and more weights.",
        )
    return Check("Disk", OK, found)


def check_write_access() -> Check:
    """Try to write a file into this folder."""
    name = "Write access"
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()):
            pass
    except OSError as error:
        advice = "Copy the course to a folder of your own and start from there; notebooks could not be saved here."
        return Check(name, FAIL, f"{Path.cwd()} is not writable ({error.strerror})", advice)
    return Check(name, OK, f"{Path.cwd()} is writable")


def check_folder() -> Check:
    """Look for the reader's own files that Python would import instead of its own modules or the course's packages."""
    known = {*getattr(sys, "stdlib_module_names", ()), *OFTEN_HIDDEN}
    hiding = sorted(
        path.name
        for path in Path.cwd().iterdir()
        if (path.stem in known and path.suffix == ".py") or (path.name in known and (path / "__init__.py").is_file())
    )
    if hiding:
        advice = "Rename it, and restart the kernel: `import` finds the file in this folder before the module it wants."
        return Check("Folder", FAIL, f"{', '.join(hiding)} here hides a module of that name", advice)
    return Check("Folder", OK, "no file here hides a module of Python's")


def check_settings() -> Check:
    """Look at the environment variables that decide where weights come from."""
    name, sources = "Settings", import_module("course_utils.weights").SOURCES
    chosen = os.environ.get("COURSE_WEIGHTS", "").strip()
    if chosen and chosen not in sources:
        found = f"COURSE_WEIGHTS is {shown(repr(chosen))}"
        return Check(name, FAIL, found, f"Set it to one of {', '.join(sources)}, or unset it.")
    for scheme, address in urllib.request.getproxies().items():
        try:
            urllib.parse.urlsplit(address if "://" in address else f"//{address}").port  # noqa: B018
        except ValueError:
            found = f"the proxy for {shown(scheme)} is {shown(address)}, whose port is no number"
            return Check(name, FAIL, found, f"Set {shown(scheme)}_proxy to an address like http://proxy.example:8080.")
    return Check(name, OK, f"COURSE_WEIGHTS={chosen}" if chosen else "none that change what lessons load")


def check_course_weights() -> Check:
    """Compare the file of each model that comes with the course with what was published; needs no torch."""
    shipped = import_module("course_utils.shipped")
    problems = []
    for record in shipped.SHIPPED.values():
        try:
            record.checked_file()
        except shipped.WeightsError as error:
            problems.append(str(error))
    if problems:
        return Check("Course weights", FAIL, " ".join(problems))  # each sentence says what to do
    found = f"{' and '.join(shipped.SHIPPED)} there and unchanged: lessons run with no network"
    return Check("Course weights", OK, found)


def check_torchvision_weights() -> Check:
    """Look whether torchvision's weights are cached or can be downloaded."""
    name = "Torchvision's weights"
    weights = import_module("course_utils.weights")
    url = import_module("torchvision.models").ResNet18_Weights.DEFAULT.url
    if weights.imagenet_cached("resnet18"):
        return Check(name, OK, "resnet18 is in the cache")
    cached = Path(import_module("torch.hub").get_dir()) / "checkpoints" / Path(url).name
    if os.path.lexists(cached):
        found = f"the cached {shown(cached)} is damaged, or no file that can be read"
        return Check(name, NOTE, found, "Delete it; a lesson then fetches it again, or uses the course's own weights.")
    if weights.can_download(url):
        return Check(name, OK, "not cached yet, but download.pytorch.org answers: 45 MB when a lesson first wants them")
    advice = "Nothing to do: the lessons then use the weights that come with the course."
    return Check(name, NOTE, "not cached, and download.pytorch.org does not answer", advice)


def check_grading() -> Check:
    """Look for nbgrader, which starts `jupyter` and `alembic` by name: both must be on PATH and from here."""
    name = "nbgrader"
    try:
        version = metadata.version("nbgrader")
    except metadata.PackageNotFoundError:
        advice = "Only instructors need it" + (
            ": pip install -e '.[grading]' in the course's folder." if CHECKOUT else ", in a clone of the repository."
        )
        return Check(name, NOTE, "not installed", advice)
    try:
        import_module("nbgrader")
    except Exception as error:
        return Check(
            name,
            FAIL,
            f"nbgrader {version} cannot be imported ({_last_line(str(error))})",
            "pip install nbgrader again.",
        )
    here = Path(sys.executable).parent
    astray = [
        command
        for command in ("nbgrader", "jupyter", "alembic")
        if (path := shutil.which(command)) is None or Path(path).resolve().parent != here.resolve()
    ]
    if astray:
        found = f"nbgrader {version}, but PATH does not lead to this environment's {', '.join(astray)}"
        advice = f"Only grading needs it. Activate the environment first; its commands are in {here}."
        return Check(name, NOTE, found, advice)
    return Check(name, OK, f"nbgrader {version} with its commands")


def check_repository_name(settings: Path = Path(__file__).parents[1] / "pyproject.toml") -> Check:
    """Look whether badges, Colab links and install cells lead to a repository that somebody has named."""
    name = "Repository"
    if not settings.is_file():
        return Check(name, OK, "installed as a package")
    found = re.search(r'^repository = "([^"]+)"', settings.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None or found[1] == PLACEHOLDER:
        advice = "Everything here works all the same. Whoever publishes a copy runs `make fork` in it once."
        return Check(name, NOTE, "Colab links lead to a placeholder, no real repository", advice)
    return Check(name, OK, found[1])


def check_sandbox() -> Check:
    """Say what `python -m course_utils mark` can run submissions in, the safest way first."""
    sandbox = import_module("course_utils.marking.sandbox")
    if not (reason := sandbox.why_not_safe()):
        return Check("Marking", OK, "backends safe (a sandbox), fork and nbgrader")
    possible = ["nbgrader"] if sandbox.why_not_fork() else ["fork", "nbgrader"]
    found = f"no sandbox for submissions; possible without one: {', '.join(possible)}"
    return Check("Marking", NOTE, found, f"Only instructors need it: {reason}.")


CHECKS: dict[str, Callable[[], Check]] = {
    "Python": check_python,
    "Environment": check_environment,
    "Packages": check_packages,
    "Extra packages": check_extra_packages,
    "torch, torchvision": check_torch,
    "Device": check_device,
    "Disk": check_disk,
    "Write access": check_write_access,
    "Folder": check_folder,
    "Settings": check_settings,
    "Course weights": check_course_weights,
    "Torchvision's weights": check_torchvision_weights,
    "nbgrader": check_grading,
    "Repository": check_repository_name,
    "Marking": check_sandbox,
}
NEED_TORCH = {"Device", "Settings", "Torchvision's weights"}


def examine() -> Iterator[Check]:
    """Run every check in order; one that breaks is reported as such, and the others still run."""
    torch_works = False
    for name, check in CHECKS.items():
        if name in NEED_TORCH and not torch_works:
            yield Check(name, NOTE, "not checked", "It needs torch and torchvision; repair those first.")
            continue
        try:
            result = check()
        except Exception as error:
            found = f"the check itself broke: {type(error).__name__}: {_last_line(str(error))}"
            result = Check(name, FAIL, found, "Set the course up again (`make lab`), then run the doctor again.")
        if name == "torch, torchvision":
            torch_works = result.status != FAIL
        yield result


def as_rows(check: Check, width: int) -> str:
    """Lay one check out as a row of the table, ``width`` columns wide; words, not colours, carry the result."""
    label = f"{check.name:<{max(map(len, CHECKS)) + 2}}{check.status:<6}"
    indent = " " * len(label)
    rows = textwrap.wrap(check.found, width, initial_indent=label, subsequent_indent=indent)
    if check.advice:
        advice = f"To do: {check.advice}" if check.status == FAIL else check.advice
        rows += textwrap.wrap(advice, width, initial_indent=indent, subsequent_indent=indent)
    return "\n".join(rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m course_utils doctor``."""
    parser.add_argument("--json", action="store_true", help="print the checks as JSON, for a program or a bug report")


def run(args: argparse.Namespace) -> int:
    """Print each check as soon as it is done; return 1 when one of them is a FAIL, else 0."""
    width = min(shutil.get_terminal_size().columns, 110)
    checks = []
    for check in examine():
        checks.append(check)
        if not args.json:
            print(as_rows(check, width), flush=True)
    failed = [check.name for check in checks if check.status == FAIL]
    if args.json:
        print(json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        missing = [check.found for check in checks if check.name == "Extra packages" and check.status != OK]
        well = f"The lessons will run on this computer, but {missing[0]}." if missing else ALL_WELL
        print(f"\nTo repair first: {failed[0]}." if failed else f"\n{well}")
    return 1 if failed else 0


def _in_colab() -> bool:
    return "google.colab" in sys.modules or bool(os.environ.get("COLAB_RELEASE_TAG"))


def _how_to_install(in_a_checkout: str) -> str:
    """The advice for the folder of the course, or for a computer that has the package only."""
    if _in_colab():
        return "Run the first code cell of a lesson, which installs the course, in a new runtime."
    return in_a_checkout if CHECKOUT else "Install the course again, with the command that you used."


def _build(package: str) -> str:
    """Return the version with its build mark, such as ``2.15.0+cpu``, which pip does not show; import nothing."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return "of unknown version"
    try:
        text = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError:
        return "of unknown version"
    found = re.search(r"^__version__\s*(?::[^=]*)?=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return found[1] if found else "of unknown version"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
