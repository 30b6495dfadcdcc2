"""Occlusion: which places of a picture does an answer need? Hide one after the other, and see what is lost.

From Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901.
No gradient and no look into the network: only pictures go in and probabilities come out. `plots.show_maps` lays
the map over the picture.
"""

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.inference import evaluating

WINDOWS = 4  # windows side by side that cover a picture
BATCH_SIZE = 32  # pictures with a hidden place that go through the network together


def occlusion_map(
    model: nn.Module, batch: torch.Tensor, targets: list[int], *, window: int | None = None, stride: int | None = None
) -> torch.Tensor:
    """Return, for each preprocessed picture of the batch (N, 3, H, W), a map (N, H, W) of what its answer needs.

    A square of ``window`` pixels (default: a quarter of the shorter side) is filled with 0, the average colour after
    normalisation, and moves by ``stride`` pixels (default: half a window). A pixel's value is the probability that
    the target loses (0 to 1), averaged over all squares that cover it; it is negative where the answer gets surer.
    ``targets`` has a position in the model's output for each picture. The model runs in eval mode and is not changed.
    Raises ValueError for targets that do not fit the pictures and squares that do not fit into them.
    """
    if len(targets) != len(batch):
        raise ValueError(f"There are {len(batch)} pictures and {len(targets)} targets; each picture needs one.")
    height, width = batch.shape[-2:]
    window = min(height, width) // WINDOWS if window is None else window
    stride = max(1, window // 2) if stride is None else stride
    if not (1 <= window <= min(height, width) and 1 <= stride <= window):
        raise ValueError(
            f"A window of {window} pixels that moves by {stride} does not cover a picture of {height} x {width}: the "
            "window must fit into the picture, and the stride into the window."
        )
    corners = [(top, left) for top in _starts(height, window, stride) for left in _starts(width, window, stride)]
    maps = torch.zeros(len(batch), height, width)
    covered = torch.zeros(height, width)
    for top, left in corners:
        covered[top : top + window, left : left + window] += 1
    with evaluating(model, batch.device), torch.inference_mode():
        for number, target in enumerate(targets):
            picture = batch[number]
            whole = F.softmax(model(picture[None]), dim=1)[0, target].item()
            for first in range(0, len(corners), BATCH_SIZE):
                places = corners[first : first + BATCH_SIZE]
                hidden = picture.repeat(len(places), 1, 1, 1)
                for copy, (top, left) in zip(hidden, places, strict=True):
                    copy[:, top : top + window, left : left + window] = 0
                left_over = F.softmax(model(hidden), dim=1)[:, target].cpu()
                for (top, left), probability in zip(places, left_over, strict=True):
                    maps[number, top : top + window, left : left + window] += whole - probability
    return maps / covered


def _starts(length: int, window: int, stride: int) -> list[int]:
    """Where the windows begin along one side; the last one ends at the edge."""
    return sorted({*range(0, length - window + 1, stride), length - window})
