"""Pictures in, batches of tensors out."""

from collections.abc import Callable, Sequence

import torch

from course_utils.data import Pictures
from course_utils.device import batched
from course_utils.progress_bar import progress_bar


def preprocess(transform: Callable, pictures: Pictures, indices: Sequence[int]) -> torch.Tensor:
    """Return the pictures at these positions as ``transform`` gives them, (N, 3, H, W).

    A ValueError unless each becomes a tensor of one and the same shape (3, H, W).
    """
    tensors = [transform(pictures[index][0]) for index in indices]
    found = {str(tuple(x.shape)) if isinstance(x, torch.Tensor) else type(x).__name__ for x in tensors}
    if len(found) > 1 or not isinstance(tensors[0], torch.Tensor) or tensors[0].ndim != 3:
        raise ValueError(
            "The transform must turn every picture into a tensor of the same shape (3, H, W), but gave "
            f"{', '.join(sorted(found))}. weights.transforms() does; Resize alone fixes the shorter side only."
        )
    return torch.stack(tensors)


def in_batches(
    function: Callable, count: int, batch_size: int, description: str = "", progress: bool = False
) -> torch.Tensor:
    """Give the positions 0 to ``count`` to ``function`` in batches and join the tensors that it returns.

    From (n, ...) for each batch of n positions comes (``count``, ...). ``progress`` shows a bar.
    """
    parts = []
    with progress_bar(count, description, "picture", progress) as bar:
        for part in batched(function, range(count), batch_size):
            parts.append(part)
            bar.update(len(part))
    return torch.cat(parts)


def labels_of(pictures: Pictures) -> torch.Tensor:
    """Return the labels (N,) as int64, on the CPU; a ValueError where there is no picture."""
    if len(pictures) == 0:
        raise ValueError("There are no pictures.")
    labels = torch.tensor(pictures.labels, dtype=torch.int64)
    check_range(labels, len(pictures.categories))
    return labels


def check_range(labels: torch.Tensor, num_classes: int) -> None:
    """Raise a ValueError unless all labels (N,), N > 0, lie between 0 and ``num_classes`` - 1."""
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise ValueError(f"Labels go from {low} to {high}, but {num_classes} classes are 0 to {num_classes - 1}.")
