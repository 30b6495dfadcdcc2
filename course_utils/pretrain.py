"""Pre-train a small torchvision classifier on Tiny ImageNet: the program that makes the course's own weights.

    python -m course_utils pretrain --data DIR --out FILE
    torchrun --nproc-per-node 4 -m course_utils pretrain --data DIR --out FILE

All pictures stay decoded on the device, and whole batches are augmented there. Training begins with small pictures
and ends with larger ones (progressive resizing), because an epoch at 32 px costs a quarter of one at 64 px. The
weights that are kept are an exponential moving average (EMA) of those that SGD visits.

Every random choice of an epoch follows from (seed, epoch). So a run that was interrupted and resumed needs no saved
random state to end with the same weights as one that was not: bit for bit on a CPU, and on a GPU as far as torch
promises it.
"""

import argparse
import copy
import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_utils import tiny_imagenet
from course_utils.augmentation import crop_and_resize, draw_mixes, mix, normalize, random_boxes
from course_utils.checkpoint import (
    CheckpointError,
    Stateful,
    half_precision,
    load_checkpoint,
    read_weights,
    save_checkpoint,
    save_weights,
    write_whole,
)
from course_utils.convolution import speed_up_small_maps
from course_utils.device import DeviceError, describe_device, get_device
from course_utils.tiny_imagenet import DataError, TinyImageNet

MODELS = ("resnet18", "mobilenet_v3_small")


class PretrainError(RuntimeError):
    """Training cannot begin or go on; the message says why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """Everything besides the pictures that decides the result; it is stored with the weights."""

    model: str = "resnet18"
    sizes: tuple[tuple[int, int], ...] = ((32, 4), (48, 3), (64, 3))  # (side of the pictures in px, epochs)
    batch_size: int = 256  # of all processes together
    lr: float = 0.4  # the highest
    warmup: float = 0.1  # the part of the run in which the learning rate rises
    momentum: float = 0.9
    weight_decay: float = 5e-4  # of matrices and kernels only, not of biases and batch normalization
    label_smoothing: float = 0.1
    min_area: float = 0.35  # of a random crop, as a part of the picture
    mixup: float = 0.0  # alpha of its Beta distribution; 0 is off
    cutmix: float = 0.0  # likewise; with both on, each batch takes one of the two
    ema_decay: float = 0.998  # a step
    ema_every: int = 4  # steps from one update of the average to the next
    seed: int = 0
    precision: str = "fp32"
    processes: int = 1
    warm_start: str | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense, before hours of work."""
        for name, makes_sense, meaning in (
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("lr", self.lr > 0, "more than 0"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "from 0 to less than 1"),
            ("min_area", 0 < self.min_area <= 1, "more than 0 and at most 1"),
            ("mixup", self.mixup >= 0, "0 or more"),
            ("cutmix", self.cutmix >= 0, "0 or more"),
            ("ema_decay", 0 <= self.ema_decay < 1, "from 0 to less than 1"),
            ("ema_every", self.ema_every >= 1, "at least 1"),
            ("seed", self.seed >= 0, "0 or more"),
        ):
            if not makes_sense:
                raise PretrainError(f"{name} is {getattr(self, name)}; it must be {meaning}.")

    @property
    def px_of_epoch(self) -> list[int]:
        return [px for px, epochs in self.sizes for _ in range(epochs)]


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
        history = load_checkpoint(checkpoint_path(out), run.parts, identity)
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
        save_checkpoint(checkpoint_path(out), run.parts, identity, history)
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
    model = model.to(device, memory_format=memory_format(device, recipe.precision))
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
    """The fastest order of a picture's numbers: GPUs and 16-bit CPU kernels want a pixel's channels side by side."""
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
    total = torch.zeros((), device=device)
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
    """Learning rate at ``progress`` (0..1) of the run: a line up to ``peak``, then half a cosine down to 0."""
    if progress < warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def smoothed_loss(logits: Tensor, target: Tensor, own_share: float, label_smoothing: float) -> Tensor:
    """Cross-entropy; a picture that is only ``own_share`` itself has the rest of its partner's label, see `mix`."""
    loss = F.cross_entropy(logits, target, label_smoothing=label_smoothing)
    if own_share == 1:
        return loss
    partners = F.cross_entropy(logits, target.flip(0), label_smoothing=label_smoothing)
    return own_share * loss + (1 - own_share) * partners


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Move each number of ``ema`` towards ``model``, batch normalization's statistics too; counters are copied."""
    for average, current in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
        if average.is_floating_point():
            average.lerp_(current, 1 - decay)
        else:
            average.copy_(current)


