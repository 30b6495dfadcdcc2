"""A classifier by depth: its stages from the first layer to the head, which of them learn, and how fast.

unfreeze_from(model, "layer4")                          everything before layer4 stays as it is
torch.optim.AdamW(parameter_groups(model, lr=1e-3))     the earlier a stage, the smaller its steps
"""

import math
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import ResNet

from course_utils.heads import find_head, freeze_backbone
from course_utils.history import warm_up_then_cosine

NORMALIZATIONS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


def stages(model: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Return the parameters of each stage by its name, in the order in which a picture meets the stages.

    A stage is a part of the model that has a name at the top: ``conv1``, ``layer1`` ... ``fc`` in a ResNet. A part
    called ``features`` (VGG, DenseNet, MobileNet ...) is opened, so ``features.0`` is a stage. A normalisation layer
    belongs to the stage before it. Each parameter is in exactly one stage, the head's in the last.
    """
    find_head(model)  # a model that is no classifier is an error there, with a sentence that says so
    parts = []
    for name, part in model.named_children():
        inside = part.named_children() if name == "features" else ()
        parts += [(f"{name}.{child}", layer) for child, layer in inside] or [(name, part)]

    found: dict[str, list[nn.Parameter]] = {}
    for name, part in parts:
        parameters = list(part.parameters())
        if found and isinstance(part, NORMALIZATIONS):
            found[list(found)[-1]] += parameters
        elif parameters:
            found[name] = parameters
    own = list(model.parameters(recurse=False))  # the class token of a ViT belongs to no part
    first = next(iter(found))
    found[first] = own + found[first]
    return found


def unfreeze_from(model: nn.Module, stage: str) -> nn.Module:
    """Let ``stage`` and everything behind it learn, and nothing before it; return the same model.

    BatchNorm and Dropout of the frozen stages stay in eval mode, as with `freeze_backbone`.
    """
    parts = stages(model)
    if stage not in parts:
        raise ValueError(f"{type(model).__name__} has no stage {stage!r}; it has {', '.join(parts)}.")
    freeze_backbone(model)
    names = list(parts)
    for name in names[names.index(stage) :]:
        for parameter in parts[name]:
            parameter.requires_grad_(True)
    return model


def parameter_groups(model: nn.Module, lr: float, factor: float = 0.3) -> list[dict]:
    """Return one group of parameters a stage for a torch optimizer: ``lr`` for the head, less for what lies before.

    Going back from the head, each stage gets ``factor`` times the learning rate of the next one; 1 gives all the
    same. Frozen parameters are left out. A group also has the stage's ``name``, for a look at
    ``optimizer.param_groups``.
    """
    if not 0 < lr < math.inf:
        raise ValueError(f"lr, the learning rate of the head, must be a positive number, got {lr!r}.")
    if not 0 < factor <= 1:
        raise ValueError(f"factor must be above 0 and at most 1, got {factor!r}.")
    parts = stages(model)
    groups = []
    for steps_to_head, (name, parameters) in enumerate(reversed(parts.items())):
        trainable = [parameter for parameter in parameters if parameter.requires_grad]
        if trainable:
            groups.append({"name": name, "params": trainable, "lr": lr * factor**steps_to_head})
    if not groups:
        raise ValueError("Nothing can be trained: no parameter has requires_grad=True. See unfreeze_from.")
    return groups[::-1]


def chain(model: nn.Module) -> nn.Sequential:
    """Return a ResNet's own layers as a Sequential that can be cut: ``chain(model)[:7]`` is what lies before layer4.

    The layers are shared with ``model``, not copied, and have the names that they have there.
    """
    if not isinstance(model, ResNet):
        raise ValueError(f"Only a ResNet is a plain chain of its named parts; this is a {type(model).__name__}.")
    parts = OrderedDict(model.named_children())
    fc = parts.pop("fc")
    # The model's forward() flattens before the head; a chain has to be told.
    return nn.Sequential(OrderedDict(**parts, flatten=nn.Flatten(), fc=fc))


def train_from(
    network: nn.Sequential,
    stage: str,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    steps: int = 40,
    lr: float = 3e-4,
    factor: float = 1.0,
    batch_norm: str = "stored",
    batch_size: int = 20,
    seed: int = 0,
) -> list[float]:
    """Train a `chain` from ``stage`` to its end, in place; return the loss of each step.

    What lies before the stage stands still, so it sees each of ``images`` (N, 3, H, W) once and its output is kept.
    ``batch_norm`` says what BatchNorm works with while training: its ``"stored"`` averages, which then stay as they
    are, or those of each ``"batch"``. AdamW, with `parameter_groups(network, lr, factor)`; the rates climb for a tenth
    of the steps, then fall to zero along a cosine. The network ends in eval mode.
    """
    if batch_norm not in ("stored", "batch"):
        raise ValueError(f'batch_norm must be "stored" or "batch", got {batch_norm!r}.')
    names = [name for name, _ in network.named_children()]
    if stage not in names:
        raise ValueError(f"The chain has no part {stage!r}; it has {', '.join(names)}.")
    cut = names.index(stage)
    front, rest = network[:cut].eval(), network[cut:]
    with torch.no_grad():
        kept = torch.cat([front(part) for part in images.split(50)])
    optimizer = torch.optim.AdamW(parameter_groups(rest, lr, factor), fused=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up_then_cosine(steps))
    shuffle = torch.Generator().manual_seed(seed)
    losses: list[float] = []
    rest.train(batch_norm == "batch")
    while len(losses) < steps:
        for batch in torch.randperm(len(kept), generator=shuffle).split(batch_size)[: steps - len(losses)]:
            optimizer.zero_grad()
            loss = F.cross_entropy(rest(kept[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
    network.eval()
    return losses
