"""Labelled pictures: drawn pets, real pets, any folder of pictures, and splits that cannot leak."""

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from course_utils.doodles import draw_pet
from course_utils.images import ImageError, open_image

CATS_AND_DOGS = ("cat", "dog")


class DataError(ValueError):
    """Pictures that cannot be had or used; the message says what was found and what to do."""


@dataclass(frozen=True)
class Pictures:
    """Pictures in memory with their labels.

    images: PIL images in mode RGB, of any size. labels: for each image, the position of its class in `categories`.
    `pictures[i]` is `(image, label)`, so that a torch DataLoader takes this as a data set (give it a `collate_fn`
    or transform the images first: a PIL image is no tensor).
    """

    images: tuple[Image.Image, ...]
    labels: tuple[int, ...]
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        for field in ("images", "labels", "categories"):  # lists are welcome, but what is frozen should not change
            object.__setattr__(self, field, tuple(getattr(self, field)))
        if len(self.images) != len(self.labels):
            raise DataError(f"there are {len(self.images)} images but {len(self.labels)} labels; give one label an image.")
        if len(set(self.categories)) != len(self.categories):
            raise DataError(f"categories must differ, but are {self.categories}.")
        wrong = [label for label in self.labels if not 0 <= label < len(self.categories)]
        if wrong:
            raise DataError(f"label {wrong[0]} names none of the {len(self.categories)} categories, counted from 0.")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return self.images[index], self.labels[index]

    def subset(self, indices: Iterable[int]) -> "Pictures":
        """The pictures at these positions, in this order, with the same categories."""
        indices = [int(i) for i in indices]
        return Pictures([self.images[i] for i in indices], [self.labels[i] for i in indices], self.categories)

    def counts(self) -> dict[str, int]:
        """How many pictures each category has, categories without pictures included."""
        return {name: self.labels.count(label) for label, name in enumerate(self.categories)}


def doodle_pets(
    n: int = 500, seed: int = 0, size: int = 64, style: str = "plain", cat_fraction: float = 0.5
) -> Pictures:
    """n drawn cats and dogs, size x size pixels; the same arguments give the same bytes.

    Picture i depends on `seed`, i and its class alone, so that the first 100 of 500 are the 100 of `n=100`.
    style: "plain", or "shifted": the same animals as pencil drawings, a change of domain for a trained model.
    cat_fraction: share of cats, spread evenly; of the first k pictures, k * cat_fraction are cats (rounded).
    """
    if n < 1:
        raise DataError(f"n must be at least 1, but is {n}.")
    if size < 16:
        raise DataError(f"size must be at least 16 pixels, but is {size}; an animal needs some room.")
    if seed < 0:
        raise DataError(f"seed must not be negative, but is {seed}.")
    if style not in ("plain", "shifted"):
        raise DataError(f'style must be "plain" or "shifted", but is {style!r}.')
    if not 0 <= cat_fraction <= 1:
        raise DataError(f"cat_fraction is a share from 0 to 1, but is {cat_fraction}.")
    cats_so_far = [math.floor(k * cat_fraction + 0.5) for k in range(n + 1)]
    labels = [0 if cats_so_far[i + 1] > cats_so_far[i] else 1 for i in range(n)]
    images = [
        draw_pet(CATS_AND_DOGS[label], size, style, np.random.default_rng([seed, i]))
        for i, label in enumerate(labels)
    ]
    return Pictures(images, labels, CATS_AND_DOGS)


def split(
    pictures: Pictures, fractions: Sequence[float] = (0.6, 0.2, 0.2), seed: int = 0
) -> tuple[Pictures, ...]:
    """Divides pictures at random into parts of these fractions (which sum to 1), each class separately.

    Stratified: each part has about the same mix of classes. Leak-free: pictures with identical pixels stay together,
    so that no test picture was trained on. Raises DataError if some part would lack a class.
    """
    if not fractions or min(fractions) <= 0 or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise DataError(f"fractions must be positive and sum to 1, but are {tuple(fractions)}.")
    rng = np.random.default_rng(seed)
    # All copies of a picture form a group; a group counts for the class that its first copy has.
    groups: dict[str, list[int]] = {}
    for i, image in enumerate(pictures.images):
        groups.setdefault(_fingerprint(image), []).append(i)
    parts: list[list[int]] = [[] for _ in fractions]
    for label, name in enumerate(pictures.categories):
        mine = [group for group in groups.values() if pictures.labels[group[0]] == label]
        if len(mine) < len(fractions):
            raise DataError(
                f'class "{name}" has {len(mine)} different pictures, too few for {len(fractions)} parts; '
                "add pictures or make fewer parts."
            )
        ends = np.rint(np.cumsum(fractions) * len(mine)).astype(int)
        for k in range(len(fractions)):  # at least one group for each part
            ends[k] = max(ends[k], k + 1)
        for k in range(len(fractions)):
            ends[k] = min(ends[k], len(mine) - (len(fractions) - 1 - k))
        order = rng.permutation(len(mine))
        for part, chosen in zip(parts, np.split(order, ends[:-1]), strict=True):
            part.extend(i for g in chosen for i in mine[g])
    return tuple(pictures.subset(rng.permutation(part)) for part in parts)


