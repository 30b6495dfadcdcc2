"""Labelled pictures: drawn pets, photos of pets, any folder of pictures, and splits that cannot leak."""

import hashlib
import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from course_utils.doodles import draw_pet
from course_utils.errors import CourseError, reason_of, shown
from course_utils.images import ImageError, open_image
from course_utils.progress_bar import progress_bar

T = TypeVar("T")
CATS_AND_DOGS = ("cat", "dog")
NO_PICTURES = {"Thumbs.db", "desktop.ini", "__MACOSX"}  # what Windows and macOS leave in folders and archives


class PicturesError(CourseError, ValueError):
    """Pictures that cannot be had or used; the message says what was found and what to do."""


@dataclass(frozen=True)
class Pictures:
    """Pictures in memory with their labels.

    images: PIL images in mode RGB, of any size. labels: for each image, the position of its class in `categories`.
    `pictures[i]` is `(image, label)`, so this is a data set for torch's DataLoader, given a `collate_fn` that turns
    PIL images into tensors.
    """

    images: Sequence[Image.Image]
    labels: Sequence[int]
    categories: Sequence[str]

    def __post_init__(self) -> None:
        # Lists and arrays are welcome, but what is frozen should hold nothing that can change.
        object.__setattr__(self, "images", tuple(self.images))
        object.__setattr__(self, "labels", tuple(int(label) for label in self.labels))
        object.__setattr__(self, "categories", tuple(self.categories))
        if len(self.images) != len(self.labels):
            raise PicturesError(f"found {len(self.images)} images but {len(self.labels)} labels; give each image one.")
        if len(set(self.categories)) != len(self.categories):
            raise PicturesError(f"each category needs a name of its own, but they are {self.categories}.")
        for label in self.labels:
            if not 0 <= label < len(self.categories):
                raise PicturesError(f"label {label} is none of the {len(self.categories)} categories, counted from 0.")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return self.images[index], self.labels[index]

    def subset(self, indices: Iterable[int]) -> "Pictures":
        """Return the pictures at these positions, in this order, with the same categories."""
        positions = to_list() if (to_list := getattr(indices, "tolist", None)) else list(indices)
        if any(isinstance(i, bool | np.bool_) for i in positions):
            raise PicturesError("subset takes positions, not a mask of True and False; use numpy.flatnonzero(mask).")
        return Pictures([self.images[i] for i in positions], [self.labels[i] for i in positions], self.categories)

    def counts(self) -> dict[str, int]:
        """Return how many pictures each category has; 0 for a category without any."""
        return {name: self.labels.count(label) for label, name in enumerate(self.categories)}


def doodle_pets(
    n: int = 500, seed: int = 0, size: int = 64, style: str = "plain", cat_fraction: float = 0.5
) -> Pictures:
    """Return n drawn cats and dogs, size x size pixels: the same arguments give the same pictures, byte for byte.

    Picture i depends on its class, `seed`, `size` and i alone, so that `doodle_pets(100)` are the first 100 of
    `doodle_pets(500)`. (On another machine, other versions of numpy and Pillow may change the last bit of a pixel.)

    style: "plain", or "shifted": the same animals in coloured pencil, a change of domain for a model trained on plain
    ones. cat_fraction: share of cats, spread evenly: among the first k pictures are k * cat_fraction, rounded.
    See `course_utils/doodles/` for how they are drawn.
    """
    if n < 1:
        raise PicturesError(f"n must be at least 1, but is {n}.")
    if seed < 0:
        raise PicturesError(f"seed must not be negative, but is {seed}.")
    if size < 16:
        raise PicturesError(f"size must be at least 16 pixels, but is {size}: an animal needs some room.")
    if style not in ("plain", "shifted"):
        raise PicturesError(f'style must be "plain" or "shifted", but is {style!r}.')
    if not 0 <= cat_fraction <= 1:
        raise PicturesError(f"cat_fraction is a share from 0 to 1, but is {cat_fraction}.")
    cats_before = [math.floor(k * cat_fraction + 0.5) for k in range(n + 1)]
    labels = [0 if cats_before[i] < cats_before[i + 1] else 1 for i in range(n)]
    images = [
        draw_pet(CATS_AND_DOGS[label], size, style, np.random.default_rng([seed, i]))
        for i, label in enumerate(progress_bar(len(labels), "drawing", "picture", items=labels))
    ]
    return Pictures(images, labels, CATS_AND_DOGS)


