"""The last layer of a classifier: find it, replace it, and keep everything before it exactly as it was.

torchvision gives that layer five different names (``fc``, ``classifier``, ``classifier[-1]``, ``head``,
``heads.head``). One rule finds it in all 80 classifiers: it is the last ``nn.Linear`` or ``nn.Conv2d`` that
the model registers. ``tests/test_heads.py`` checks the rule on every one of them.
"""

from typing import NamedTuple

from torch import nn

from course_utils.errors import CourseError

# Extra heads that only work in train mode: Inception v3 has the first, GoogLeNet the other two.
AUXILIARY_HEADS = ("AuxLogits.fc", "aux1.fc2", "aux2.fc2")

# Models from these places answer with boxes, masks or motion, not with one score for each class.
_OTHER_TASKS = {
    "torchvision.models.detection": "finds objects and their boxes",
    "torchvision.models.segmentation": "labels every pixel",
    "torchvision.models.optical_flow": "estimates motion",
}


class HeadError(CourseError, ValueError):
    """There is no head to find or replace; the message says what was found instead."""


class Head(NamedTuple):
    """Where a classifier's last layer is, and the layer itself: ``name, layer = find_head(model)``."""

    name: str
    layer: nn.Linear | nn.Conv2d

    @property
    def in_features(self) -> int:
        """How many numbers describe one picture when it reaches this layer."""
        return self.layer.in_features if isinstance(self.layer, nn.Linear) else self.layer.in_channels

    @property
    def num_classes(self) -> int:
        """How many scores come out."""
        return self.layer.out_features if isinstance(self.layer, nn.Linear) else self.layer.out_channels


def find_head(model: nn.Module) -> Head:
    """Return the name and the layer that turn a picture's features into one score for each class.

    It reads the order in which layers were registered, so a layer that was added later and is never called
    (``vgg.fc = nn.Linear(10, 2)``) is found instead of the real head. A model that is no classifier, whose head
    was taken off, or which has several heads side by side (as distilled transformers have), is a `HeadError` that
    names what was found.
    """
    _check_model(model)
    kind = type(model).__name__
    for place, task in _OTHER_TASKS.items():
        if type(model).__module__.startswith(place):
            raise HeadError(f"{kind} is no classifier: it {task}, so it has no single head to find.")

    with_weights = [(name, layer) for name, layer in model.named_modules() if _owns_parameters(layer)]
    if not with_weights:
        raise HeadError(f"{kind} has no layer with weights, so it has no head.")
    name, layer = with_weights[-1]
    if name == "":
        raise HeadError(f"{kind} is a single layer, not a model with a head inside.")
    if isinstance(layer, nn.Linear):
        _refuse_several(model, with_weights)
        return Head(name, layer)
    # A convolution is a head only where pooling follows and leaves one number for each class (SqueezeNet).
    if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and _pooled_afterwards(model, name):
        return Head(name, layer)
    raise HeadError(
        f"{kind} does not end like a classifier: its last layer with weights is {name!r}, "
        f"a {type(layer).__name__}, not an nn.Linear or a 1x1 nn.Conv2d before pooling. "
        "Was its head removed, or is it a model for another task?"
    )


def replace_head(model: nn.Module, num_classes: int) -> nn.Module:
    """Give the classifier a new, randomly initialised head with ``num_classes`` scores; return the same model.

    Device and dtype stay, the auxiliary heads of Inception and GoogLeNet follow. A head that already has
    ``num_classes`` scores is left alone, so running a notebook cell twice does not throw away what it learned.
    """
    _check_model(model)
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 1:
        raise HeadError(f"num_classes must be a whole number of at least 1, got {num_classes!r}.")
    for name, layer in _all_heads(model):
        if Head(name, layer).num_classes != num_classes:
            _set_layer(model, name, _like(layer, num_classes))
    return model