def _fingerprint(image: Image.Image) -> str:
    return hashlib.sha256(repr((image.mode, image.size)).encode() + image.tobytes()).hexdigest()


def folder_of_pictures(path: str | Path) -> Pictures:
    """Reads a folder with one sub-folder a class; the names of the sub-folders are the categories.

    Classes and files come in natural order (img2 before img10). Hidden files and folders, such as the
    .ipynb_checkpoints that Jupyter makes, are skipped. Raises DataError that names each file that is no picture,
    and each class without pictures.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DataError(f"there is no folder '{folder}'; give a folder that holds one sub-folder a class.")
    classes = _visible(folder, lambda p: p.is_dir())
    if not classes:
        raise DataError(f"'{folder}' has no sub-folders; put the pictures of each class into a sub-folder of its own.")
    images, labels, problems = [], [], []
    for label, class_folder in enumerate(classes):
        before = len(images)
        for file in _visible(class_folder, lambda p: not p.is_dir()):
            try:
                images.append(open_image(file))
                labels.append(label)
            except ImageError as error:
                problems.append(str(error))
        if len(images) == before:
            problems.append(f"class folder '{class_folder}' holds no picture.")
    if problems:
        shown = "\n- ".join(problems[:10] + [f"and {len(problems) - 10} more"] * (len(problems) > 10))
        raise DataError(f"'{folder}' needs a little tidying; move these away or repair them:\n- {shown}")
    return Pictures(images, labels, [p.name for p in classes])


def _visible(folder: Path, wanted) -> list[Path]:
    """What is in a folder and not hidden, in natural order: numbers in names count as numbers."""
    def natural(p: Path) -> list:
        return [int(piece) if piece.isdigit() else piece.casefold() for piece in re.split(r"(\d+)", p.name)]

    return sorted((p for p in folder.iterdir() if not p.name.startswith(".") and wanted(p)), key=natural)


def oxford_pets(root: str | Path = "data", download: bool = True, split: str = "trainval") -> Pictures:
    """Photos of cats and dogs, 37 breeds: Oxford-IIIT Pet (Parkhi et al., 2012; CC BY-SA 4.0; about 800 MB).

    split: "trainval" (3680 photos) or "test" (3669). Raises DataError when it can neither be found nor downloaded.
    """
    from torchvision.datasets import OxfordIIITPet

    dataset = _torchvision_dataset(
        OxfordIIITPet, "Oxford-IIIT Pet", root, download, split=split, target_types="binary-category"
    )
    pairs = [dataset[i] for i in range(len(dataset))]
    return Pictures([open_image(image) for image, _ in pairs], [label for _, label in pairs], CATS_AND_DOGS)


def cifar_cats_dogs(root: str | Path = "data", download: bool = True, train: bool = True, size: int = 64) -> Pictures:
    """Small photos of cats and dogs: classes 3 and 5 of CIFAR-10 (Krizhevsky, 2009), enlarged from 32 x 32 pixels.

    train: the 10000 photos of the training set, or the 2000 of the test set. The download takes 170 MB.
    Raises DataError when it can neither be found nor downloaded.
    """
    from torchvision.datasets import CIFAR10

    dataset = _torchvision_dataset(CIFAR10, "CIFAR-10", root, download, train=train)
    wanted = {dataset.class_to_idx[name]: label for label, name in enumerate(CATS_AND_DOGS)}
    chosen = [i for i, target in enumerate(dataset.targets) if target in wanted]
    images = [
        Image.fromarray(dataset.data[i]).resize((size, size), Image.Resampling.BICUBIC) for i in chosen
    ]
    return Pictures(images, [wanted[dataset.targets[i]] for i in chosen], CATS_AND_DOGS)


def _torchvision_dataset(builder, name: str, root: str | Path, download: bool, **options):
    try:
        return builder(Path(root).expanduser(), download=download, **options)
    except (OSError, RuntimeError) as error:
        if not download:
            raise DataError(f"{name} is not in '{root}'; call again with download=True where there is a network.") from error
        raise DataError(
            f"{name} could not be downloaded to '{root}' ({error}); try again where there is a network, copy the folder "
            "from a friend, or use doodle_pets(), which needs no download."
        ) from error
