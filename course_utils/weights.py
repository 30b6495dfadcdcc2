"""Pre-trained weights from two sources behind one interface.

``imagenet``: torchvision's own weights, when they are cached or can be downloaded.
``course``: weights trained by this project on Tiny ImageNet (200 classes, 64 x 64 pixels), shipped in the package,
so that every lesson also runs with no network.

Both come as members of `torchvision.models.WeightsEnum`: ``weights.transforms()`` is the matching preprocessing,
``weights.meta["categories"]`` the class names.
"""

import difflib
import errno
import hashlib
import json
import os
import re
import threading
import urllib.request
from functools import cache, partial
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import torch
from safetensors.torch import load as load_safetensors
from torch import nn
from torchvision import models
from torchvision.models import Weights, WeightsEnum
from torchvision.transforms._presets import ImageClassification

from course_utils.checkpoint import full_precision
from course_utils.device import get_device
from course_utils.errors import CourseError
from course_utils.files import ASSETS, USER_AGENT

SOURCES = ("auto", "course", "imagenet")
PROBE_SECONDS = 3.0


class WeightsError(CourseError, RuntimeError):
    """Weights cannot be had, or are not the file they should be; the message says what to do."""


class CourseWeightsEnum(WeightsEnum):
    """Weights whose file lies in this package; its SHA-256 is checked at every load."""

    def get_state_dict(self, *args, **kwargs) -> dict[str, torch.Tensor]:
        """Return the state dict as float32 tensors on the CPU. Arguments of torchvision's method are ignored."""
        file = ASSETS / self.meta["file"]
        try:
            content = file.read_bytes()
        except OSError as error:
            raise WeightsError(
                f"The course checkpoint {self.meta['file']} cannot be read ({error.strerror}); "
                "reinstall the course (pip install --force-reinstall --no-deps, or git checkout the file)."
            ) from None
        if hashlib.sha256(content).hexdigest() != self.meta["sha256"]:
            raise WeightsError(
                f"The course checkpoint {self.meta['file']} ({len(content):,} bytes) is not the file that was shipped: "
                "it is damaged or was changed. Reinstall the course, or git checkout the file."
            )
        return full_precision(load_safetensors(content))


def _course_weights(folder: str) -> Weights:
    """The record of a shipped checkpoint, from its ``meta.json``; ``make checkpoint-report`` writes that."""
    meta = json.loads((ASSETS / folder / "meta.json").read_text(encoding="utf-8"))
    pixels = meta["pixels"]
    meta["categories"] = (ASSETS / meta.pop("categories_file")).read_text(encoding="utf-8").splitlines()
    return Weights(
        url=f"package:course_utils/assets/{meta['file']}",
        transforms=partial(ImageClassification, crop_size=pixels, resize_size=pixels),
        meta=meta,
    )


class ResNet18_Course_Weights(CourseWeightsEnum):
    """ResNet-18 trained from scratch on Tiny ImageNet; `MODEL_CARD.md` tells how, and what it is bad at."""

    TINY200_V1 = _course_weights("resnet18_tiny200_v1")
    DEFAULT = TINY200_V1


COURSE_WEIGHTS: dict[str, CourseWeightsEnum] = {"resnet18": ResNet18_Course_Weights.DEFAULT}


def load_pretrained(
    name: str = "resnet18",
    source: str = "auto",
    *,
    device: torch.device | str | None = None,
    quiet: bool = False,
) -> tuple[nn.Module, WeightsEnum]:
    """Build a torchvision classifier, fill it with pre-trained weights and return ``(model, weights)``.

    The model is in eval mode, on ``device`` (default: the CPU). ``source`` is ``"imagenet"``, ``"course"`` or
    ``"auto"``: ImageNet weights when they are cached or can be downloaded, else the course's own. The environment
    variable ``COURSE_WEIGHTS`` decides what ``"auto"`` means. One printed line says which weights were loaded and
    why, unless ``quiet``. Whatever goes wrong with the weights is a `WeightsError` of one sentence.
    """
    _check_name(name)
    device = get_device(device or "cpu")
    source, reason = _choose(name, source)
    if source == "imagenet":
        try:
            model, weights = _load_imagenet(name, quiet)
        except WeightsError as error:
            if reason is None or name not in COURSE_WEIGHTS:
                raise
            source, reason = "course", str(error)
    if source == "course":
        model, weights = _load_course(name)
    if not quiet:
        print(_loaded(weights, reason))
    return model.to(device).eval(), weights


def check_course_checkpoint(name: str = "resnet18") -> None:
    """Raise a `WeightsError` unless the shipped checkpoint is there, whole, and unchanged."""
    COURSE_WEIGHTS[name].get_state_dict()


def imagenet_cached(name: str = "resnet18") -> bool:
    """Say whether torchvision's default weights for ``name`` lie in the local cache, whole and unchanged."""
    try:
        return _cached_file_is_whole(models.get_model_weights(name).DEFAULT)
    except WeightsError:
        return False


