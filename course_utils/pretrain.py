"""Pre-train a small torchvision classifier on Tiny ImageNet: the program that made the course's own checkpoint.

    python -m course_utils pretrain --data DIR --out FILE
    torchrun --nproc-per-node 4 -m course_utils pretrain --data DIR --out FILE

All pictures stay decoded on the device, and a whole batch is cropped, resized and flipped there at once. Training
begins with small pictures and ends with 64 px (progressive resizing), because an epoch at 32 px costs a quarter.
The weights that are kept are an exponential moving average (EMA) of those that SGD visits.

Every random choice of an epoch follows from (seed, epoch). So a run that was interrupted and resumed needs no saved
random state to end with the same weights, bit for bit, as one that was not.
"""

import argparse
import copy
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
import torch.distributed as dist
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_utils import tiny_imagenet
from course_utils.device import DeviceError, describe_device, get_device
from course_utils.tiny_imagenet import DataError, TinyImageNet

MODELS = ("resnet18", "mobilenet_v3_small")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as in torchvision's own transforms


class PretrainError(RuntimeError):
    """Training cannot begin or go on; the message says why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, besides the pictures. It is stored with the weights."""

    model: str = "resnet18"
    sizes: tuple[tuple[int, int], ...] = ((32, 4), (48, 3), (64, 3))  # (side of the pictures in px, epochs)
    batch_size: int = 256  # over all processes together
    lr: float = 0.4  # the highest
    warmup: float = 0.1  # the part of the run in which the learning rate rises
    momentum: float = 0.9
    weight_decay: float = 5e-4  # not on vectors: biases and batch normalization
    label_smoothing: float = 0.1
    min_area: float = 0.35  # of the picture, in a random crop
    mixup: float = 0.0  # alpha of the Beta distribution; 0 is off
    cutmix: float = 0.0  # likewise; with both on, each batch takes one of the two
    ema_decay: float = 0.998  # per step
    ema_every: int = 4  # steps between updates of the average
    seed: int = 0
    precision: str = "fp32"
    processes: int = 1
    warm_start: str | None = None

    @property
    def px_of_epoch(self) -> list[int]:
        return [px for px, epochs in self.sizes for _ in range(epochs)]


def parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Read ``"32:4,48:3,64:3"``: 4 epochs at 32 px, then 3 at 48, then 3 at 64."""
    try:
        sizes = tuple((int(px), int(epochs)) for px, epochs in (part.split(":") for part in text.split(",")))
    except ValueError:
        sizes = ()
    if not sizes or any(px < 8 or epochs < 1 for px, epochs in sizes):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 32:4,48:3,64:3 (px:epochs, at least 8 px)")
    return sizes


def one_cycle(progress: float, peak: float, warmup: float) -> float:
    """Learning rate at ``progress`` (0..1) of the run: a line up to ``peak``, then half a cosine down to 0."""
    if progress < warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def random_boxes(count: int, min_area: float, generator: torch.Generator) -> Tensor:
    """Draw crops as ``(left, top, right, bottom)`` in 0..1, shape ``(count, 4)``; half have left and right swapped.

    The area is uniform in ``min_area``..1 and the aspect ratio log-uniform in 3/4..4/3.
    """
    u = torch.rand(count, 5, generator=generator)
    area = min_area + (1 - min_area) * u[:, 0]
    aspect = torch.exp(math.log(4 / 3) * (2 * u[:, 1] - 1))
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    left, top = u[:, 2] * (1 - width), u[:, 3] * (1 - height)
    right, bottom = left + width, top + height
    flip = u[:, 4] < 0.5
    return torch.stack([torch.where(flip, right, left), top, torch.where(flip, left, right), bottom], 1)


def resize_matrix(start: Tensor, stop: Tensor, size_in: int, size_out: int) -> Tensor:
    """Matrices ``(N, size_out, size_in)`` that resize one axis from ``start`` to ``stop`` (0..1; backwards flips).

    Each row holds the weights of an antialiased bilinear (triangle) filter around one output pixel.
    """
    scale = (stop - start).abs()[:, None, None] * size_in / size_out
    steps = (torch.arange(size_out, device=start.device) + 0.5) / size_out
    centers = (start[:, None] + (stop - start)[:, None] * steps) * size_in
    pixels = torch.arange(size_in, device=start.device) + 0.5
    weights = (1 - (pixels - centers[:, :, None]).abs() / scale.clamp(min=1)).clamp(min=0)
    return weights / weights.sum(2, keepdim=True)


def crop_and_resize(images: Tensor, boxes: Tensor, px: int) -> Tensor:
    """Cut ``boxes`` ``(N, 4)`` out of ``images`` ``(N, 3, H, W)`` and resize them to ``(N, 3, px, px)``, float 0..255."""
    left, top, right, bottom = boxes.unbind(1)
    rows = resize_matrix(top, bottom, images.shape[2], px)
    columns = resize_matrix(left, right, images.shape[3], px)
    return rows[:, None] @ images.float() @ columns.transpose(1, 2)[:, None]


def normalize(images: Tensor) -> Tensor:
    """Turn 0..255 into the range that the network sees: ImageNet's mean and standard deviation become 0 and 1."""
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1) * 255
    std = torch.tensor(STD, device=images.device).view(3, 1, 1) * 255
    return (images.float() - mean) / std