def oxford_pets(
    root: str | Path = "data",
    download: bool = True,
    train: bool = True,
    n: int | None = 1000,
    seed: int = 0,
    size: int = 224,
) -> Pictures:
    """Return n photos of cats and dogs of 37 breeds, chosen at random from Oxford-IIIT Pet (a download of 800 MB).

    train: choose from the 3680 photos for training and validation, or from the 3669 for testing. n=None takes all,
    about 0.2 MB each in memory at size 224. size: pixels of the shorter side to which each photo is resized.
    Raises PicturesError where the data set is neither found nor to be downloaded, or damaged.

    Source: Parkhi et al., Cats and Dogs, CVPR 2012, https://www.robots.ox.ac.uk/~vgg/data/pets/, CC BY-SA 4.0.
    """
    from torchvision.datasets import OxfordIIITPet  # torchvision takes a second to import; drawn pets need none of it

    dataset = _torchvision_dataset(
        OxfordIIITPet,
        root,
        download,
        split="trainval" if train else "test",
        target_types="binary-category",
    )
    if n is not None and not 1 <= n <= len(dataset):
        raise PicturesError(f"n must be from 1 to {len(dataset)}, or None for all, but is {n}.")
    chosen = np.random.default_rng(seed).permutation(len(dataset))[:n].tolist()
    images, labels = [], []
    for i in progress_bar(len(chosen), "opening", "picture", items=chosen):
        try:
            image, label = dataset[i]
        except Exception as error:  # each of Pillow's readers has its own exceptions for damaged data
            raise PicturesError(
                f"the Oxford-IIIT Pet data in '{shown(root)}' is incomplete ({reason_of(error)}); "
                "delete its folder 'oxford-iiit-pet' and call again where there is a network."
            ) from error
        scale = size / min(image.size)
        images.append(image.resize((round(image.width * scale), round(image.height * scale))))
        labels.append(label)
    return Pictures(images, labels, CATS_AND_DOGS)


def cifar_cats_dogs(root: str | Path = "data", download: bool = True, train: bool = True, size: int = 64) -> Pictures:
    """Return photos of cats and dogs: classes 3 and 5 of CIFAR-10 (a download of 170 MB), enlarged to `size` pixels.

    train: the 10,000 photos of the training set, or the 2,000 of the test set.
    Raises PicturesError where the data set is neither found nor to be downloaded.

    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html, which states no licence.
    """
    from torchvision.datasets import CIFAR10

    dataset = _torchvision_dataset(CIFAR10, root, download, train=train)
    label_of = {dataset.class_to_idx[name]: label for label, name in enumerate(CATS_AND_DOGS)}
    chosen = [i for i, target in enumerate(dataset.targets) if target in label_of]
    images = [Image.fromarray(dataset.data[i]).resize((size, size), Image.Resampling.BICUBIC) for i in chosen]
    return Pictures(images, [label_of[dataset.targets[i]] for i in chosen], CATS_AND_DOGS)


def folder_of_pictures(path: str | Path, longest_side: int = 512) -> Pictures:
    """Read a folder that has one sub-folder of pictures for each class; their names are the categories.

    Classes, and the files in them, come in natural order (img2 before img10). Hidden files and folders, such as the
    .ipynb_checkpoints that Jupyter makes, are skipped, and so is what lies beside the class folders. Pictures larger
    than `longest_side` pixels are shrunk to it, so that a folder of phone photos fits into memory.
    Raises PicturesError with the names of all files that are no pictures and all classes without pictures.
    """
    try:
        folder = Path(os.path.expanduser(os.fsdecode(path)))
        if not folder.is_dir():
            raise PicturesError(f"there is no folder '{shown(folder)}'; give one that has a sub-folder for each class.")
        classes = [entry for entry in _visible(folder) if entry.is_dir()]
        files = [(file, label) for label, entry in enumerate(classes) for file in _visible(entry) if not file.is_dir()]
    except (OSError, TypeError) as error:  # no permission, or no path at all
        raise PicturesError(f"'{shown(path)}' cannot be read ({reason_of(error)}); give a folder of yours.") from error
    if not classes:
        raise PicturesError(
            f"'{shown(folder)}' has no sub-folders; put the pictures of each class into one of its own."
        )
    images, labels, problems = [], [], []
    for file, label in progress_bar(len(files), "opening", "picture", items=files):
        try:
            image = open_image(file)
        except ImageError as error:
            problems.append(str(error))
            continue
        image.thumbnail((longest_side, longest_side))
        images.append(image)
        labels.append(label)
    problems += [f"'{shown(entry)}' holds no picture." for label, entry in enumerate(classes) if label not in labels]
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems[:10])
        more = f"\n- and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise PicturesError(f"'{shown(folder)}' does not hold only pictures; move or repair these:\n{listed}{more}")
    return Pictures(images, labels, [entry.name for entry in classes])


