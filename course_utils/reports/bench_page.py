"""What `bench` has measured, and what is said about it: the file of results, the table, the figure, README's lines.

The file holds ``hardware``, ``torch``, ``weights``, ``settings``, and ``runs``: for each comparison and seed the list
of what was measured, as ``{"row", "accuracy", "seconds"}``. Everything that is written below is read from it.
"""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from course_utils.data import doodle_pets
from course_utils.files import write_text, write_whole
from course_utils.plots import MARKERS, PALETTE, STYLE
from course_utils.reports.ways import EVERYTHING, HEAD, SCRATCH

# The rows of the comparison "recipe", and those of the comparisons that have the name of a model. The comparisons by
# size ("50", "200", "500") have the three ways as rows.
FLOOR, CACHED, TUTORIAL = "one forward pass", "head, cached features", "head, the tutorial's recipe"
EAGER, FAST = "as torch runs it", "as the course runs it"

START, END = "<!-- Written by `make bench`: -->", "<!-- until here. -->"
TUTORIAL_PAGE = "https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html"


def read_results(path: Path, circumstances: dict) -> dict:
    """Return the file's results, or empty ones; results from other circumstances are a ValueError."""
    if not path.exists():
        return {**circumstances, "runs": []}
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        different = [
            name if isinstance(here, dict) else f"{name} ({results[name]} there, {here} here)"
            for name, here in circumstances.items()
            if results[name] != here
        ]
        if any(run.keys() != {"comparison", "seed", "measured"} for run in results["runs"]):
            raise ValueError("a run with other fields")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is no file of results; delete it, or give another --out.") from error
    if different:
        raise ValueError(
            f"{path.name} was measured with other {' and other '.join(different)}. What stands in one table has to be "
            "measured alike: delete the file, or give another --out."
        )
    return results


def comparisons(results: dict) -> list[str]:
    """The names of the comparisons that the file holds: "recipe", the models, then the sizes from small to large."""
    found = {run["comparison"] for run in results["runs"]}
    return sorted(found, key=lambda name: (name != "recipe", name.isdigit(), int(name) if name.isdigit() else 0, name))


def sizes_in(results: dict) -> list[str]:
    """The comparisons by the number of pictures."""
    return [name for name in comparisons(results) if name.isdigit()]


def values(results: dict, comparison: str, row: str, what: str) -> list:
    """Accuracy or seconds of one row, a number for each seed, in order of the seeds."""
    runs = sorted((run for run in results["runs"] if run["comparison"] == comparison), key=lambda run: run["seed"])
    return [line[what] for run in runs for line in run["measured"] if line["row"] == row]


def ratios(results: dict, comparison: str, row: str, other: str) -> list[float]:
    """How many times as long as ``other`` a row of the same comparison took, a number for each seed."""
    pairs = zip(values(results, comparison, row, "seconds"), values(results, comparison, other, "seconds"), strict=True)
    return [seconds / others for seconds, others in pairs]


def write_everything(results: dict, out: Path) -> list[str]:
    """Write the page and the figure beside the file of results, and README.md's lines where it has a place for them.

    Returns what was written, as paths from the folder of ``out``.
    """
    page, figure, readme = (
        out.with_suffix(".md"),
        out.parent / "figures" / f"{out.stem.lower()}.png",
        out.parent / "README.md",
    )
    link, written, alt = figure.relative_to(out.parent).as_posix(), [page.name], ""
    if sizes_in(results):
        alt = draw(results, figure)
        written.append(link)
    write_text(page, report(results, link, alt))
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    if alt and START in text and END in text:
        write_text(readme, put_into_readme(text, readme_section(link, page.name, alt)))
        written.append(readme.name)
    return written


def put_into_readme(readme: str, section: str) -> str:
    """Return the text of README.md with the lines between the two marks replaced."""
    before, rest = readme.split(START)
    return f"{before}{START}\n\n{section}\n\n{END}{rest.split(END)[1]}"


def readme_section(figure: str, page: str, alt: str) -> str:
    """What README.md shows of it: the figure with its text, and the way to all numbers."""
    return (
        f"![{alt}]({figure})\n\nEach way had a few epochs only, so that this is measured in minutes; with "
        "many more, training from scratch comes close to the head ([its model card](model_cards/resnet18.md)). "
        "Every number behind this picture, and the "
        f"command that measures it: [{page}]({page})."
    )


# The page -------------------------------------------------------------------------------------------------------