def mix(images: Tensor, share: float, center: tuple[float, float] | None) -> tuple[Tensor, float]:
    """Mix each picture with the one at the mirrored place of the batch: mixup, or CutMix around ``center`` (0..1).

    Returns the pictures and the share that each keeps of itself; the loss mixes the labels in the same way.
    Sources: Zhang et al. 2018 (mixup), Yun et al. 2019 (CutMix).
    """
    partners = images.flip(0)
    if center is None:
        return images.lerp(partners, 1 - share), share
    px, half = images.shape[-1], math.sqrt(1 - share) / 2
    (top, bottom), (left, right) = (
        (max(0, round((c - half) * px)), min(px, round((c + half) * px))) for c in center
    )
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = partners[:, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / px**2


def draw_mixes(recipe: Recipe, epoch: int, steps: int) -> Iterator[tuple[float, tuple[float, float] | None]]:
    """Yield what `mix` needs for each step of an epoch; a share of 1 mixes nothing."""
    rng = np.random.default_rng([recipe.seed, epoch])
    for _ in range(steps):
        cut = recipe.cutmix > 0 and (recipe.mixup == 0 or rng.random() < 0.5)
        alpha = recipe.cutmix if cut else recipe.mixup
        share = float(rng.beta(alpha, alpha)) if alpha > 0 else 1.0
        yield share, tuple(rng.random(2).tolist()) if cut else None


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Move every number of ``ema`` towards ``model``, BatchNorm's statistics too; counters are copied."""
    for average, current in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
        if average.is_floating_point():
            average.lerp_(current, 1 - decay)
        else:
            average.copy_(current)


@torch.inference_mode()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Top-1 and top-5 accuracy (0..1) of ``model``, in eval mode, on uint8 pictures ``(N, 3, H, W)``."""
    model.eval()
    top1 = top5 = 0
    for batch, actual in zip(images.split(500), labels.split(500), strict=True):
        logits = model(normalize(batch))
        hits = logits.topk(min(5, logits.shape[1])).indices == actual[:, None]
        top1 += hits[:, 0].sum().item()
        top5 += hits.sum().item()
    return top1 / len(labels), top5 / len(labels)


def train(
    data: TinyImageNet,
    recipe: Recipe,
    out: Path,
    *,
    device: torch.device,
    start_from: dict[str, Tensor] | None = None,
    resume: bool = False,
    progress: bool = True,
) -> nn.Module:
    """Train by ``recipe`` and return the averaged network. Every epoch ends with three files, each written whole:

    ``out`` (EMA weights so far, fp16 safetensors), ``out`` as ``.jsonl`` (a line an epoch) and as
    ``.checkpoint.pt`` (all that ``resume`` needs). ``start_from`` is a state dict to begin with.
    Under torchrun each process takes its part of every batch, and the first one evaluates and writes.
    """
    rank = dist.get_rank() if dist.is_initialized() else 0
    torch.manual_seed(recipe.seed)
    model = build(recipe.model, len(data.wnids), start_from).to(device)
    on_cuda = device.type == "cuda"
    if on_cuda:
        model = model.to(memory_format=torch.channels_last)
    ema, rounded = copy.deepcopy(model), copy.deepcopy(model)
    replica = nn.parallel.DistributedDataParallel(model) if recipe.processes > 1 else model
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD(
        [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}],
        lr=recipe.lr, momentum=recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay,
    )  # fmt: skip
    scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(recipe.precision)
    autocast = torch.autocast(device.type, half) if half else nullcontext()

    parts = {"model": model, "ema": ema, "optimizer": optimizer, "scaler": scaler}
    done = {"recipe": json.loads(json.dumps(asdict(recipe))), "pictures": len(data.train_labels)}
    history = load_checkpoint(checkpoint_of(out), parts, done) if resume else []
    px_of_epoch = recipe.px_of_epoch
    if history and rank == 0:  # the interruption may have come between the checkpoint and the other two files
        write_outputs(out, ema, history, recipe, len(data.wnids))

    images, labels = data.train_images.to(device), data.train_labels.to(device)
    val_images, val_labels = data.val_images.to(device), data.val_labels.to(device)
    steps = len(labels) // recipe.batch_size
    share = recipe.batch_size // recipe.processes
    if steps == 0 or share * recipe.processes != recipe.batch_size:
        raise PretrainError(
            f"A batch of {recipe.batch_size} does not fit {len(labels)} pictures and {recipe.processes} processes: "
            "choose --batch-size at most the first and a multiple of the second."
        )

    for epoch in range(len(history), len(px_of_epoch)):
        began, px = time.perf_counter(), px_of_epoch[epoch]
        generator = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)
        order = torch.randperm(len(labels), generator=generator).to(device)
        boxes = random_boxes(len(labels), recipe.min_area, generator).to(device)  # picture i gets box i
        torch.manual_seed(recipe.seed * 1000 + epoch + 1_000_000 * (rank + 1))  # for dropout
        model.train()
        total = torch.zeros((), device=device)
        mixes = draw_mixes(recipe, epoch, steps)
        bar = tqdm(
            mixes, f"epoch {epoch + 1}/{len(px_of_epoch)}, {px} px", steps, disable=rank > 0 or not progress
        )
        for step, (own, center) in enumerate(bar):
            steps_done = epoch * steps + step
            lr = one_cycle((steps_done + 1) / (len(px_of_epoch) * steps), recipe.lr, recipe.warmup)
            for group in optimizer.param_groups:
                group["lr"] = lr

            first = step * recipe.batch_size + rank * share
            picked = order[first : first + share]
            batch, target = normalize(crop_and_resize(images[picked], boxes[picked], px)), labels[picked]
            if own < 1:
                batch, own = mix(batch, own, center)
            if on_cuda:
                batch = batch.contiguous(memory_format=torch.channels_last)
            with autocast:
                logits = replica(batch)
                loss = F.cross_entropy(logits, target, label_smoothing=recipe.label_smoothing)
                if own < 1:
                    other = F.cross_entropy(logits, target.flip(0), label_smoothing=recipe.label_smoothing)
                    loss = own * loss + (1 - own) * other
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()

            if (steps_done + 1) % recipe.ema_every == 0:
                # An average over few steps so far must not remember the random start for long.
                decay = min(recipe.ema_decay, (1 + steps_done) / (10 + steps_done))
                update_ema(ema, model, decay**recipe.ema_every)
            total += loss.detach()
            if step % 20 == 0:  # reading a number waits for the GPU
                bar.set_postfix(loss=f"{loss.item():.3f}", lr=f"{lr:.3g}")

        if recipe.processes > 1:
            dist.all_reduce(total)
        mean_loss = total.item() / steps / recipe.processes
        if not math.isfinite(mean_loss):
            raise PretrainError(f"The loss became {mean_loss} in epoch {epoch + 1}: start again with a lower --lr.")
        if rank > 0:
            continue
        rounded.load_state_dict(half_precision(ema))  # what is reported is what the file with 16-bit numbers gives
        top1, top5 = accuracy(rounded, val_images, val_labels)
        line = {"epoch": epoch + 1, "px": px, "loss": mean_loss, "top1": top1, "top5": top5, "lr": lr,
                "seconds": round(time.perf_counter() - began, 1), "device": describe_device(device)}  # fmt: skip
        history.append(line)
        save_checkpoint(checkpoint_of(out), parts, done, history)
        write_outputs(out, ema, history, recipe, len(data.wnids))
        print(json.dumps(line), flush=True)
    return ema.eval()
