"""What a marked class came to: a table for a spreadsheet, JSON, and a summary for the terminal and as a picture."""

import csv
import io
import json
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from course_utils.files import write_text, write_whole
from course_utils.marking.results import Record
from course_utils.marking.spreadsheet import no_formula

WIDTH = 40  # characters of the longest bar


def as_csv(records: Sequence[Record], maximum: float) -> str:
    """One line a student. Where no score would be fair, the field is empty, never 0."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ["student", "assignment", "status", "score", "max_score", "points_found", "reason", "next_step", "notes"]
    )
    for record in records:
        score = "" if record.score is None else f"{record.score:g}"
        row = [record.student, record.assignment, record.status, score, f"{maximum:g}", f"{record.earned:g}"]
        writer.writerow([no_formula(text) for text in [*row, record.reason, record.next_step, " ".join(record.notes)]])
    return stream.getvalue()


def as_json(records: Sequence[Record], maximum: float) -> str:
    """Everything that is known of each submission."""
    rows = [
        {**record.to_json(), "score": record.score, "earned": record.earned, "max_score": maximum,
         "next_step": record.next_step}
        for record in records
    ]  # fmt: skip
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def write_csv(path: Path, records: Sequence[Record], maximum: float) -> None:
    """Write `as_csv` whole, or not at all."""
    write_text(path, as_csv(records, maximum))


def write_json(path: Path, records: Sequence[Record], maximum: float) -> None:
    """Write `as_json` whole, or not at all."""
    write_text(path, as_json(records, maximum))


def distribution(scores: Sequence[float], maximum: float, bins: int = 10) -> list[int]:
    """How many scores lie in each of the equal parts of 0 to the maximum; the maximum belongs to the last."""
    counts = [0] * bins
    for score in scores:
        counts[min(bins - 1, int(bins * score / maximum)) if maximum else 0] += 1
    return counts


def items(records: Sequence[Record]) -> list[tuple[str, float, float | None]]:
    """For each test cell: its name, its difficulty and its discrimination.

    Difficulty is the mean share of the points, 0 (nobody) to 1 (everybody); discrimination the correlation of that
    share with the points of all other cells, -1 to 1, None where either does not vary.
    """
    scored = [record for record in records if record.score is not None]
    names = list(dict.fromkeys(cell.grade_id for record in scored for cell in record.cells))
    found = []
    for name in names:
        shares, others = [], []
        for record in scored:
            cell = next((cell for cell in record.cells if cell.grade_id == name), None)
            if cell is not None and cell.earned is not None:
                shares.append(cell.earned / cell.maximum if cell.maximum else 0.0)
                others.append(record.earned - cell.earned)
        if shares:
            found.append((name, statistics.fmean(shares), _correlation(shares, others)))
    return found


def _correlation(one: list[float], other: list[float]) -> float | None:
    try:
        return statistics.correlation(one, other)
    except statistics.StatisticsError:
        return None


def as_text(records: Sequence[Record], maximum: float) -> str:
    """The summary for a terminal."""
    lines = [f"{len(records)} submissions"]
    statuses = Counter(record.status for record in records)
    lines += [f"  {count:5} {status}" for status, count in statuses.most_common()]
    scores = [record.score for record in records if record.score is not None]
    if scores:
        lines.append(
            f"\nPoints of {maximum:g}: mean {statistics.fmean(scores):.1f}, median {statistics.median(scores):.1f}"
        )
        counts = distribution(scores, maximum)
        for number, count in enumerate(counts):
            low, high = maximum * number / len(counts), maximum * (number + 1) / len(counts)
            bar = "#" * max(round(WIDTH * count / max(counts)), int(count > 0))
            lines.append(f"  {low:5.1f} to {high:5.1f} {count:5} {bar}")
    if rows := items(records):
        lines.append("\nTest cell                      difficulty  discrimination")
        for name, difficulty, discrimination in rows:
            told = "    -" if discrimination is None else f"{discrimination:5.2f}"
            lines.append(f"  {name:30} {difficulty:8.2f} {told:>14}")
    slowest = sorted(
        ((cell.seconds, cell.grade_id, record.student) for record in records for cell in record.cells), reverse=True
    )[:3]
    if slowest and slowest[0][0] >= 1:
        lines.append("\nSlowest cells")
        lines += [f"  {seconds:6.1f} s {name}, {student}" for seconds, name, student in slowest]
    if open_ones := [record for record in records if not record.status.is_final]:
        lines.append("\nTo look at")
        for record in open_ones:
            lines.append(f"  {record.student}: {record.status}. {record.reason} {record.next_step}")
    return "\n".join(lines)


def write_picture(path: Path, records: Sequence[Record], maximum: float) -> None:
    """Draw the distribution of the points as a PNG."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    scores = [record.score for record in records if record.score is not None]
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    counts = distribution(scores, maximum)
    width = maximum / len(counts)
    axes.bar([width * (number + 0.5) for number in range(len(counts))], counts, width=0.9 * width)
    axes.set(xlabel=f"points of {maximum:g}", ylabel="submissions", xlim=(0, maximum))
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    write_whole(path, lambda partial: figure.savefig(partial, format="png", dpi=120))
