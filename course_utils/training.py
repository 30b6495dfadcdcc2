"""Teach a network new categories: train a head on cached features, or train the network itself.

Two roads, and lesson 05 measures both:

* `extract_features`, `fit_head`, `install_head`: the frozen layers see each picture once, and all the epochs happen
  on the numbers they gave.
* `fine_tune`: the ordinary training loop, for whatever ``requires_grad`` leaves trainable in the model.
"""

import copy
import math
import os
import pickle
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2
from tqdm.auto import tqdm

from course_utils.device import batched, get_device
from course_utils.heads import find_head, replace_head
from course_utils.inference import evaluating

# fine_tune preprocesses the pictures once and keeps them when they need at most this many bytes (1 GiB).
CACHE_LIMIT = 2**30

# How much an auxiliary head counts in the loss; GoogLeNet's paper, https://arxiv.org/abs/1409.4842, section 5.
AUXILIARY_WEIGHT = 0.3


@dataclass(frozen=True)
class History:
    """What happened in each epoch: mean loss, accuracy (0 to 1) and seconds, one number for each epoch.

    Training numbers are taken while the weights change, on augmented pictures if there are any. The validation lists
    stay empty where there were no validation pictures.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return len(self.seconds)

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, whose weights were kept: the lowest validation loss, or the last without validation."""
        if not self.validation_loss:
            return self.epochs
        return self.validation_loss.index(min(self.validation_loss)) + 1

    @property
    def total_seconds(self) -> float:
        """Seconds of training and validation; preprocessing is not counted."""
        return sum(self.seconds)