def can_download(url: str) -> bool:
    """Say whether the server of ``url`` answers; asked once per process, waiting at most `PROBE_SECONDS`."""
    return _server_answers("{0.scheme}://{0.netloc}/".format(urlsplit(url)))


@cache
def _server_answers(address: str) -> bool:
    answers = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": USER_AGENT})
        try:
            urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
        except HTTPError:
            pass  # a server that refuses its front page is there all the same
        except (OSError, ValueError):
            return
        answers.append(True)

    # In a thread, because looking up a host name has no time-out of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return bool(answers)


def _check_name(name: str) -> None:
    known = models.list_models(module=models)
    if name not in known:
        close = difflib.get_close_matches(str(name), known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see torchvision.models.list_models()."
        raise WeightsError(f"torchvision has no classifier called {name!r}; {hint}")


def _choose(name: str, source: str) -> tuple[str, str | None]:
    """Return the source to use and, where we chose it rather than the caller, the reason in words."""
    if source not in SOURCES:
        raise WeightsError(f"source must be one of {', '.join(SOURCES)}, got {source!r}.")
    if source != "auto":
        return source, None
    forced = os.environ.get("COURSE_WEIGHTS", "").strip() or "auto"
    if forced not in SOURCES:
        raise WeightsError(f"COURSE_WEIGHTS must be one of {', '.join(SOURCES)}, got {forced!r}.")
    if forced == "imagenet":
        return "imagenet", None
    if forced == "course":
        return "course", "COURSE_WEIGHTS=course"
    try:
        if _cached_file_is_whole(models.get_model_weights(name).DEFAULT):
            return "imagenet", "found in the cache"
    except WeightsError as error:
        return _fallback(name, str(error))
    if can_download(models.get_model_weights(name).DEFAULT.url):
        return "imagenet", "downloaded"
    return _fallback(name, "ImageNet weights are not cached and cannot be downloaded here")


def _fallback(name: str, reason: str) -> tuple[str, str]:
    if name in COURSE_WEIGHTS:
        return "course", reason
    raise WeightsError(f"{reason.rstrip('.')}; without a network the course has weights for {_offline_names()} only.")


def _offline_names() -> str:
    return ", ".join(COURSE_WEIGHTS)


def _load_course(name: str) -> tuple[nn.Module, WeightsEnum]:
    if name not in COURSE_WEIGHTS:
        raise WeightsError(f"The course ships weights for {_offline_names()}, not for {name}; use source='imagenet'.")
    weights = COURSE_WEIGHTS[name]
    # Meta tensors have no values, so no time goes into random numbers that the checkpoint replaces at once.
    with torch.device("meta"):
        model = models.get_model(name, weights=None, num_classes=len(weights.meta["categories"]))
    model.load_state_dict(weights.get_state_dict(), assign=True)
    return model, weights


def _load_imagenet(name: str, quiet: bool) -> tuple[nn.Module, WeightsEnum]:
    weights = models.get_model_weights(name).DEFAULT
    _cached_file_is_whole(weights)
    help_offline = f" Offline, use source='course' ({_offline_names()})."
    try:
        return models.get_model(name, weights=weights, progress=not quiet), weights
    except (URLError, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(f"{weights} could not be downloaded ({reason}).{help_offline}") from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            problem = "the disk is full"
        elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            problem = "the folder is not writable"
        else:
            problem = str(error)
        raise WeightsError(
            f"{weights} could not be saved to {_cache_folder()}: {problem}. "
            f"Set TORCH_HOME to a folder with room.{help_offline}"
        ) from None
    except RuntimeError as error:
        if "invalid hash value" in str(error):
            raise WeightsError(f"The download of {weights} arrived damaged and was thrown away; try again.") from None
        raise


def _cache_folder() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _cached_file_is_whole(weights: WeightsEnum) -> bool:
    """Return False when nothing is cached; raise when the cached file is not the one its name promises.

    torch trusts a cached file by its name; the name ends in the first digits of the file's SHA-256, so we look.
    """
    file = _cache_folder() / Path(weights.url).name
    if not file.is_file():
        return False
    promised = re.search(r"-([0-9a-f]{8,})\.", file.name)
    if promised:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if not found.startswith(promised[1]):
            raise WeightsError(f"The cached {file.name} is damaged or was changed: delete {file} and try again.")
    return True


def _loaded(weights: WeightsEnum, reason: str | None) -> str:
    classes = len(weights.meta["categories"])
    pixels = weights.transforms().crop_size[0]
    line = f"Loaded {weights}: {classes} classes, {pixels} x {pixels} pixels"
    line += ", shipped with the course" if isinstance(weights, CourseWeightsEnum) else ", from torchvision"
    return f"{line} ({reason.rstrip('.')})." if reason else f"{line}."