def freeze_backbone(model: nn.Module) -> nn.Module:
    """Let nothing but the head change from now on; return the same model.

    Two things move a network: gradients, and BatchNorm's running averages, which move at every forward pass in
    train mode, gradients or not. So the backbone gets ``requires_grad=False`` and is put back into eval mode at
    the start of every forward pass, also after ``model.train()``. A Dropout that stands beside the head, not inside
    a frozen block, goes on working in train mode.
    """
    _check_model(model)
    heads = [layer for _, layer in _all_heads(model)]
    model.requires_grad_(False)
    for layer in heads:
        layer.requires_grad_(True)
    if keep_frozen_layers_in_eval not in model._forward_pre_hooks.values():
        model.register_forward_pre_hook(keep_frozen_layers_in_eval)
    keep_frozen_layers_in_eval(model, ())
    return model


def unfreeze_backbone(model: nn.Module) -> nn.Module:
    """Undo `freeze_backbone`: every parameter may learn again, and ``train()`` reaches every layer."""
    _check_model(model)
    model.requires_grad_(True)
    for key, hook in list(model._forward_pre_hooks.items()):
        if hook is keep_frozen_layers_in_eval:
            del model._forward_pre_hooks[key]
    return model.train(model.training)


def keep_frozen_layers_in_eval(model: nn.Module, _inputs: tuple) -> None:
    """Put every layer whose parameters are all frozen into eval mode, with what stands inside it.

    A Dropout beside a layer that may learn has no parameters and is no part of a frozen one: it keeps its mode.
    """
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()


def _all_heads(model: nn.Module) -> list[Head]:
    extra = [
        Head(name, layer)
        for name, layer in model.named_modules()
        if name in AUXILIARY_HEADS and isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    return [*extra, find_head(model)]


def _check_model(model: object) -> None:
    if not isinstance(model, nn.Module):
        raise HeadError(f"A model (an nn.Module) is needed here, got {type(model).__name__}.")


def _refuse_several(model: nn.Module, with_weights: list[tuple[str, nn.Module]]) -> None:
    """Refuse a model whose last linear layers stand side by side, each with one score for each class."""
    linear = [
        (name, layer) for name, layer in with_weights if isinstance(layer, nn.Linear) and name not in AUXILIARY_HEADS
    ]
    heads = linear[-1:]
    for name, layer in reversed(linear[:-1]):
        if not _side_by_side(model, (name, layer), heads[0]):
            break
        heads.insert(0, (name, layer))
    if len(heads) > 1:
        raise HeadError(
            f"{type(model).__name__} has {len(heads)} heads side by side ({', '.join(name for name, _ in heads)}) and "
            "mixes their scores; find_head and replace_head work on models with one head. Choose such a model, or "
            "replace each of these layers yourself."
        )


def _side_by_side(model: nn.Module, one: tuple[str, nn.Linear], other: tuple[str, nn.Linear]) -> bool:
    """Whether two linear layers, neighbours in the model, both give the scores, rather than one feeding the other."""
    (name, layer), (other_name, other_layer) = one, other
    if layer.out_features != other_layer.out_features:
        return False
    parent = name.rpartition(".")[0]
    if parent and parent == other_name.rpartition(".")[0] and isinstance(model.get_submodule(parent), nn.ModuleList):
        return True
    # Of the same shape, but not square: the numbers that one gives are too many or too few for the other.
    return layer.in_features == other_layer.in_features != layer.out_features


def _owns_parameters(layer: nn.Module) -> bool:
    return next(layer.parameters(recurse=False), None) is not None


def _pooled_afterwards(model: nn.Module, name: str) -> bool:
    names = [name for name, _ in model.named_modules()]
    later = names[names.index(name) + 1 :]
    return any(isinstance(model.get_submodule(other), nn.AdaptiveAvgPool2d) for other in later)


def _like(layer: nn.Linear | nn.Conv2d, num_classes: int) -> nn.Linear | nn.Conv2d:
    place = {"device": layer.weight.device, "dtype": layer.weight.dtype, "bias": layer.bias is not None}
    if isinstance(layer, nn.Linear):
        return nn.Linear(layer.in_features, num_classes, **place)
    return nn.Conv2d(layer.in_channels, num_classes, kernel_size=1, **place)


def _set_layer(model: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)
