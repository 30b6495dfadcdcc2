"""Teach a network new categories by training the network itself, or whatever part of it requires gradients.

The loop that every tutorial shows is `_train_one_epoch`; the rest of `fine_tune` keeps it honest and resumable. The
quicker road, a head on cached features, is in `features.py`.
"""

import copy
import math
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2
from tqdm.auto import tqdm

from course_utils.batches import in_batches, labels_of, preprocess
from course_utils.checkpoint import Stateful, load_checkpoint, save_checkpoint
from course_utils.data import Pictures
from course_utils.device import check_model, get_device, to_device
from course_utils.history import (
    History,
    check_settings,
    count_right,
    loss_and_accuracy,
    out_of_patience,
    record,
    warm_up_then_cosine,
)
from course_utils.inference import evaluating
from course_utils.progress_bar import progress_bar

# fine_tune preprocesses the pictures once and keeps them when they need at most this many bytes (1 GiB).
CACHE_LIMIT = 2**30

# How much an auxiliary head counts in the loss: GoogLeNet's paper, https://arxiv.org/abs/1409.4842, section 5.
AUXILIARY_WEIGHT = 0.3


def fine_tune(
    model: nn.Module,
    transform: Callable,
    train: Pictures,
    validation: Pictures | None = None,
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

    AdamW; the learning rate climbs to ``lr`` in the first tenth of the steps, then falls along a cosine to zero.
    ``augment`` flips pictures at random and crops 60 to 100 % of their area. With ``validation`` pictures the model
    ends with the weights of the epoch with the lowest validation loss, and ``patience`` stops after so many epochs
    without a lower one. A last batch of a single picture is left out, because BatchNorm cannot work with it; the
    order is random, so it is another picture in each epoch.

    ``checkpoint`` names a file that is written after each epoch. The same call, run again, continues from there
    with the result of an uninterrupted run; a file of other settings or other pictures is a ValueError. The file's
    weights take the place of the model's, so give each model that you train a file of its own.
    The same seed gives the same result (on a GPU: up to rounding), and the CPU's random state is left alone.
    The model comes back in eval mode, on the device where it was. Pictures are preprocessed once and kept in
    memory, or, beyond ``CACHE_LIMIT`` bytes, again for each batch.
    """
    # NumPy's numbers would not load again, so they become Python's.
    settings = _Settings(epochs, float(lr), float(weight_decay), batch_size, patience, int(seed), augment)
    _check_call(model, train, validation, settings, checkpoint)
    device = get_device(device)
    train_set = _Prepared(transform, train, progress)
    validation_set = _Prepared(transform, validation, progress) if validation is not None else None
    home = _trainable(model)[0].device
    try:
        run = _begin(model, train_set, validation_set, settings, device)
        return _train(run, Path(checkpoint) if checkpoint is not None else None, progress)
    except torch.cuda.OutOfMemoryError:
        pass
    finally:
        model.to(home).eval()
    # Out here nothing holds the failed batch any more, so another try finds its memory free.
    torch.cuda.empty_cache()
    raise MemoryError(f"The GPU ran out of memory; try again with batch_size={max(1, batch_size // 2)}.")


@dataclass(frozen=True)
class _Settings:
    """The numbers that `fine_tune` was given; a run that continues must have been given the same."""

    epochs: int
    lr: float
    weight_decay: float
    batch_size: int
    patience: int | None
    seed: int
    augment: bool


@dataclass(frozen=True)
class _Run:
    """What a call of `fine_tune` works on."""

    model: nn.Module
    train: "_Prepared"
    validation: "_Prepared | None"
    settings: _Settings
    device: torch.device
    augmentation: Callable | None
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        return len(_batches(torch.arange(len(self.train.labels)), self.settings.batch_size))

    @property
    def parts(self) -> dict[str, Stateful]:
        """What changes from epoch to epoch, and is kept in a checkpoint."""
        return {"model": self.model, "optimizer": self.optimizer, "scheduler": self.scheduler}


def _trainable(model: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _check_call(
    model: nn.Module,
    train: Pictures,
    validation: Pictures | None,
    settings: _Settings,
    checkpoint: str | os.PathLike | None,
) -> None:
    """Refuse, with a ValueError, what cannot work, before anything slow begins."""
    check_settings(
        validation,
        patience=settings.patience,
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
    )
    if checkpoint is not None and Path(checkpoint).is_dir():
        raise ValueError(
            f"{checkpoint} is a folder; checkpoint names a file, for example {Path(checkpoint, 'run.pt')}."
        )
    if validation is not None and tuple(validation.categories) != tuple(train.categories):
        raise ValueError(f"Categories differ: {train.categories} to train, {validation.categories} to validate.")
    if not _trainable(model):
        raise ValueError(
            "Nothing can be trained: no parameter has requires_grad=True. freeze_backbone leaves the head "
            "trainable; after freezing by hand, put the new head in afterwards."
        )


def _begin(
    model: nn.Module, train: "_Prepared", validation: "_Prepared | None", settings: _Settings, device: torch.device
) -> _Run:
    """Move the model to the device, look whether its outputs fit the categories, and make what trains it."""
    check_model(model)
    model.to(device)
    _check_outputs(model, train, device)
    augmentation = _augmentation(train[[0]].shape[-2:]) if settings.augment else None
    optimizer = torch.optim.AdamW(_trainable(model), lr=settings.lr, weight_decay=settings.weight_decay)
    steps = settings.epochs * len(_batches(torch.arange(len(train.labels)), settings.batch_size))
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up_then_cosine(steps))
    return _Run(model, train, validation, settings, device, augmentation, optimizer, scheduler)


def _train(run: _Run, checkpoint: Path | None, progress: bool) -> History:
    """Train from the first epoch, or from where the checkpoint ends, to the last; the best weights stay."""
    history, best = History(), None
    identity = asdict(run.settings) | _fingerprints(run) if checkpoint is not None else {}
    if checkpoint is not None and checkpoint.exists():
        so_far = load_checkpoint(checkpoint, run.parts, identity, run.device)
        history, best = History(**so_far["history"]), so_far["best"]
        done = f"{history.epochs} of {run.settings.epochs} epochs were done before"
        print(f"{checkpoint.name}: {done}; going on with its weights.")

    steps = run.steps
    with progress_bar(run.settings.epochs * steps, "Training", "batch", progress, done=history.epochs * steps) as bar:
        while history.epochs < run.settings.epochs and not out_of_patience(history, run.settings.patience):
            _one_epoch(run, history, bar)
            if run.validation is not None and history.best_epoch == history.epochs:
                best = copy.deepcopy(run.model.state_dict())
            if checkpoint is not None:
                try:
                    save_checkpoint(checkpoint, run.parts, identity, {"history": asdict(history), "best": best})
                except OSError as error:
                    raise OSError(f"{checkpoint.name} could not be written ({error}). Is the disk full?") from error
    if best is not None:
        run.model.load_state_dict(best)
    return history


def _one_epoch(run: _Run, history: History, bar: tqdm) -> None:
    """Train on every picture once, validate, and add what happened to ``history``."""
    start = time.perf_counter()
    # A seed for each epoch: a run that continues in epoch 5 draws what it would have drawn anyway.
    with torch.random.fork_rng(devices=[run.device] if run.device.type == "cuda" else []):
        torch.manual_seed(1000 * run.settings.seed + history.epochs)
        batches = run.train.shuffled(run.settings.batch_size, run.augmentation)
        result = _train_one_epoch(run.model, batches, run.optimizer, run.scheduler, run.device, bar)
    record(history, "train", *result)
    if run.validation is not None:
        record(history, "validation", *_validate(run.model, run.validation, run.settings.batch_size, run.device))
    history.seconds.append(time.perf_counter() - start)


def _train_one_epoch(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    device: torch.device,
    bar: tqdm,
) -> tuple[float, float]:
    """The training loop. Returns mean loss and accuracy, both counted picture by picture."""
    model.train()
    total_loss, right, count = 0.0, 0, 0
    for images, labels in batches:
        images, labels = to_device((images, labels), device)
        optimizer.zero_grad()
        logits, *auxiliary = _outputs(model(images))
        loss = F.cross_entropy(logits, labels)
        for extra in auxiliary:  # only Inception and GoogLeNet have any
            loss = loss + AUXILIARY_WEIGHT * F.cross_entropy(extra, labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total_loss += loss.item() * len(labels)
        right += count_right(logits, labels)
        count += len(labels)
        bar.update()
    return total_loss / count, right / count


def _validate(model: nn.Module, pictures: "_Prepared", batch_size: int, device: torch.device) -> tuple[float, float]:
    def logits_of(indices: Sequence[int]) -> torch.Tensor:
        return model(pictures[indices].to(device)).cpu()

    with evaluating(model, device), torch.no_grad():
        logits = in_batches(logits_of, len(pictures.labels), batch_size)
    return loss_and_accuracy(logits, pictures.labels)


def _outputs(output: torch.Tensor | tuple) -> tuple[torch.Tensor, ...]:
    """The logits, then those of auxiliary heads, which come along in train mode (None where switched off)."""
    if isinstance(output, torch.Tensor):
        return (output,)
    return tuple(part for part in output if part is not None)


def _check_outputs(model: nn.Module, pictures: "_Prepared", device: torch.device) -> None:
    with evaluating(model, device), torch.no_grad():
        logits = _outputs(model(pictures[[0]].to(device)))[0]
    num_classes = len(pictures.source.categories)
    if logits.shape != (1, num_classes):
        raise ValueError(
            f"For one picture the model gives scores of shape {tuple(logits.shape)}, but there are {num_classes} "
            f"categories. Put in a fitting head first: replace_head(model, {num_classes})."
        )


# Pictures, prepared once -------------------------------------------------------------------------------------------


class _Prepared:
    """Preprocessed pictures: ``prepared[indices]`` has shape (len(indices), 3, H, W), ``labels`` (N,).

    They are kept in memory when they fit in ``CACHE_LIMIT``, else prepared again for each batch.
    """

    def __init__(self, transform: Callable, pictures: Pictures, progress: bool) -> None:
        self.labels = labels_of(pictures)
        self.source = pictures
        self.transform = transform
        self.cache = None
        if self[[0]].nbytes * len(pictures) <= CACHE_LIMIT:
            self.cache = in_batches(self.__getitem__, len(pictures), 64, "Preparing pictures", progress)

    def __getitem__(self, indices: Sequence[int]) -> torch.Tensor:
        if self.cache is not None:
            return self.cache[list(indices)]
        return preprocess(self.transform, self.source, indices)

    def shuffled(self, batch_size: int, augmentation: Callable | None) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield images and labels, batch by batch, in an order drawn from torch's global random state."""
        for indices in _batches(torch.randperm(len(self.labels)), batch_size):
            images = self[indices.tolist()]
            if augmentation is not None:
                images = torch.stack([augmentation(image) for image in images])
            yield images, self.labels[indices]


def _batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    batches = list(order.split(batch_size))
    if batch_size > 1 and len(batches[-1]) == 1:
        batches.pop()
    if not batches:
        raise ValueError("One picture is not enough to train on: BatchNorm needs two in a batch.")
    return batches


def _augmentation(size: Sequence[int]) -> v2.Transform:
    crop = v2.RandomResizedCrop(tuple(size), scale=(0.6, 1.0), antialias=True)
    return v2.Compose([crop, v2.RandomHorizontalFlip()])


# The checkpoint of fine_tune ------------------------------------------------------------------------------------


def _fingerprints(run: _Run) -> dict[str, str]:
    """What has to be the same when a run continues, besides the numbers that `fine_tune` was given."""
    layout = str([(name, tuple(p.shape), p.requires_grad) for name, p in run.model.named_parameters()])
    return {
        "model": f"{type(run.model).__name__} {zlib.crc32(layout.encode()):08x}",
        "training pictures": _fingerprint(run.train),
        "validation pictures": _fingerprint(run.validation) if run.validation is not None else "none",
    }


def _fingerprint(pictures: _Prepared) -> str:
    """Of the labels, of the pixels of up to 100 pictures, and of what preprocessing makes of the first."""
    count, first = len(pictures.labels), pictures[[0]]
    checksum = zlib.crc32(str(pictures.labels.tolist()).encode())
    for index in range(0, count, math.ceil(count / 100)):
        checksum = zlib.crc32(pictures.source[index][0].tobytes(), checksum)
    return f"{count} of shape {tuple(first.shape[1:])}, the first with mean {first.mean():.2f}, {checksum:08x}"