def extract_features(
    model: nn.Module,
    transform: Callable,
    pictures,
    *,
    device: torch.device | str | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what reaches the model's head for each picture, in one pass: features (N, D) and labels (N,).

    Features are float32, labels int64, both on the CPU. The model runs without gradients and in eval mode (no Dropout,
    BatchNorm with its stored averages), and gets its own modes and device back. A head that is a 1x1 convolution
    (SqueezeNet) reads a map of shape (D, h, w); its features are the averages over the map, see `install_head`.
    """
    labels = _labels(pictures)
    device = torch.device(device) if device is not None else get_device()
    head = find_head(model).layer
    reached_head = []

    def remember_input(_layer: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        features = inputs[0]
        reached_head.append(features.mean(dim=(2, 3)) if isinstance(head, nn.Conv2d) else features)

    def features_of(indices: Sequence[int]) -> torch.Tensor:
        reached_head.clear()  # a batch that did not fit may have left something
        model(_preprocess(transform, pictures, indices).to(device))
        return reached_head.pop().float().cpu()

    hook = head.register_forward_pre_hook(remember_input)
    try:
        with evaluating(model, device), torch.no_grad():
            features = _in_batches(features_of, len(pictures), batch_size, "Extracting features", progress)
    finally:
        hook.remove()
    return features, labels


def evaluate(
    model: nn.Module,
    transform: Callable,
    pictures,
    *,
    device: torch.device | str | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the model's logits (N, classes) and the labels (N,) of all pictures, both on the CPU.

    The model runs without gradients and in eval mode, and gets its own modes and device back.
    """
    labels = _labels(pictures)
    device = torch.device(device) if device is not None else get_device()

    def logits_of(indices: Sequence[int]) -> torch.Tensor:
        return model(_preprocess(transform, pictures, indices).to(device)).float().cpu()

    with evaluating(model, device), torch.no_grad():
        return _in_batches(logits_of, len(pictures), batch_size, "Evaluating", progress), labels


def fit_head(
    features: torch.Tensor,
    labels: torch.Tensor,
    num_classes: int,
    *,
    epochs: int = 100,
    lr: float = 1e-3,
    weight_decay: float = 0.1,
    batch_size: int = 64,
    validation: tuple[torch.Tensor, torch.Tensor] | None = None,
    patience: int | None = None,
    seed: int = 0,
    head: nn.Linear | None = None,
) -> tuple[nn.Linear, History]:
    """Train a linear layer from features (N, D) to ``num_classes`` logits; return it, on the CPU, and its history.

    Inside, each feature is scaled to mean 0 and standard deviation 1, so that one learning rate suits any network;
    the scaling is then folded into the layer, which takes raw features. AdamW with a learning rate that falls along a
    cosine; the same seed gives the same layer. ``head`` is a layer to start from instead of zeros (it is not changed).
    With ``validation`` (features, labels) the layer of the epoch with the lowest validation loss is returned, and
    ``patience`` stops after so many epochs without a lower one.
    """
    _check_settings(epochs, lr, batch_size, patience, validation)
    features, labels = _checked_features(features, labels, num_classes, "features")
    mean, std = features.mean(dim=0), features.std(dim=0, correction=0)
    std = torch.where(std > 1e-6, std, 1.0)  # a feature that never changes must not divide by zero
    scaled = (features - mean) / std
    if validation is not None:
        validation_features, validation_labels = _checked_features(
            *validation, num_classes, "validation features"
        )
        if validation_features.shape[1] != features.shape[1]:
            raise ValueError(
                f"Training features have {features.shape[1]} columns, "
                f"validation features {validation_features.shape[1]}."
            )
        validation_scaled = (validation_features - mean) / std

    linear = nn.Linear(features.shape[1], num_classes)
    with torch.no_grad():
        if head is None:  # the loss of a linear layer has one valley, so zeros are as good a start as any
            linear.weight.zero_()
            linear.bias.zero_()
        elif head.weight.shape == linear.weight.shape:
            linear.weight.copy_(head.weight * std)
            linear.bias.copy_(head.bias + head.weight @ mean)
        else:
            raise ValueError(
                f"head takes {head.in_features} features to {head.out_features} classes, "
                f"but here are {features.shape[1]} features and {num_classes} classes."
            )
    optimizer = torch.optim.AdamW(linear.parameters(), lr=lr, weight_decay=weight_decay)
    steps = epochs * math.ceil(len(labels) / batch_size)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    shuffle = torch.Generator().manual_seed(seed)

    history = History()
    while history.epochs < epochs and not _out_of_patience(history, patience):
        start = time.perf_counter()
        total_loss, correct = 0.0, 0
        for batch in torch.randperm(len(labels), generator=shuffle).split(batch_size):
            logits = linear(scaled[batch])
            loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total_loss += loss.item() * len(batch)
            correct += _count_right(logits, labels[batch])
        _record(history, "train", total_loss / len(labels), correct / len(labels))
        if validation is not None:
            with torch.no_grad():
                logits = linear(validation_scaled)
            _record(history, "validation", *_loss_and_accuracy(logits, validation_labels))
        history.seconds.append(time.perf_counter() - start)
        if history.best_epoch == history.epochs:
            best = copy.deepcopy(linear.state_dict())

    linear.load_state_dict(best)
    with torch.no_grad():
        linear.weight.div_(std)
        linear.bias.sub_(linear.weight @ mean)
    return linear, history


def install_head(model: nn.Module, linear: nn.Linear) -> nn.Module:
    """Copy a layer from `fit_head` into the model's head, in place; return the same model.

    A head with another number of classes is replaced first (`replace_head`). Where the head is a 1x1 convolution
    (SqueezeNet), the same numbers become its weights, and the ReLU behind it is taken out: the layer was trained on
    averaged features, and averaging may only change places with the convolution when nothing is clipped in between.
    """
    head = find_head(model)
    if linear.in_features != head.in_features:
        raise ValueError(
            f"The layer takes {linear.in_features} features, but {type(model).__name__}'s head {head.name!r} gets "
            f"{head.in_features}. Were the features extracted from another model?"
        )
    head = find_head(replace_head(model, linear.out_features))
    with torch.no_grad():
        head.layer.weight.copy_(linear.weight.reshape(head.layer.weight.shape))
        head.layer.bias.copy_(linear.bias)
    if isinstance(head.layer, nn.Conv2d):
        block_name, _, position = head.name.rpartition(".")
        block, after = model.get_submodule(block_name), int(position) + 1
        if isinstance(block[after], nn.ReLU):
            block[after] = nn.Identity()
    return model


def fine_tune(
    model: nn.Module,
    transform: Callable,
    train,
    validation=None,
    *,
    epochs: int,
    lr: float,
    weight_decay: float = 0.01,
    batch_size: int = 32,
    patience: int | None = None,
    seed: int = 0,
    augment: bool = True,
    device: torch.device | str | None = None,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = True,
) -> History:
    """Train, in place, whatever in the model requires gradients, and return what happened in each epoch.

    AdamW; the learning rate climbs to ``lr`` during the first tenth of the steps and falls along a cosine to zero.
    ``augment`` flips pictures at random and crops 60 to 100 % of their area. With ``validation`` pictures the
    model ends with the weights of the epoch with the lowest validation loss, and ``patience`` stops after so many
    epochs without a lower one. A last batch of a single picture is left out, because BatchNorm cannot work on it; the
    order changes, so another picture is left out in each epoch.

    ``checkpoint`` names a file that is written after each epoch. Run the same call again and it continues there, with
    the result of an uninterrupted run; a file from other settings or pictures is a ValueError.
    The model comes back in eval mode, on the device where it was. The same seed gives the same result (on a GPU up to
    rounding), and the global random state is left alone.
    Pictures are preprocessed once and kept in memory, or, beyond ``CACHE_LIMIT``, again for each batch.
    """
    _check_settings(epochs, lr, batch_size, patience, validation)
    labels = _labels(train)
    if batch_size > 1 and len(labels) == 1:
        raise ValueError("One picture is not enough to train on: BatchNorm needs at least two in a batch.")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError(
            "Nothing can be trained: no parameter has requires_grad=True. Replace the head after freezing, "
            "or use freeze_backbone, which leaves the head trainable."
        )
    if validation is not None and tuple(validation.categories) != tuple(train.categories):
        raise ValueError(
            f"Training has the categories {train.categories}, validation {validation.categories}."
        )

    device = torch.device(device) if device is not None else get_device()
    train = _Prepared(transform, train, progress)
    validation = _Prepared(transform, validation, progress) if validation is not None else None
    steps_per_epoch = len(train.shuffled_batches(batch_size))
    home = parameters[0].device
    try:
        model.to(device)
        _check_outputs(model, train, device)
        optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay)
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, _warm_up_then_cosine(epochs * steps_per_epoch)
        )
        augmentation = _augmentation(train[[0]].shape[-2:]) if augment else None
        history, best = History(), None

        if checkpoint is not None:
            checkpoint = Path(checkpoint)
            run = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
            settings = dict(epochs=epochs, lr=lr, weight_decay=weight_decay, batch_size=batch_size, patience=patience,
                            seed=seed, augment=augment) | _fingerprints(model, train, validation)  # fmt: skip
            if checkpoint.exists():
                history, best = _resume(checkpoint, settings, run, device)

        with _progress_bar(epochs * steps_per_epoch, "Training", "batch", progress) as bar:
            bar.update(history.epochs * steps_per_epoch)
            while history.epochs < epochs and not _out_of_patience(history, patience):
                start = time.perf_counter()
                # A seed for each epoch: a run that continues in epoch 5 draws what it would have drawn anyway.
                with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
                    torch.manual_seed(1000 * seed + history.epochs)
                    loss, accuracy = _train_one_epoch(
                        model, train, optimizer, scheduler, batch_size, augmentation, device, bar
                    )
                _record(history, "train", loss, accuracy)
                if validation is not None:
                    _record(history, "validation", *_validate(model, validation, batch_size, device))
                history.seconds.append(time.perf_counter() - start)
                if validation is not None and history.best_epoch == history.epochs:
                    best = copy.deepcopy(model.state_dict())
                if checkpoint is not None:
                    _save(checkpoint, settings, run, history, best)
        if best is not None:
            model.load_state_dict(best)
    finally:
        model.to(home).eval()
    return history