@torch.inference_mode()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Top-1 and top-5 accuracy (0..1) of ``model``, put into eval mode, on uint8 pictures ``(N, 3, H, W)``."""
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
    return out.with_suffix(".checkpoint.pt")


def parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Read ``"32:4,48:3,64:3"``: 4 epochs at 32 px, then 3 at 48, then 3 at 64."""
    try:
        sizes = tuple((int(px), int(epochs)) for px, epochs in (part.split(":") for part in text.split(",")))
    except ValueError:
        sizes = ()
    if not sizes or any(px < 8 or epochs < 1 for px, epochs in sizes):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 32:4,48:3,64:3 (px:epochs, at least 8 px)")
    return sizes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m course_utils pretrain``."""
    defaults = Recipe()
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="Tiny ImageNet: shards or the archive")
    parser.add_argument("--download", action="store_true", help="fetch the public archive (237 MiB) into DIR first")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights, a .safetensors file")
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run with this --out stopped")
    parser.add_argument("--warm-start", type=Path, metavar="FILE", help="weights to begin with, .safetensors or .pt")
    parser.add_argument("--device", help="cpu, cuda, cuda:1 or mps (default: the best there is)")
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16", "fp16"),
        help="default: 16 bits on CUDA, else fp32; bf16 is faster on CPUs with AMX",
    )
    parser.add_argument("--model", choices=MODELS, default=defaults.model)
    parser.add_argument("--sizes", type=parse_sizes, default=defaults.sizes, help="px:epochs, as in 32:4,48:3,64:3")
    for name, meaning in {
        "batch_size": "pictures a step, over all processes",
        "lr": "the highest learning rate of the one-cycle schedule",
        "weight_decay": "of matrices and kernels",
        "label_smoothing": "the part of each label that is spread over all classes",
        "min_area": "smallest random crop, as a part of the picture",
        "mixup": "alpha; 0 is off",
        "cutmix": "alpha; 0 is off",
        "ema_decay": "of the averaged weights, a step",
        "ema_every": "steps from one update of the average to the next",
        "seed": "the same seed gives the same weights",
    }.items():
        default = getattr(defaults, name)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=type(default), default=default, help=f"{meaning} (default: {default})")


def run(args: argparse.Namespace) -> int:
    """Train as the command line says. Returns 0, or 2 after one sentence on stderr, or 130 when interrupted."""
    try:
        device, processes = join_processes(args.device)
        check_output(args.out, args.resume)
        recipe = recipe_from(args, device, processes)
        start_from = read_weights(args.warm_start) if args.warm_start else None
        first_process = not dist.is_initialized() or dist.get_rank() == 0
        if args.download and first_process:
            tiny_imagenet.download(args.data)
        if args.download and dist.is_initialized():
            dist.barrier()
        data = tiny_imagenet.load(args.data, progress=first_process)
        train(data, recipe, args.out, device=device, start_from=start_from, resume=args.resume)
    except (PretrainError, CheckpointError, DataError, DeviceError, OSError) as error:
        print(f"pretrain: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; the same command with --resume goes on after the last whole epoch.", file=sys.stderr)
        return 130
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
    return 0


def join_processes(prefer: str | None) -> tuple[torch.device, int]:
    """Return this process's device and how many processes torchrun started (1 without it)."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    device = get_device(prefer)
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats itself only with this
    if processes == 1:
        return device, 1
    if device.type == "cuda":
        device = get_device(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(hours=1))
    return device, processes


def check_output(out: Path, resume: bool) -> None:
    """Refuse, before hours of work, an output that cannot be written or would replace an earlier run's."""
    if out.suffix != ".safetensors":
        raise PretrainError(f"--out {out} must be a .safetensors file, such as {out.with_suffix('.safetensors').name}.")
    for path in (out, checkpoint_path(out)):
        if path.exists() and not resume:
            raise PretrainError(f"{path} is there already: add --resume to go on, or choose another --out.")
    out.parent.mkdir(parents=True, exist_ok=True)


def recipe_from(args: argparse.Namespace, device: torch.device, processes: int) -> Recipe:
    """The recipe that the command line asks for."""
    precision = args.precision
    if precision is None and device.type == "cuda":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    chosen = {name: value for name, value in vars(args).items() if name in Recipe.__dataclass_fields__}
    chosen |= {"precision": precision or "fp32", "processes": processes}
    chosen["warm_start"] = args.warm_start.name if args.warm_start else None
    return Recipe(**chosen)
