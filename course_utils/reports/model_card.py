"""The model cards: what is known and measured of each model that ships with the course, in words, tables and a figure.

A card is made of three files in the model's folder and of nothing else: its record ``meta.json``, the ``report.json``
of `checkpoint-report`, and the ``log.jsonl`` of a training that took place here. The last two can be missing.
"""

import json
import statistics
from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure

from course_utils.files import write_text, write_whole
from course_utils.plots import PALETTE
from course_utils.pretraining.recipe import Recipe
from course_utils.reports.measure import TEST_PICTURES, TRAINING_PICTURES, WAYS, Report, Result, read_report
from course_utils.reports.ways import EVERYTHING, HEAD, SCRATCH
from course_utils.shipped import ShippedModel

WRITTEN = "<!-- Written by `make checkpoint-report`; edit course_utils/reports/model_card.py instead. -->"
REAL_PICTURES_MISSING = "Photos (CIFAR-10) are measured with `--cifar DIR`; they were not at hand for this card."
BEST_AND_WORST = 10


def write_cards(records: dict[str, ShippedModel], root: Path) -> list[str]:
    """Write ``MODEL_CARD.md``, ``model_cards/`` and the learning curves; return the paths, from ``root``."""
    (root / "model_cards").mkdir(exist_ok=True)
    (root / "figures").mkdir(exist_ok=True)
    written = ["MODEL_CARD.md"]
    write_text(root / "MODEL_CARD.md", index(records))
    for record in records.values():
        name = f"model_cards/{record.model}.md"
        write_text(root / name, card(record))
        written.append(name)
        if log := read_log(record):
            written.append(curve_of(record))
            draw_learning_curve(log, root / curve_of(record))
    return written


def read_log(record: ShippedModel) -> list[dict]:
    """The lines that `pretrain` wrote, one for each epoch; none for a model that was trained elsewhere."""
    file = record.folder / "log.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def curve_of(record: ShippedModel) -> str:
    """Where the learning curve lies, from the root of the repository."""
    return f"figures/learning_curve_{record.model}.png"


# The pages ------------------------------------------------------------------------------------------------------


def index(records: dict[str, ShippedModel]) -> str:
    """Return ``MODEL_CARD.md``: a line for each model."""
    rows = [
        f"| [{record.title}](model_cards/{record.model}.md) | `{_call(record)}` | "
        f"{record.preset.crop_size} x {record.preset.crop_size} | {record.num_params:,} | {record.file_mib} MiB, "
        f"{record.comes_with} | {record.license} |"
        for record in records.values()
    ]
    table = ["| model | how to load it | pixels | parameters | file | licence |", "|---|---|---|--:|---|---|", *rows]
    return "\n\n".join(["# Models that come with the course", WRITTEN, "\n".join(table)]) + "\n"


def card(record: ShippedModel) -> str:
    """Return the model card of one model."""
    report_file, log = record.folder / "report.json", read_log(record)
    report = read_report(report_file) if report_file.exists() else None
    sections = [
        f"# Model card: {record.title}",
        WRITTEN,
        f"`{record.member}`: {record.network}, {record.num_params:,} parameters, in a file of {record.file_mib} MiB, "
        f"{record.comes_with}. `{_call(record)}` loads it.",
        accuracy_table(record),
        f"## What it is for, and what it is bad at\n\n{record.limits}",
        f"## Data\n\n{record.training_data}\n\nThe weights: {record.license}",
        _recipe_section(record, log),
    ]
    if report:
        sections += [_class_section(report)] if report.by_class else []
        sections += [_transfer_section(report)] if report.transfer else []
    return "\n\n".join(sections) + "\n"


def _call(record: ShippedModel) -> str:
    return f'load_pretrained("{record.model}", "course")'


def accuracy_table(record: ShippedModel) -> str:
    """Return top-1 and top-5, those that the authors published apart from those measured here, and the operations."""
    words = {"acc@1": "top-1", "acc@5": "top-5"}
    rows = [
        f"| {words[metric]} on {pictures}, {source} | {value:.2f} % |"
        for source, metrics in (("published by its authors", record.published), ("measured here", record.measured))
        for pictures, values in metrics.items()
        for metric, value in values.items()
    ]
    return "\n".join(
        ["| | |", "|---|--:|", *rows, f"| billions of multiply-adds for a picture | {record.gigaflops:.3f} |"]
    )


def _recipe_section(record: ShippedModel, log: list[dict]) -> str:
    if not log:
        return f"## Where it comes from\n\n{record.source}"
    recipe = dict(record.recipe)
    how = f" {recipe.pop('how')}" if "how" in recipe else ""  # tells of what came before the command
    settings = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in recipe.items())
    hardware = " and ".join(sorted({line.get("device", "unknown") for line in log}))
    hours = sum(line["seconds"] for line in log) / 3600
    said = learning_curve_in_words(log)
    return f"""## Recipe

{command(recipe)}

{hours:.1f} hours by the clock on {hardware}.{how}
Files that a run starts from or learns from are not shipped; `make checkpoint` trains one like it without them.

| setting | value |
|---|---|
{settings}

![{said}](../{curve_of(record)})

{said}"""


