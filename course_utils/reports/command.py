"""Measure the models of the course and write down what was measured: ``make checkpoint-report``.

    python -m course_utils checkpoint-report                                  write the model cards again
    python -m course_utils checkpoint-report --data DIR                       measure all models again
    python -m course_utils checkpoint-report --data DIR --model resnet18 --checkpoint FILE    ship FILE of `pretrain`

It writes records, reports and logs in ``course_utils/assets/``, the learning curves and the cards: every number in them
comes from here, or stands in a record as published by the model's authors. Run it in the repository.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import safe_open

from course_utils.checkpoint import read_weights
from course_utils.data import Pictures, cifar_cats_dogs, doodle_pets
from course_utils.device import describe_device, get_device
from course_utils.errors import CourseError
from course_utils.fast_pass import fast_copy
from course_utils.files import ROOT, sha256, write_text, write_whole
from course_utils.pretraining import tiny_imagenet
from course_utils.pretraining.tiny_imagenet import TinyImageNet
from course_utils.reports.measure import Report, compare_ways, gigaflops, read_report, report_text, validate
from course_utils.reports.model_card import write_cards
from course_utils.reports.ways import Start, start_from
from course_utils.shipped import SHIPPED, ShippedModel, record_text
from course_utils.weights import SHIPPED_WEIGHTS, build, categories_of

TINY_CLASSES = "resnet18"  # its categories are those of Tiny ImageNet, in order of their WordNet ids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the options of ``python -m course_utils checkpoint-report``."""
    parser.add_argument("--data", type=Path, help="Tiny ImageNet, as for pretrain (default: only write the cards)")
    parser.add_argument("--model", nargs="+", choices=SHIPPED, default=list(SHIPPED), help="which (default: all)")
    parser.add_argument("--checkpoint", type=Path, help="ship this file of pretrain for the one --model")
    parser.add_argument("--log", type=Path, nargs="+", help="its JSON lines, in order (default: beside the file)")
    parser.add_argument("--how", help="what the card should say besides the command: what came before this run")
    parser.add_argument("--cifar", type=Path, help="folder with CIFAR-10, to measure transfer on real pictures too")
    parser.add_argument(
        "--seeds", type=int, default=5, help="runs of each way of the comparison (default: 5; 0: it stays as it is)"
    )


@dataclass(frozen=True)
class Subject:
    """What is measured: the record of a model, the network itself, and what is to be written beside the record."""

    record: ShippedModel
    start: Start
    files: dict[str, bytes] = field(default_factory=dict)


def run(args: argparse.Namespace) -> int:
    """Measure, then write; nothing is written when measuring fails."""
    try:
        measured: list[tuple[Subject, Report]] = []
        if args.data:
            subjects, data = _subjects(args), tiny_imagenet.load(args.data)
            measured = [measure(subject, data, args) for subject in subjects]
    except (OSError, ValueError, CourseError) as error:
        print(f"checkpoint-report: {error}", file=sys.stderr)
        return 1
    for subject, report in measured:
        write(subject, report)
    records = SHIPPED | {subject.record.model: subject.record for subject, _ in measured}
    print("Wrote", ", ".join(write_cards(records, ROOT)))
    return 0


def _subjects(args: argparse.Namespace) -> list[Subject]:
    device = get_device()
    if args.checkpoint is None:
        return [Subject(SHIPPED[name], start_from(name, device)) for name in args.model]
    if len(args.model) > 1 or SHIPPED[args.model[0]].distribution:
        raise ValueError("--checkpoint needs one --model whose file lies in this repository, such as resnet18.")
    return [new_checkpoint(SHIPPED[args.model[0]], args, device)]


def new_checkpoint(record: ShippedModel, args: argparse.Namespace, device: torch.device) -> Subject:
    """Return the subject of a file that `pretrain` has written, which is to take the place of the shipped one."""
    state = read_weights(args.checkpoint)
    with safe_open(args.checkpoint, framework="pt") as file:
        recipe = json.loads((file.metadata() or {}).get("recipe", "{}"))
    logs = args.log or [args.checkpoint.with_suffix(".jsonl")]
    model = build(record.model, len(categories_of(record)))
    model.load_state_dict(state)
    content = args.checkpoint.read_bytes()
    record = replace(
        record,
        sha256=sha256(args.checkpoint),
        num_params=sum(parameter.numel() for parameter in model.parameters()),
        file_mib=round(len(content) / 2**20, 1),
        recipe=recipe | ({"how": args.how} if args.how else {}),
    )
    start = Start(record.model, model.eval(), SHIPPED_WEIGHTS[record.model].transforms(), device)
    log = b"".join(path.read_bytes() for path in logs)
    return Subject(record, start, {record.file: content, "log.jsonl": log})


def measure(subject: Subject, data: TinyImageNet, args: argparse.Namespace) -> tuple[Subject, Report]:
    """Return the subject with what was measured in its record, and the report."""
    record, start = subject.record, subject.start
    names = categories_of(SHIPPED[TINY_CLASSES])
    known = categories_of(record)
    top1, top5, by_class = validate(
        fast_copy(start.model), start.transform, data.val_images, data.val_labels, [known.index(name) for name in names]
    )
    print(f"{record.model}: top-1 {top1:.2%}, top-5 {top5:.2%}", flush=True)
    pictures = f"Tiny-ImageNet-200 (validation{', enlarged' if start.pixels > tiny_imagenet.PX else ''})"
    record = replace(
        record,
        gigaflops=round(gigaflops(start.model, start.pixels), 3),
        measured={pictures: {"acc@1": round(100 * top1, 2), "acc@5": round(100 * top5, 2)}},
    )
    by_name = {name: round(share, 4) for name, share in zip(names, by_class, strict=True)}
    return replace(subject, record=record), _report(record, start, by_name, args)


def _report(record: ShippedModel, start: Start, by_class: dict[str, float], args: argparse.Namespace) -> Report:
    file = record.folder / "report.json"
    if args.seeds == 0:
        known = read_report(file) if file.exists() else Report({}, {}, "", 0)
        return replace(known, by_class=by_class)
    samples: dict[str, Callable[[int, int], Pictures]] = {
        "drawn cats and dogs (`doodle_pets`)": lambda n, seed: doodle_pets(n, seed=seed, size=start.pixels)
    }
    if args.cifar:
        samples["photos of cats and dogs (CIFAR-10, enlarged)"] = _cifar_sample(args.cifar)
    transfer = {name: compare_ways(start, sample, range(args.seeds)) for name, sample in samples.items()}
    return Report(by_class, transfer, describe_device(start.device), args.seeds)


def write(subject: Subject, report: Report) -> None:
    """Write a model's folder: its record and report, and the new files where there are some."""
    folder = subject.record.folder
    for name, content in subject.files.items():
        write_whole(folder / name, lambda file, content=content: file.write_bytes(content))
    write_text(folder / "report.json", report_text(report))
    write_text(folder / "meta.json", record_text(subject.record))


def _cifar_sample(root: Path) -> Callable[[int, int], Pictures]:
    train, test = (cifar_cats_dogs(root, download=False, train=part) for part in (True, False))

    def sample(n: int, seed: int) -> Pictures:
        source = test if seed >= 900 else train
        order = torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))
        return source.subset(order[:n].tolist())

    return sample
