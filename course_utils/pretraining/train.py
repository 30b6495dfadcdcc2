"""The training loop that makes the course's own weights.

All pictures stay decoded on the device, and whole batches are augmented there. Training begins with small pictures
and ends with larger ones (progressive resizing), because an epoch at 32 px costs a quarter of one at 64 px. The
weights that are kept are an exponential moving average (EMA) of those that SGD visits.

Every random choice of an epoch follows from (seed, epoch). So a run that was interrupted and resumed needs no saved
random state to end with the same weights as one that was not: bit for bit on a CPU, and on a GPU as far as torch
promises it.
"""

import copy
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_utils.checkpoint import (
    Stateful,
    half_precision,
    load_checkpoint,
    save_checkpoint,
    save_weights,
)
from course_utils.device import describe_device
from course_utils.files import write_whole
from course_utils.pretraining.augmentation import crop_and_resize, draw_mixes, mix, normalize, random_boxes
from course_utils.pretraining.recipe import PretrainError, Recipe
from course_utils.pretraining.small_maps import speed_up_small_maps
from course_utils.pretraining.tiny_imagenet import TinyImageNet


@dataclass(frozen=True)
class Run:
    """What training works on. ``model`` learns, through ``replica`` where several processes share the work."""

    recipe: Recipe
    device: torch.device
    rank: int  # 0 evaluates, reports and saves
    model: nn.Module
    replica: nn.Module
    ema: nn.Module
    optimizer: torch.optim.SGD
    scaler: torch.amp.GradScaler

    @property
    def parts(self) -> dict[str, Stateful]:
        """What a checkpoint holds."""
        return {"model": self.model, "ema": self.ema, "optimizer": self.optimizer, "scaler": self.scaler}


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
    """Train by ``recipe`` and return the averaged network in eval mode, with three files written after every epoch:

    ``out`` (the EMA weights so far, fp16 safetensors), ``out`` as ``.jsonl`` (a line an epoch: top1, top5 in 0..1)
    and as ``.checkpoint.pt`` (what ``resume`` needs). ``start_from`` is a state dict to begin with.
    When torch.distributed is up, each process takes its part of every batch.
    """
    if len(data.train_labels) < recipe.batch_size or recipe.batch_size % recipe.processes:
        raise PretrainError(
            f"A batch of {recipe.batch_size} does not fit {len(data.train_labels)} pictures on {recipe.processes} "
            "processes: choose --batch-size at most the first and a multiple of the second."
        )
    run = prepare(recipe, len(data.wnids), device, start_from)
    identity = {**json.loads(json.dumps(asdict(recipe))), "training pictures": len(data.train_labels)}
    history = []
    if resume and checkpoint_path(out).is_file():
        history = load_checkpoint(checkpoint_path(out), run.parts, identity)["history"]
        if run.rank == 0:
            export(out, run, len(data.wnids), history)  # in case the interruption came just before this
    elif resume and run.rank == 0:
        print(f"There is no {checkpoint_path(out)} yet: starting at the first epoch.")

    images, labels = data.train_images.to(device), data.train_labels.to(device)
    val_images, val_labels = data.val_images.to(device), data.val_labels.to(device)
    rounded = copy.deepcopy(run.model)
    for epoch in range(len(history), len(recipe.px_of_epoch)):
        began = time.perf_counter()
        loss, lr = train_epoch(run, images, labels, epoch, progress and run.rank == 0)
        if not math.isfinite(loss):
            raise PretrainError(f"The loss became {loss} in epoch {epoch + 1}: start again with a lower --lr.")
        if run.rank != 0:
            continue
        rounded.load_state_dict(half_precision(run.ema))  # report what the file gives, not what was rounded to it
        top1, top5 = accuracy(rounded, val_images, val_labels)
        line = {
            "epoch": epoch + 1,
            "px": recipe.px_of_epoch[epoch],
            "loss": loss,
            "top1": top1,
            "top5": top5,
            "lr": lr,
            "seconds": round(time.perf_counter() - began, 1),
            "device": describe_device(device),
        }
        history.append(line)
        save_checkpoint(checkpoint_path(out), run.parts, identity, {"history": history})
        export(out, run, len(data.wnids), history)
        print(json.dumps(line), flush=True)
    return run.ema.eval()


def prepare(recipe: Recipe, num_classes: int, device: torch.device, start_from: dict[str, Tensor] | None) -> Run:
    """Build the network, its average and its optimizer on ``device``."""
    torch.manual_seed(recipe.seed)
    model = torchvision.models.get_model(recipe.model, num_classes=num_classes)
    if start_from is not None:
        check_shapes(start_from, model.state_dict(), recipe.warm_start or "the state dict to start from")
        model.load_state_dict(start_from)
    if device.type == "cpu" and recipe.precision == "bf16":
        speed_up_small_maps(model)
    model.to(device).to(memory_format=memory_format(device, recipe.precision))  # pyright: ignore[reportCallIssue]
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD(
        [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}],
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )
    return Run(
        recipe=recipe,
        device=device,
        rank=dist.get_rank() if dist.is_initialized() else 0,
        model=model,
        replica=nn.parallel.DistributedDataParallel(model) if recipe.processes > 1 else model,
        ema=copy.deepcopy(model),
        optimizer=optimizer,
        scaler=torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16"),
    )


def memory_format(device: torch.device, precision: str) -> torch.memory_format:
    """Return the fastest order of a picture's numbers: GPUs and 16-bit CPU kernels want channels side by side."""
    channels_last = device.type == "cuda" or (device.type == "cpu" and precision == "bf16")
    return torch.channels_last if channels_last else torch.contiguous_format