def command(recipe: dict) -> str:
    """The command line of a recipe: the settings that are not the defaults, and those that matter most."""
    sizes = ",".join(f"{px}:{epochs}" for px, epochs in recipe["sizes"])
    options = {"sizes": sizes, "lr": recipe["lr"], "batch_size": recipe["batch_size"], "seed": recipe["seed"]}
    defaults = asdict(Recipe())
    derived = ("sizes", "processes")  # torchrun sets the number of processes
    options |= {
        name: value
        for name, value in recipe.items()
        if name in defaults and name not in derived and value != defaults[name]
    }
    flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
    return f"    python -m course_utils pretrain --data DIR --out {recipe['model']}.safetensors {flags}"


def _class_section(report: Report) -> str:
    median = statistics.median(report.by_class.values())
    return (
        f"## Accuracy by class, measured here\n\n{class_table(report.by_class, BEST_AND_WORST)}\n\n"
        f"The median class reaches {median:.0%}."
    )


def class_table(by_class: dict[str, float], count: int) -> str:
    """Return a Markdown table of the ``count`` best and worst classes."""
    order = sorted(by_class, key=lambda name: -by_class[name])
    rows = [
        f"| {best} | {by_class[best]:.0%} | {worst} | {by_class[worst]:.0%} |"
        for best, worst in zip(order[:count], reversed(order[-count:]), strict=True)
    ]
    return "\n".join(["| best | top-1 | worst | top-1 |", "|---|--:|---|--:|", *rows])


def _transfer_section(report: Report) -> str:
    epochs = {way.name: way.epochs for way in WAYS}
    rates = {way.name: ", ".join(f"{rate:g}" for rate in way.learning_rates) for way in WAYS}
    tables = [f"### {name[0].upper()}{name[1:]}\n\n{transfer_table(rows)}" for name, rows in report.transfer.items()]
    if len(tables) == 1:
        tables.append(REAL_PICTURES_MISSING)
    return f"""## What it is worth for another task

{TRAINING_PICTURES} labelled pictures of cats and dogs, {TEST_PICTURES} others to test on, the same network each time;
mean and standard deviation of {report.seeds} seeds, each with its own training pictures. Seconds include preprocessing,
on {report.device}. From scratch means random weights, {epochs[SCRATCH]} epochs; head only means one pass over the
pictures and {epochs[HEAD]} epochs on the features; fine-tuning everything means {epochs[EVERYTHING]} epochs.
From scratch and fine-tuning use AdamW with warm-up and cosine, flips and random crops; their learning rates were
chosen among {rates[SCRATCH]} and {rates[EVERYTHING]} on pictures that are used for nothing else.

""" + "\n\n".join(tables)


def transfer_table(results: list[Result]) -> str:
    """Return a Markdown table of `measure.compare_ways`."""
    rows = [f"| {r.way} | {r.accuracy:.1%} ± {r.spread:.1%} | {r.seconds:.1f} | {r.lr:g} |" for r in results]
    return "\n".join(["| way | accuracy | seconds | learning rate |", "|---|--:|--:|--:|", *rows])


# The figure -----------------------------------------------------------------------------------------------------


def learning_curve_in_words(log: list[dict]) -> str:
    """Say what `draw_learning_curve` shows."""
    return (
        f"Validation accuracy over {len(log)} epochs: top-1 rises from {log[0]['top1']:.0%} to {log[-1]['top1']:.0%}, "
        f"top-5 from {log[0]['top5']:.0%} to {log[-1]['top5']:.0%}; "
        f"sides of the pictures: {', '.join(str(px) for px in sorted({line['px'] for line in log}))} px."
    )


def draw_learning_curve(log: list[dict], path: Path) -> None:
    """Draw top-1 and top-5 over the epochs, on a ground that is darker where the pictures are larger, into ``path``."""
    epochs = range(1, len(log) + 1)
    fig = Figure(figsize=(7.5, 3.5), layout="constrained")
    axes = fig.subplots()
    axes.plot(epochs, [100 * line["top1"] for line in log], color=PALETTE[0], marker="o", label="top-1")
    axes.plot(epochs, [100 * line["top5"] for line in log], color=PALETTE[1], marker="s", label="top-5")
    sizes = sorted({line["px"] for line in log})
    for line, epoch in zip(log, epochs, strict=True):
        shade = 0.04 + 0.08 * sizes.index(line["px"])
        axes.axvspan(epoch - 0.5, epoch + 0.5, color="black", alpha=shade, linewidth=0)
    changes = [at for at, line in enumerate(log) if at == 0 or line["px"] != log[at - 1]["px"]]
    for number, at in enumerate(changes):
        axes.text(at + 0.55, 8 if number % 2 else 2, f"{log[at]['px']} px", fontsize=9)
    axes.set(xlabel="epoch", ylabel="validation accuracy in %", ylim=(0, 100), xlim=(0.5, len(log) + 0.5))
    axes.legend(loc="upper left")
    write_whole(path, lambda partial: fig.savefig(partial, format="png", dpi=110, metadata={"Software": None}))