def _train_one_epoch(
    model, pictures, optimizer, scheduler, batch_size, augmentation, device, bar
) -> tuple[float, float]:
    """The training loop itself: every picture once, in random order. Returns mean loss and accuracy."""
    model.train()
    total_loss, correct, count = 0.0, 0, 0
    for indices in pictures.shuffled_batches(batch_size):
        images, labels = pictures[indices], pictures.labels[indices].to(device)
        if augmentation is not None:
            images = torch.stack([augmentation(image) for image in images])
        optimizer.zero_grad()
        logits, *auxiliary = _outputs(model(images.to(device)))
        loss = F.cross_entropy(logits, labels)
        for extra in auxiliary:  # Inception and GoogLeNet answer three times while they train
            loss = loss + AUXILIARY_WEIGHT * F.cross_entropy(extra, labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        # Sums over pictures: the mean of batch means would count a smaller last batch too much.
        total_loss += loss.item() * len(labels)
        correct += _count_right(logits, labels)
        count += len(labels)
        bar.update()
    return total_loss / count, correct / count


def _validate(
    model: nn.Module, pictures: "_Prepared", batch_size: int, device: torch.device
) -> tuple[float, float]:
    with evaluating(model, device), torch.no_grad():
        logits = _in_batches(
            lambda indices: model(pictures[indices].to(device)).cpu(), len(pictures.labels), batch_size
        )
    return _loss_and_accuracy(logits, pictures.labels)


class _Prepared:
    """Preprocessed pictures: ``prepared[indices]`` is a float tensor (len(indices), 3, H, W), ``labels`` int64 (N,).

    They are kept in memory when they fit in ``CACHE_LIMIT``, else prepared again for each batch.
    """

    def __init__(self, transform: Callable, pictures, progress: bool):
        self.labels = _labels(pictures)
        self.source = pictures
        self.transform = transform
        self.cache = None
        first = _preprocess(transform, pictures, [0])
        if first.nbytes * len(pictures) <= CACHE_LIMIT:
            self.cache = _in_batches(self.__getitem__, len(pictures), 64, "Preparing pictures", progress)

    def __getitem__(self, indices: Sequence[int]) -> torch.Tensor:
        if self.cache is not None:
            return self.cache[list(indices)]
        return _preprocess(self.transform, self.source, indices)

    def shuffled_batches(self, batch_size: int) -> list[list[int]]:
        """All positions in random order, in batches; a last batch of one picture is left out."""
        batches = [batch.tolist() for batch in torch.randperm(len(self.labels)).split(batch_size)]
        return batches[:-1] if batch_size > 1 and len(batches[-1]) == 1 else batches


def _preprocess(transform: Callable, pictures, indices: Sequence[int]) -> torch.Tensor:
    tensors = [transform(pictures[int(index)][0]) for index in indices]
    shapes = {
        tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else type(tensor).__name__
        for tensor in tensors
    }
    if len(shapes) > 1 or not isinstance(tensors[0], torch.Tensor) or tensors[0].ndim != 3:
        raise ValueError(
            f"The transform must turn every picture into a tensor of one shape (3, H, W), got {sorted(map(str, shapes))}. "
            "weights.transforms() does that (mind the brackets); Resize alone leaves the longer side as it is."
        )
    return torch.stack(tensors)


def _augmentation(size: Sequence[int]) -> v2.Transform:
    return v2.Compose(
        [
            v2.RandomResizedCrop(tuple(size), scale=(0.6, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
        ]
    )


def _in_batches(
    function: Callable, count: int, batch_size: int, description: str = "", progress: bool = False
) -> torch.Tensor:
    """Run ``function`` over the positions 0 to ``count`` in batches and join the tensors that it returns."""
    parts = []
    with _progress_bar(count, description, "picture", progress) as bar:
        for part in batched(function, range(count), batch_size):
            parts.append(part)
            bar.update(len(part))
    return torch.cat(parts)


def _progress_bar(total: int, description: str, unit: str, progress: bool) -> tqdm:
    """A bar that appears after two seconds and vanishes at the end, on stdout: graders take stderr for a failure."""
    switched_off = (
        {} if progress else {"disable": True}
    )  # not given when on, so that TQDM_DISABLE=1 is obeyed
    return tqdm(
        total=total, desc=description, unit=unit, delay=2, leave=False, file=sys.stdout, **switched_off
    )


def _outputs(output) -> tuple[torch.Tensor, ...]:
    """The logits, then those of auxiliary heads (a named tuple in train mode, with None for heads that are off)."""
    return (
        (output,) if isinstance(output, torch.Tensor) else tuple(part for part in output if part is not None)
    )


def _warm_up_then_cosine(steps: int) -> Callable[[int], float]:
    """The share of the learning rate to use at each step: up in a straight line, down along half a cosine."""
    warm_up = max(1, steps // 10)

    def share(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))

    return share


def _count_right(logits: torch.Tensor, labels: torch.Tensor) -> int:
    return int((logits.argmax(dim=1) == labels).sum())


def _loss_and_accuracy(logits: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    return F.cross_entropy(logits, labels).item(), _count_right(logits, labels) / len(labels)


def _record(history: History, part: str, loss: float, accuracy: float) -> None:
    if not math.isfinite(loss):
        raise ValueError(
            f"The {part} loss became {loss} in epoch {history.epochs + 1}: the learning rate is probably too high "
            "(try a tenth), or the pictures or weights hold NaN. The model's weights are spoiled now; load them again."
        )
    getattr(history, f"{part}_loss").append(loss)
    getattr(history, f"{part}_accuracy").append(accuracy)


def _out_of_patience(history: History, patience: int | None) -> bool:
    return patience is not None and history.epochs - history.best_epoch >= patience


# What goes wrong before training starts, said once and clearly.


def _labels(pictures) -> torch.Tensor:
    if len(pictures) == 0:
        raise ValueError("There are no pictures.")
    labels = torch.tensor(pictures.labels, dtype=torch.int64)
    _check_label_range(labels, len(pictures.categories))
    return labels


def _check_label_range(labels: torch.Tensor, num_classes: int) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise ValueError(
            f"Labels go from {low} to {high}, but {num_classes} categories are numbered 0 to {num_classes - 1}."
        )


def _check_settings(epochs: int, lr: float, batch_size: int, patience: int | None, validation) -> None:
    for name, value in {
        "epochs": epochs,
        "batch_size": batch_size,
        "patience": 1 if patience is None else patience,
    }.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}.")
    if not (lr > 0 and math.isfinite(lr)):
        raise ValueError(f"lr (the learning rate) must be a positive number, got {lr!r}.")
    if patience is not None and validation is None:
        raise ValueError("patience watches the validation loss: give validation data as well.")


def _checked_features(features, labels, num_classes: int, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    features = torch.as_tensor(features).detach().cpu().float()
    labels = torch.as_tensor(labels).detach().cpu()
    if features.ndim != 2 or len(features) == 0:
        raise ValueError(
            f"The {name} must have shape (N, D) with at least one row, got {tuple(features.shape)}."
        )
    if labels.shape != features.shape[:1] or labels.dtype.is_floating_point:
        raise ValueError(
            f"The labels must be {len(features)} whole numbers, one for each row of the {name}, "
            f"got {labels.dtype} of shape {tuple(labels.shape)}."
        )
    if not features.isfinite().all():
        raise ValueError(
            f"The {name} hold NaN or infinity; look at the pictures or the model they come from."
        )
    _check_label_range(labels, num_classes)
    return features, labels.long()


def _check_outputs(model: nn.Module, pictures: _Prepared, device: torch.device) -> None:
    with evaluating(model, device), torch.no_grad():
        logits = _outputs(model(pictures[[0]].to(device)))[0]
    num_classes = len(pictures.source.categories)
    if logits.shape != (1, num_classes):
        raise ValueError(
            f"The model gives scores of shape {tuple(logits.shape)} for one picture, but there are {num_classes} "
            f"categories. Replace the head first: replace_head(model, {num_classes})."
        )


# The checkpoint of fine_tune.


def _fingerprints(model: nn.Module, train: _Prepared, validation: _Prepared | None) -> dict:
    """What must be the same when a run continues, apart from the numbers given to `fine_tune`."""
    shapes = str([(name, tuple(p.shape), p.requires_grad) for name, p in model.named_parameters()])
    return {
        "model": f"{type(model).__name__} {zlib.crc32(shapes.encode()):08x}",
        "training pictures": _fingerprint(train),
        "validation pictures": _fingerprint(validation) if validation is not None else "none",
    }


def _fingerprint(pictures: _Prepared) -> str:
    """Number, labels and (of up to 100 pictures) pixels, as they were before preprocessing; and the input's shape."""
    count = len(pictures.labels)
    checksum = zlib.crc32(str(pictures.labels.tolist()).encode())
    for index in range(0, count, math.ceil(count / 100)):
        checksum = zlib.crc32(pictures.source[index][0].tobytes(), checksum)
    return f"{count} of shape {tuple(pictures[[0]].shape[1:])}, {checksum:08x}"


def _save(path: Path, settings: dict, run: dict, history: History, best: dict | None) -> None:
    """Write beside the file, then swap: whoever pulls the plug finds the old checkpoint or the new one, never half."""
    content = {
        "settings": settings,
        "history": asdict(history),
        "best": best,
        **{name: part.state_dict() for name, part in run.items()},
    }
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, unfinished)
        os.replace(unfinished, path)
    except (OSError, RuntimeError) as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(
            f"The checkpoint {path.name} could not be written ({error}); is the disk full?"
        ) from error


def _resume(path: Path, settings: dict, run: dict, device: torch.device) -> tuple[History, dict | None]:
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
        there = saved["settings"]
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path.name} is not a checkpoint of fine_tune, or is damaged; delete it to start over."
        ) from error
    different = [
        f"{name} (there {there.get(name)!r}, here {settings.get(name)!r})"
        for name in [*settings, *(set(there) - set(settings))]
        if there.get(name) != settings.get(name)
    ]
    if different:
        raise ValueError(
            f"The checkpoint {path.name} belongs to a run with other settings: {', '.join(different)}. "
            "Give another file name, or delete it to start over."
        )
    for name, part in run.items():
        part.load_state_dict(saved[name])
    history = History(**saved["history"])
    print(f"{path.name}: {history.epochs} of {settings['epochs']} epochs are done; continuing there.")
    return history, saved["best"]