def check_shapes(found: dict[str, Tensor], expected: dict[str, Tensor], source: str) -> None:
    """Refuse a state dict of another network, naming the first difference where torch would list hundreds."""
    for name in (*expected, *found):
        shapes = [tuple(state[name].shape) if name in state else "nothing" for state in (found, expected)]
        if shapes[0] != shapes[1]:
            raise PretrainError(f"{source} holds another network: {name} is {shapes[0]} there and {shapes[1]} here.")


def train_epoch(run: Run, images: Tensor, labels: Tensor, epoch: int, progress: bool) -> tuple[float, float]:
    """Show each picture once (a last, smaller batch is left out); return the mean loss and the last learning rate."""
    recipe, device, rank = run.recipe, run.device, run.rank
    px, epochs = recipe.px_of_epoch[epoch], len(recipe.px_of_epoch)
    steps, share = len(labels) // recipe.batch_size, recipe.batch_size // recipe.processes
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(recipe.precision)
    layout = memory_format(device, recipe.precision)

    generator = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)
    order = torch.randperm(len(labels), generator=generator).to(device)
    boxes = random_boxes(len(labels), recipe.min_area, generator).to(device)  # one for each picture
    mixes = draw_mixes(steps, recipe.mixup, recipe.cutmix, np.random.default_rng([recipe.seed, epoch]))
    torch.manual_seed((recipe.seed * 1000 + epoch) * recipe.processes + rank)  # dropout: another in each process

    run.model.train()
    total, lr = torch.zeros((), device=device), 0.0
    bar = tqdm(mixes, f"epoch {epoch + 1}/{epochs}, {px} px", total=steps, disable=not progress)
    for step, (own_share, center) in enumerate(bar):
        step_of_run = epoch * steps + step + 1
        lr = one_cycle(step_of_run / (epochs * steps), recipe.lr, recipe.warmup)
        for group in run.optimizer.param_groups:
            group["lr"] = lr

        first = step * recipe.batch_size + rank * share
        picked = order[first : first + share]
        target = labels[picked]
        batch = normalize(crop_and_resize(images[picked], boxes[picked], px))
        if own_share < 1:
            batch, own_share = mix(batch, own_share, center)
        with torch.autocast(device.type, half or torch.bfloat16, enabled=half is not None):
            logits = run.replica(batch.contiguous(memory_format=layout))
        loss = smoothed_loss(logits.float(), target, own_share, recipe.label_smoothing)
        run.optimizer.zero_grad()
        run.scaler.scale(loss).backward()
        run.scaler.step(run.optimizer)
        run.scaler.update()

        if step_of_run % recipe.ema_every == 0:
            # The average of a run's first steps must not remember the random start for long.
            decay = min(recipe.ema_decay, step_of_run / (9 + step_of_run))
            update_ema(run.ema, run.model, decay**recipe.ema_every)
        total += loss.detach()
        if step % 20 == 0:  # not each step, because reading a number waits for the GPU
            bar.set_postfix(loss=f"{loss.item():.3f}", lr=f"{lr:.3g}")

    if recipe.processes > 1:
        dist.all_reduce(total)
    return total.item() / (steps * recipe.processes), lr


def one_cycle(progress: float, peak: float, warmup: float) -> float:
    """Return the learning rate at ``progress`` (0..1): a line up to ``peak``, then half a cosine down to 0."""
    if progress < warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def smoothed_loss(logits: Tensor, target: Tensor, own_share: float, label_smoothing: float) -> Tensor:
    """Return the cross-entropy; a picture that is ``own_share`` itself has the rest of its partner's label (`mix`)."""
    loss = F.cross_entropy(logits, target, label_smoothing=label_smoothing)
    if own_share == 1:
        return loss
    partners = F.cross_entropy(logits, target.flip(0), label_smoothing=label_smoothing)
    return own_share * loss + (1 - own_share) * partners


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Move each number of ``ema`` towards ``model``, batch normalisation's statistics too; counters are copied."""
    for average, current in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
        if average.is_floating_point():
            average.lerp_(current, 1 - decay)
        else:
            average.copy_(current)


@torch.inference_mode()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Return top-1 and top-5 accuracy (0..1) of ``model``, put into eval mode, on uint8 pictures ``(N, 3, H, W)``."""
    model.eval()
    top1 = top5 = 0
    for batch, actual in zip(images.split(500), labels.split(500), strict=True):
        logits = model(normalize(batch))
        hits = logits.topk(min(5, logits.shape[1])).indices == actual[:, None]
        top1 += hits[:, 0].sum().item()
        top5 += hits.sum().item()
    return top1 / len(labels), top5 / len(labels)


def export(out: Path, run: Run, num_classes: int, history: list[dict]) -> None:
    """Write the EMA weights, with what one must know about them in the file's header, and the log."""
    header = {
        "architecture": run.recipe.model,
        "num_classes": num_classes,
        "recipe": asdict(run.recipe),
        "epochs_done": len(history),
        "top1": history[-1]["top1"],
        "top5": history[-1]["top5"],
    }
    lines = "".join(json.dumps(line) + "\n" for line in history)
    write_whole(out.with_suffix(".jsonl"), lambda path: path.write_text(lines, encoding="utf-8"))
    save_weights(out, run.ema, header)


def checkpoint_path(out: Path) -> Path:
    """Return where the run that writes ``out`` keeps what ``resume`` needs."""
    return out.with_suffix(".checkpoint.pt")