def report(results: dict, figure: str, alt: str) -> str:
    """Return the whole page: every comparison that has been measured, and how."""
    settings = results["settings"]
    parts = [
        "# What the course claims, measured",
        "<!-- Written by `make bench`; edit course_utils/reports/bench_page.py instead. -->",
        f"Drawn cats and dogs (`doodle_pets`), {settings['test pictures']} others to test on. The network is "
        f"ResNet-18; pre-trained means the weights that ship with the course ({results['weights']}). Accuracy and "
        "seconds are means over seeds, ± their standard deviation; each seed has training pictures of its own. "
        "Seconds count from the pictures in memory to the trained network, preprocessing included and testing not. "
        f"Measured with torch {results['torch']}; `make bench` measures it again, on your computer, and writes to "
        "`data/bench/`.",
    ]
    names, sizes = comparisons(results), sizes_in(results)
    passes = [name for name in names if name not in ("recipe", *sizes)]
    if "recipe" in names:
        parts += [
            f"## The head alone, in two ways, on {settings['recipe pictures']} pictures",
            _recipe_sentence(results),
            table(results, "recipe"),
            f"**{FLOOR.capitalize()}**: the frozen network over pictures that are tensors already, and nothing else. "
            f"**{CACHED.capitalize()}**: `extract_features`, then {settings['head epochs']} epochs of `fit_head`. "
            f"**{TUTORIAL.capitalize()}**: the settings of PyTorch's [transfer learning tutorial]({TUTORIAL_PAGE}) for "
            f"a frozen network, {settings['tutorial epochs']} epochs of forward and backward in batches of 4, without "
            "its passes over validation pictures. Its random crops, which may keep as little as 8% of a picture, its "
            "plain SGD and its BatchNorm in training mode differ too, so the accuracies are not the cache's doing "
            "alone. For each seed the first two take turns, "
            f"{settings['turns']} times, and the shortest run counts, since another program can only make one longer; "
            "the third, which takes minutes, follows once. A ratio compares only runs of the same seed.",
        ]
    if passes:
        parts += [
            f"## One forward pass over {settings['pass pictures']} pictures",
            "Preprocessed already. As torch runs it means `model(batch)`; as the course runs it means `fast_copy`, the "
            "making of the copy included: BatchNorm folded into the convolutions, channels last. The answers are the "
            "same up to rounding. The two take turns, and the shortest run of each counts.",
        ]
    for name in passes:
        faster = ratios(results, name, EAGER, FAST)
        parts += [
            f"### {name}",
            f"**{statistics.median(faster):.2f} times** as many pictures a second ({_range(faster, '.2f')}).",
            table(results, name),
        ]
    if sizes:
        parts += [
            "## Three ways, by the number of pictures",
            f"![{alt}]({figure})",
            f"From scratch and fine-tuning are `fine_tune` with a learning rate of {settings['learning rate']:g}, "
            "flips and random crops. Their epochs were chosen so that the measuring ends in minutes. With more of them "
            "both get better and slower, and training from scratch gains most. Each seed runs once here; above, the "
            "shortest of several runs counts, so the same head takes fewer seconds there.",
        ]
    for name in sizes:
        scratch, everything = (settings["epochs"][way][name] for way in (SCRATCH, EVERYTHING))
        epochs = f"Epochs: {scratch} from scratch, {settings['head epochs']} of the head, {everything} of everything."
        parts += [f"### {name} pictures", table(results, name), epochs]
    return "\n\n".join(parts) + "\n"


def table(results: dict, comparison: str) -> str:
    """Return one comparison as a Markdown table: row, accuracy, seconds, hardware, command."""
    rows = [line["row"] for run in results["runs"] if run["comparison"] == comparison for line in run["measured"]]
    lines = ["| row | accuracy | seconds | hardware | command |", "|---|--:|--:|---|---|"]
    for row in dict.fromkeys(rows):
        seconds = values(results, comparison, row, "seconds")
        accuracies = values(results, comparison, row, "accuracy")
        accuracy = "learns nothing" if None in accuracies else _with_spread(accuracies, ".1%")
        command = f"`python -m course_utils bench --rows {comparison} --seeds {len(seconds)}`"
        lines.append(f"| {row} | {accuracy} | {_with_spread(seconds, '.1f')} | {results['hardware']} | {command} |")
    return "\n".join(lines)


