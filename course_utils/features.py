"""Teach a network new categories without changing it: train a head on cached features.

`extract_features`, `fit_head`, `install_head`: the frozen layers see each picture once, and all the epochs happen on
the numbers they gave. The other road is `fine_tune` in `training.py`; lesson 05 measures both.
"""

import math
import time
from collections.abc import Callable, Sequence

import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.nn import functional as F

from course_utils.batches import check_range, in_batches, labels_of, preprocess
from course_utils.data import Pictures
from course_utils.device import get_device
from course_utils.heads import find_head, replace_head
from course_utils.history import History, check_settings, count_right, loss_and_accuracy, out_of_patience, record
from course_utils.inference import for_passes


def extract_features(
    model: nn.Module,
    transform: Callable,
    pictures: Pictures,
    *,
    device: torch.device | str | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what reaches the model's head for each picture, in one pass: features (N, D) and labels (N,).

    Features are float32, labels int64, both on the CPU. The model runs without gradients and in eval mode (no
    Dropout, BatchNorm with its stored averages), and gets its own modes and device back. A head that is a 1x1
    convolution (SqueezeNet) reads a map (D, h, w); its features are the averages over it, see `install_head`.
    """
    labels = labels_of(pictures)
    device = get_device(device)
    find_head(model)  # a model without one is told before anything runs

    def features_of(indices: Sequence[int]) -> torch.Tensor:
        return up_to_head(preprocess(transform, pictures, indices).to(device)).float().cpu()

    with torch.no_grad(), for_passes(model, device, len(pictures)) as network:
        up_to_head = UpToHead(network)
        return in_batches(features_of, len(pictures), batch_size, "Extracting features", progress), labels


class UpToHead(nn.Module):
    """A classifier without its last layer: pictures (N, 3, H, W) to what reaches the head, (N, D).

    A head that is a 1x1 convolution reads a map (N, D, h, w); its features are the averages over it.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.name, self.head = find_head(model)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return what reaches the head for a preprocessed batch (N, 3, H, W): (N, D)."""
        reached = []
        hook = self.head.register_forward_pre_hook(lambda _layer, inputs: reached.append(inputs[0]))
        try:
            self.model(batch)
        finally:
            hook.remove()
        if not reached:
            raise ValueError(
                f"{type(self.model).__name__} never used its layer {self.name!r}, which looks like the head. Was it "
                "added to a model whose head has another name? replace_head finds the right place."
            )
        features = reached[-1]
        return features.mean(dim=(2, 3)) if isinstance(self.head, nn.Conv2d) else features


def fit_head(
    features: torch.Tensor,
    labels: torch.Tensor,
    num_classes: int,
    *,
    epochs: int = 100,
    lr: float = 1e-3,
    weight_decay: float = 0.01,
    batch_size: int = 64,
    validation: tuple[torch.Tensor, torch.Tensor] | None = None,
    patience: int | None = None,
    seed: int = 0,
    head: nn.Linear | None = None,
) -> tuple[nn.Linear, History]:
    """Train a linear layer from features (N, D) to ``num_classes`` logits; return it, on the CPU, and its history.

    Inside, each feature is scaled to mean 0 and standard deviation 1, so that one learning rate suits any network;
    the scaling is then folded into the layer, which takes raw features. AdamW, with a learning rate that falls
    along a cosine; the same seed gives the same layer. ``head`` is a layer to start from (it is not changed).
    With ``validation``, (features, labels), the layer of the epoch with the lowest validation loss is returned,
    and ``patience`` stops after so many epochs without a lower one.
    """
    counts = {"epochs": epochs, "batch_size": batch_size, "num_classes": num_classes}
    check_settings(validation, patience=patience, lr=lr, weight_decay=weight_decay, **counts)
    features, labels = _checked_features(features, labels, num_classes)
    mean, std = features.mean(dim=0), features.std(dim=0, correction=0)
    std = torch.where(std > 1e-6, std, 1.0)  # a feature that never changes must not divide by zero
    held_out = None
    if validation is not None:
        validation_features, validation_labels = _checked_features(*validation, num_classes)
        if validation_features.shape[1] != features.shape[1]:
            widths = f"{features.shape[1]} columns, those for validation {validation_features.shape[1]}"
            raise ValueError(f"The features for training have {widths}. Are both from the same model?")
        held_out = (validation_features - mean) / std, validation_labels

    # Autograd and torch.optim take longer to organise their work on a layer this small than to do it. So the gradient
    # and the step are written out here; tests/test_features.py compares the result with theirs.
    linear = _starting_layer(features.shape[1], num_classes, head, mean, std)
    weight = torch.cat([linear.weight, linear.bias[:, None]], dim=1).detach()  # the bias is the weight of a column of 1
    features = F.pad((features - mean) / std, (0, 1), value=1.0)
    wanted = F.one_hot(labels, num_classes).float()
    step = _adamw_with_cosine(weight, lr, weight_decay, steps=epochs * math.ceil(len(labels) / batch_size))
    shuffle = torch.Generator().manual_seed(seed)

    history, best = History(), weight
    while history.epochs < epochs and not out_of_patience(history, patience):
        start = time.perf_counter()
        total_loss, right = 0.0, 0
        for batch in torch.randperm(len(labels), generator=shuffle).split(batch_size):
            inputs, answers = features[batch], wanted[batch]
            log_probabilities = F.log_softmax(inputs @ weight.T, dim=1)
            step((log_probabilities.exp() - answers).T @ inputs / len(batch))  # the gradient of the cross-entropy
            total_loss -= (log_probabilities * answers).sum().item()
            right += count_right(log_probabilities, labels[batch])
        record(history, "train", total_loss / len(labels), right / len(labels))
        if held_out is not None:
            logits = F.linear(held_out[0], weight[:, :-1], weight[:, -1])
            record(history, "validation", *loss_and_accuracy(logits, held_out[1]))
        history.seconds.append(time.perf_counter() - start)
        if history.best_epoch == history.epochs:
            best = weight.clone()

    with torch.no_grad():  # W (x - mean) / std + b is the same as (W / std) x + (b - (W / std) mean)
        linear.weight.copy_(best[:, :-1] / std)
        linear.bias.copy_(best[:, -1] - linear.weight @ mean)
    return linear, history


def _adamw_with_cosine(weight: torch.Tensor, lr: float, weight_decay: float, steps: int) -> Callable:
    """Return a function that changes ``weight`` in place by one step of AdamW, given the gradient.

    What ``torch.optim.AdamW`` does with its defaults (https://arxiv.org/abs/1711.05101, algorithm 2), with a learning
    rate that falls from ``lr`` to zero along half a cosine.
    """
    mean, square, done = torch.zeros_like(weight), torch.zeros_like(weight), 0

    def step(gradient: torch.Tensor) -> None:
        nonlocal done
        rate = lr * 0.5 * (1 + math.cos(math.pi * done / steps))
        done += 1
        mean.lerp_(gradient, 1 - 0.9)
        square.mul_(0.999).addcmul_(gradient, gradient, value=1 - 0.999)
        scale = (square / (1 - 0.999**done)).sqrt_().add_(1e-8)
        weight.mul_(1 - rate * weight_decay).addcdiv_(mean, scale, value=-rate / (1 - 0.9**done))

    return step


def _starting_layer(
    num_features: int, num_classes: int, head: nn.Linear | None, mean: torch.Tensor, std: torch.Tensor
) -> nn.Linear:
    """A layer for scaled features: zeros (its loss has only one valley), or the same function as ``head``."""
    linear = nn.Linear(num_features, num_classes)
    if head is not None:
        _check_layer(head)
    with torch.no_grad():
        if head is None:
            linear.weight.zero_()
            linear.bias.zero_()
        elif head.weight.shape == linear.weight.shape:
            linear.weight.copy_(head.weight.cpu() * std)
            linear.bias.copy_(head.weight.cpu() @ mean)
            if head.bias is not None:
                linear.bias.add_(head.bias.cpu())
        else:
            raise ValueError(
                f"head turns {head.in_features} features into {head.out_features} scores, "
                f"but here are {num_features} features and {num_classes} classes."
            )
    return linear


def install_head(model: nn.Module, linear: nn.Linear) -> nn.Module:
    """Copy a layer from `fit_head` into the model's head, in place; return the same model.

    A head with another number of classes is replaced first (`replace_head`). Where the head is a 1x1 convolution
    (SqueezeNet), the same numbers become its weights and the ReLU behind it becomes an ``nn.Identity``: the layer
    learned from averaged features, and averaging before the convolution is averaging after it only as long as
    nothing is clipped in between.
    """
    _check_layer(linear)
    head = find_head(model)
    if linear.in_features != head.in_features:
        raise ValueError(
            f"The layer takes {linear.in_features} features, but the head {head.name!r} of this "
            f"{type(model).__name__} gets {head.in_features}. Are the features from another model?"
        )
    head = find_head(replace_head(model, linear.out_features))
    if head.layer.bias is None:  # MaxViT's head has none; the layer from fit_head needs one
        head.layer.bias = nn.Parameter(head.layer.weight.new_zeros(linear.out_features))
    with torch.no_grad():
        head.layer.weight.copy_(linear.weight.reshape(head.layer.weight.shape))
        head.layer.bias.copy_(linear.bias)
    if isinstance(head.layer, nn.Conv2d):
        names = [name for name, _ in model.named_modules()]
        behind = names[names.index(head.name) + 1]
        if isinstance(model.get_submodule(behind), nn.ReLU):
            model.set_submodule(behind, nn.Identity())
    return model


def _check_layer(linear: nn.Linear) -> None:
    if not isinstance(linear, nn.Linear):
        raise ValueError(f"A layer from fit_head (an nn.Linear) is needed here, got {type(linear).__name__}.")
    if any(numbers.is_meta or not numbers.isfinite().all() for numbers in linear.parameters()):
        raise ValueError("The layer holds NaN or infinity, or no numbers (on the meta device); train it again.")


def _checked_features(features: ArrayLike, labels: ArrayLike, num_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    features, labels = torch.as_tensor(features).detach(), torch.as_tensor(labels).detach()
    if features.is_meta or labels.is_meta or features.is_complex():
        raise ValueError("Features must be real numbers, and not on the meta device, which holds none.")
    features, labels = features.cpu(), labels.cpu()
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(f"Features must have shape (N, D) and not be empty, got {tuple(features.shape)}.")
    if labels.shape != features.shape[:1] or labels.is_floating_point():
        raise ValueError(
            f"{len(features)} rows of features need as many whole-number labels, "
            f"got {labels.dtype} of shape {tuple(labels.shape)}."
        )
    if not features.isfinite().all():
        raise ValueError("The features hold NaN or infinity; look at the model or the pictures they come from.")
    check_range(labels, num_classes)
    return features.float(), labels.long()
