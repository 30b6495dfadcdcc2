"""``python -m course_utils pretrain``: train as the command line says.

python -m course_utils pretrain --data DIR --out FILE
torchrun --nproc-per-node 4 -m course_utils pretrain --data DIR --out FILE
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from filelock import FileLock, Timeout

from course_utils.checkpoint import read_weights
from course_utils.device import get_device
from course_utils.errors import CourseError, reason_of, shown
from course_utils.pretraining import tiny_imagenet
from course_utils.pretraining.recipe import MODELS, MOST_EPOCHS, MOST_PX, PretrainError, Recipe
from course_utils.pretraining.train import checkpoint_path, train


def parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Read ``"32:4,48:3,64:3"``: 4 epochs at 32 px, then 3 at 48, then 3 at 64."""
    try:
        sizes = tuple((int(px), int(epochs)) for px, epochs in (part.split(":") for part in text.split(",")))
    except ValueError:
        sizes = ()
    if not sizes or any(not 8 <= px <= MOST_PX or epochs < 1 for px, epochs in sizes):
        raise argparse.ArgumentTypeError(
            f"'{shown(text)}' is not like 32:4,48:3,64:3 (px:epochs, at least 8 px and at most {MOST_PX})"
        )
    if sum(epochs for _, epochs in sizes) > MOST_EPOCHS:
        raise argparse.ArgumentTypeError(f"'{shown(text)}' is more than {MOST_EPOCHS:,} epochs")
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
        recipe = recipe_from(args, device, processes)
        check_output(args.out)
        first_process = not dist.is_initialized() or dist.get_rank() == 0
        with only_run(args.out) if first_process else nullcontext():
            check_unused(args.out, args.resume)
            start_from = read_weights(args.warm_start) if args.warm_start else None
            if args.download and first_process:
                tiny_imagenet.download(args.data)
            if args.download and dist.is_initialized():
                dist.barrier()
            data = tiny_imagenet.load(args.data, progress=first_process)
            train(data, recipe, args.out, device=device, start_from=start_from, resume=args.resume)
    except CourseError as error:
        print(f"pretrain: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        place = f"{shown(error.filename)}: " if error.filename else ""
        advice = "make room, or mend what is wrong there; --resume goes on after the last whole epoch"
        print(f"pretrain: {place}{reason_of(error)}; {advice}.", file=sys.stderr)
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


def check_output(out: Path) -> None:
    """Refuse, before hours of work, an output that cannot be written."""
    if out.suffix != ".safetensors":
        example = out.with_suffix(".safetensors").name if out.name not in {"", ".."} else "weights.safetensors"
        raise PretrainError(f"--out '{shown(out)}' must be a .safetensors file, such as {shown(example)}.")
    try:
        for path in (out, out.with_suffix(".jsonl"), checkpoint_path(out)):
            if path.is_dir():
                raise PretrainError(f"{shown(path)} is a folder where a file must go: choose another --out.")
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent) as file:
            file.write(bytes(1))
    except (OSError, ValueError) as error:
        raise PretrainError(
            f"--out {shown(out)}: nothing can be written in {shown(out.parent)} ({reason_of(error)})."
        ) from error


def check_unused(out: Path, resume: bool) -> None:
    """Refuse an output that would replace an earlier run's."""
    for path in (out, checkpoint_path(out)):
        if path.exists() and not resume:
            raise PretrainError(f"{shown(path)} is there already: add --resume to go on, or choose another --out.")


@contextmanager
def only_run(out: Path) -> Iterator[None]:
    """Refuse a second run with the same ``out`` at the same time: each would overwrite the other's files."""
    path = out.with_suffix(".lock")
    try:
        with FileLock(path, timeout=0):
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes it itself, when it is let go
                    path.unlink()
    except Timeout:
        raise PretrainError(
            f"Another run is writing {shown(out)}: wait for its end, or choose another --out."
        ) from None


def recipe_from(args: argparse.Namespace, device: torch.device, processes: int) -> Recipe:
    """Return the recipe that the command line asks for."""
    precision = args.precision
    if precision is None and device.type == "cuda":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    chosen = {name: value for name, value in vars(args).items() if name in Recipe.__dataclass_fields__}
    chosen |= {"precision": precision or "fp32", "processes": processes}
    chosen["warm_start"] = args.warm_start.name if args.warm_start else None
    return Recipe(**chosen)
