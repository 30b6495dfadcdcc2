"""The helper package of the course: small modules that you are invited to open and read.

Every name below can be imported from here: ``from course_utils import load_pretrained, predict``.
A module is only imported when one of its names is first used, so that
``python -m course_utils doctor`` also runs where torch is missing or broken.
"""

from importlib import import_module
from typing import Any

_HOME_OF = {
    "DeviceError": "device",
    "get_device": "device",
    "describe_device": "device",
    "to_device": "device",
    "batched": "device",
    "ImageError": "images",
    "Photo": "sample_photos",
    "open_image": "images",
    "sample_images": "sample_photos",
    "WeightsError": "weights",
    "ResNet18_Course_Weights": "weights",
    "EfficientNet_Lite0_Weights": "weights",
    "efficientnet_lite0": "efficientnet_lite",
    "load_pretrained": "weights",
    "Prediction": "inference",
    "predict": "inference",
    "Head": "heads",
    "find_head": "heads",
    "replace_head": "heads",
    "freeze_backbone": "heads",
    "unfreeze_backbone": "heads",
    "Pictures": "data",
    "doodle_pets": "data",
    "oxford_pets": "data",
    "cifar_cats_dogs": "data",
    "folder_of_pictures": "data",
    "split": "data",
    "History": "history",
    "evaluate": "inference",
    "extract_features": "features",
    "fine_tune": "training",
    "fit_head": "features",
    "install_head": "features",
    "accuracy": "metrics",
    "confusion_matrix": "metrics",
    "precision_recall": "metrics",
    "threshold_sweep": "metrics",
    "ask": "quiz.notebook",
    "check": "quiz.notebook",
    "explain": "quiz.notebook",
    "hint": "quiz.notebook",
    "progress": "quiz.notebook",
    "commit": "quiz.predictions",
    "reveal": "quiz.predictions",
    "guesses": "quiz.predictions",
    "save_progress": "quiz.progress",
    "load_progress": "quiz.progress",
    "save_certificate": "quiz.certificate",
}

__all__ = sorted(_HOME_OF)  # pyright: ignore[reportUnsupportedDunderAll] - one table, not two


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'course_utils' has no attribute {name!r}")
    return getattr(import_module(f"course_utils.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
