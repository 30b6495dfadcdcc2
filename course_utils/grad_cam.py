"""Grad-CAM: which places of a picture spoke for a category.

From Selvaraju and others, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017,
https://arxiv.org/abs/1610.02391. `plots.show_grad_cam` lays the map over the picture.
"""

import torch
from torch import nn

from course_utils.inference import evaluating


def grad_cam(model: nn.Module, layer: nn.Module, batch: torch.Tensor, targets: list[int]) -> torch.Tensor:
    """Return, for each picture of the batch (N, 3, H, W), a map (N, h, w) of what spoke for its category.

    ``layer`` is a convolutional part of the model, such as ``model.layer3``, whose output (N, C, h, w) is looked at:
    how much would the category's logit rise with each of the C channels, and where is that channel active? Deep layers
    know more about categories and less about places. ``targets`` has a position in the model's output for each
    picture. The model runs in eval mode, and neither its modes nor its gradients are changed. Logits, not shares: the
    maps of two pictures cannot be compared.
    """
    if len(targets) != len(batch):
        raise ValueError(f"There are {len(batch)} pictures and {len(targets)} targets; each picture needs one.")
    seen = []
    hook = layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(output))
    try:
        with evaluating(model, batch.device), torch.enable_grad():
            # The pictures ask for gradients, so that a frozen network passes them on as well.
            logits = model(batch.detach().clone().requires_grad_())
            if not seen or seen[-1].ndim != 4:
                raise ValueError(
                    "The layer must be a part of the model that gives maps (N, C, h, w), like model.layer3."
                )
            chosen = logits[range(len(batch)), targets].sum()
            (gradients,) = torch.autograd.grad(chosen, seen[-1])
    finally:
        hook.remove()
    importance = gradients.mean(dim=(2, 3), keepdim=True)  # of each channel, (N, C, 1, 1)
    return (importance * seen[-1].detach()).sum(dim=1).relu()


def brightest_place(cam: torch.Tensor) -> str:
    """Say in words where a map (h, w) is highest: "upper left", "middle" and so on, or "nowhere" if it is all zero."""
    if cam.max() <= 0:
        return "nowhere"
    row, column = divmod(int(cam.argmax()), cam.shape[1])
    vertical = ("upper", "", "lower")[min(2, 3 * row // cam.shape[0])]
    horizontal = ("left", "middle", "right")[min(2, 3 * column // cam.shape[1])]
    return f"{vertical} {horizontal}".strip()