def _recipe_sentence(results: dict) -> str:
    slower, above = ratios(results, "recipe", TUTORIAL, CACHED), ratios(results, "recipe", CACHED, FLOOR)
    accuracies = zip(*(values(results, "recipe", row, "accuracy") for row in (CACHED, TUTORIAL)), strict=True)
    ahead = [100 * (cached - tutorial) for cached, tutorial in accuracies]
    return (
        f"The tutorial's recipe took **{statistics.median(slower):.1f} times** as long as the head on cached features "
        f"({_range(slower, '.1f')}). In accuracy the cached way differs from it by "
        f"{statistics.fmean(ahead):+.1f} points (by seed: {', '.join(f'{gain:+.1f}' for gain in ahead)}). "
        f"The cached way took **{statistics.median(above):.2f} times** as long as one forward pass "
        f"({_range(above, '.2f')})."
    )


def _with_spread(numbers: Sequence[float], form: str) -> str:
    return f"{statistics.fmean(numbers):{form}} ± {_spread(numbers):{form}}"


def _spread(numbers: Sequence[float]) -> float:
    """Standard deviation over the seeds."""
    return statistics.stdev(numbers) if len(numbers) > 1 else 0.0


def _range(numbers: Sequence[float], form: str) -> str:
    return f"median of {len(numbers)} seeds, from {min(numbers):{form}} to {max(numbers):{form}}"


# The figure -----------------------------------------------------------------------------------------------------


def draw(results: dict, path: Path) -> str:
    """Draw accuracy against seconds, beside some of the pictures, into ``path``; return the text that says it."""
    sizes = sizes_in(results)
    spoken = []
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = fig.subfigures(1, 2, squeeze=False, width_ratios=[1, 1.5])[0]
        _draw_pets(left.subplots(4, 4))
        ax = right.subplots()
        for number, row in enumerate((HEAD, EVERYTHING, SCRATCH)):
            seconds = [statistics.fmean(values(results, size, row, "seconds")) for size in sizes]
            accuracies = [values(results, size, row, "accuracy") for size in sizes]
            means = [statistics.fmean(numbers) for numbers in accuracies]
            look = {"color": PALETTE[number], "marker": MARKERS[number], "ms": 8, "mec": "black", "capsize": 3}
            spreads = [_spread(numbers) for numbers in accuracies]
            shortest = [min(values(results, size, row, "seconds")) for size in sizes]
            longest = [max(values(results, size, row, "seconds")) for size in sizes]
            xerr = [
                [mean - low for mean, low in zip(seconds, shortest, strict=True)],
                [high - mean for mean, high in zip(seconds, longest, strict=True)],
            ]
            ax.errorbar(seconds, means, yerr=spreads, xerr=xerr, label=row, **look)
            for size, x, y in zip(sizes, seconds, means, strict=True):
                ax.annotate(size, (x, y), (7, -12), textcoords="offset points", fontsize=9)
            spoken.append(f"{row} {means[-1]:.0%} in about {seconds[-1]:.{0 if seconds[-1] > 10 else 1}f} seconds")
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
        ax.yaxis.set_major_formatter(lambda share, _position: f"{100 * share:g}%")
        ax.margins(0.12, 0.12)
        ax.grid(alpha=0.3)
        ax.set(xlabel="seconds of training", ylabel="accuracy on other pictures")
        ax.legend(frameon=False, fontsize=9, title="small numbers: training pictures", title_fontsize=9)
        path.parent.mkdir(exist_ok=True)
        look = {"format": "png", "dpi": 110, "facecolor": "white", "metadata": {"Software": None}}
        write_whole(path, lambda partial: fig.savefig(partial, **look))
    return (
        "Left: sixteen drawn cats and dogs. Right: accuracy against seconds of training, for three ways to teach "
        f"a network to tell them apart. With {sizes[-1]} pictures: {', '.join(spoken)} ({results['hardware']})."
    )


def _draw_pets(axes: np.ndarray) -> None:
    """Fill a square of axes: cats in its left half, dogs in its right half."""
    pets = doodle_pets(axes.size, size=128)
    by_kind = sorted(range(len(pets)), key=lambda index: pets.labels[index])
    for ax, index in zip(axes.T.ravel(), by_kind, strict=True):
        ax.imshow(pets.images[index])
        ax.axis("off")
    for ax in axes[0]:
        ax.set_title("cat" if ax in axes[0, : axes.shape[1] // 2] else "dog", fontsize=10)
