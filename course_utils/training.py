"""Teach a network new categories by training the network itself, or whatever part of it requires gradients.

The loop that every tutorial shows is `_train_one_epoch`; the rest of `fine_tune` keeps it honest and resumable. The
quicker road, a head on cached features, is in `features.py`.
"""

import copy
import math
import os
import pickle
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2
from tqdm.auto import tqdm

from course_utils.batches import in_batches, labels_of, preprocess
from course_utils.data import Pictures
from course_utils.device import get_device
from course_utils.files import write_whole
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
    check_settings(validation, patience=patience, lr=lr, epochs=epochs, batch_size=batch_size)
    lr, weight_decay, seed = float(lr), float(weight_decay), int(seed)  # NumPy's numbers would not load again
    if checkpoint is not None and Path(checkpoint).is_dir():
        raise ValueError(
            f"{checkpoint} is a folder; checkpoint names a file, for example {Path(checkpoint, 'run.pt')}."
        )
    if validation is not None and tuple(validation.categories) != tuple(train.categories):
        raise ValueError(f"Categories differ: {train.categories} to train, {validation.categories} to validate.")
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trainable:
        raise ValueError(
            "Nothing can be trained: no parameter has requires_grad=True. freeze_backbone leaves the head "
            "trainable; after freezing by hand, put the new head in afterwards."
        )
    device = get_device(device)
    train = _Prepared(transform, train, progress)
    validation = _Prepared(transform, validation, progress) if validation is not None else None
    steps = len(_batches(torch.arange(len(train.labels)), batch_size))  # in one epoch
    augmentation = _augmentation(train[[0]].shape[-2:]) if augment else None

    home = trainable[0].device
    memory_is_full = False
    try:
        model.to(device)
        _check_outputs(model, train, device)
        optimizer = torch.optim.AdamW(trainable, lr=lr, weight_decay=weight_decay)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up_then_cosine(epochs * steps))
        history, best = History(), None
        if checkpoint is not None:
            checkpoint = Path(checkpoint)
            run = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
            settings = {"epochs": epochs, "lr": lr, "weight_decay": weight_decay, "batch_size": batch_size}
            settings |= {"patience": patience, "seed": seed, "augment": augment}
            settings |= _fingerprints(model, train, validation)
            if checkpoint.exists():
                history, best = _resume(checkpoint, settings, run, device)

        with progress_bar(epochs * steps, "Training", "batch", progress, done=history.epochs * steps) as bar:
            while history.epochs < epochs and not out_of_patience(history, patience):
                start = time.perf_counter()
                # A seed for each epoch: a run that continues in epoch 5 draws what it would have drawn anyway.
                with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
                    torch.manual_seed(1000 * seed + history.epochs)
                    batches = train.shuffled(batch_size, augmentation)
                    result = _train_one_epoch(model, batches, optimizer, scheduler, device, bar)
                record(history, "train", *result)
                if validation is not None:
                    record(history, "validation", *_validate(model, validation, batch_size, device))
                history.seconds.append(time.perf_counter() - start)
                if validation is not None and history.best_epoch == history.epochs:
                    best = copy.deepcopy(model.state_dict())
                if checkpoint is not None:
                    _save(checkpoint, settings, run, history, best)
        if best is not None:
            model.load_state_dict(best)
    except torch.cuda.OutOfMemoryError:
        memory_is_full = True
    finally:
        model.to(home).eval()
    if memory_is_full:  # out here nothing holds the failed batch any more, so another try finds its memory free
        torch.cuda.empty_cache()
        raise MemoryError(f"The GPU ran out of memory; try again with batch_size={max(1, batch_size // 2)}.")
    return history


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
        images, labels = images.to(device), labels.to(device)
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

    def __init__(self, transform: Callable, pictures: Pictures, progress: bool):
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


def _fingerprints(model: nn.Module, train: _Prepared, validation: _Prepared | None) -> dict[str, str]:
    """What has to be the same when a run continues, besides the numbers that `fine_tune` was given."""
    layout = str([(name, tuple(p.shape), p.requires_grad) for name, p in model.named_parameters()])
    return {
        "model": f"{type(model).__name__} {zlib.crc32(layout.encode()):08x}",
        "training pictures": _fingerprint(train),
        "validation pictures": _fingerprint(validation) if validation is not None else "none",
    }


def _fingerprint(pictures: _Prepared) -> str:
    """Of the labels, of the pixels of up to 100 pictures, and of what preprocessing makes of the first."""
    count, first = len(pictures.labels), pictures[[0]]
    checksum = zlib.crc32(str(pictures.labels.tolist()).encode())
    for index in range(0, count, math.ceil(count / 100)):
        checksum = zlib.crc32(pictures.source[index][0].tobytes(), checksum)
    return f"{count} of shape {tuple(first.shape[1:])}, the first with mean {first.mean():.2f}, {checksum:08x}"


def _save(path: Path, settings: dict, run: dict, history: History, best: dict | None) -> None:
    content = {"settings": settings, "history": asdict(history), "best": best}
    content |= {name: part.state_dict() for name, part in run.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda partial: torch.save(content, partial))
    except (OSError, RuntimeError) as error:
        raise OSError(f"The checkpoint {path.name} could not be written ({error}). Is the disk full?") from error


def _resume(path: Path, settings: dict, run: dict, device: torch.device) -> tuple[History, dict | None]:
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
        there = saved["settings"]
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path.name} is damaged, or is no checkpoint of fine_tune. Delete it to start over."
        ) from error
    different = [
        f"{name} ({there.get(name)!r} there, {settings.get(name)!r} here)"
        for name in settings | there
        if there.get(name) != settings.get(name)
    ]
    if different:
        raise ValueError(
            f"The checkpoint {path.name} belongs to a run with other settings: {', '.join(different)}. "
            "Give another file name, or delete the file to start over."
        )
    for name, part in run.items():
        part.load_state_dict(saved[name])
    history = History(**saved["history"])
    print(f"{path.name}: {history.epochs} of {settings['epochs']} epochs were done before; going on with its weights.")
    return history, saved["best"]