def split(pictures: Pictures, fractions: Sequence[float] = (0.6, 0.2, 0.2), seed: int = 0) -> tuple[Pictures, ...]:
    """Divide pictures at random into parts of these fractions, which sum to 1.

    Stratified: each class is divided by itself, so that all parts have the same mix. Leak-free: pictures with the
    same pixels stay together, so that no picture of one part is known from another.
    Raises PicturesError if a class has fewer different pictures than there are parts.
    """
    if not len(fractions) or min(fractions) <= 0 or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise PicturesError(f"fractions must be positive and sum to 1, but are {tuple(fractions)}.")
    copies: dict[str, list[int]] = {}  # positions of the pictures that have the same pixels
    for i, image in enumerate(pictures.images):
        copies.setdefault(_fingerprint(image), []).append(i)
    rng = np.random.default_rng(seed)
    parts: list[list[int]] = [[] for _ in fractions]
    for label, name in enumerate(pictures.categories):
        # Should copies bear different labels, the first decides which class they are divided with.
        groups = [group for group in copies.values() if pictures.labels[group[0]] == label]
        if len(groups) < len(fractions):
            raise PicturesError(
                f'class "{name}" has {len(groups)} different pictures, too few for {len(fractions)} parts; '
                "add pictures or ask for fewer parts."
            )
        for part, size in zip(parts, _sizes(len(groups), fractions), strict=True):
            for _ in range(size):
                part += groups.pop(rng.integers(len(groups)))
    return tuple(pictures.subset(rng.permutation(part)) for part in parts)


def _sizes(total: int, fractions: Sequence[float]) -> list[int]:
    """Divides total >= len(fractions) into whole numbers near these fractions, each at least 1."""
    sizes = [max(1, math.floor(total * fraction)) for fraction in fractions]
    while sum(sizes) < total:  # give the rest to those who miss most
        missing = [total * fraction - size for fraction, size in zip(fractions, sizes, strict=True)]
        sizes[missing.index(max(missing))] += 1
    while sum(sizes) > total:  # small parts were raised to 1: the largest pay for it
        sizes[sizes.index(max(sizes))] -= 1
    return sizes


def _fingerprint(image: Image.Image) -> str:
    return hashlib.sha256(f"{image.mode} {image.size}".encode() + image.tobytes()).hexdigest()


def _visible(folder: Path) -> list[Path]:
    """What is in a folder and not hidden, in natural order: digits in a name count as one number."""

    def natural(entry: Path) -> list:
        pieces = re.split(r"(\d+)", entry.name.casefold())
        return [int(piece) if i % 2 else piece for i, piece in enumerate(pieces)]

    seen = (entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.name not in NO_PICTURES)
    return sorted(seen, key=natural)


def _torchvision_dataset(builder: type[T], root: str | Path, download: bool, **options: object) -> T:
    try:
        return builder(Path(os.path.expanduser(root)), download=download, **options)  # pyright: ignore[reportCallIssue]
    except Exception as error:  # torchvision passes on what a broken line or a damaged archive makes of its readers
        advice = "" if download else " with download=True"
        raise PicturesError(
            f"{builder.__name__} is not in '{shown(root)}' ({reason_of(error)}); call again{advice} where there is a "
            "network, copy the folder from somebody who has it, or use doodle_pets(), which needs no download."
        ) from error
