"""Draw the map of the house from the imports: ``docs/architecture.svg``.

    python -m course_utils.authoring.architecture             draw it again
    python -m course_utils.authoring.architecture --check     say whether the picture shows what the code imports

A room is a folder of ``course_utils``; the modules beside the folders, ``doodles/`` and ``plots/`` are the student's
floor, on which every room stands. A room stands above the rooms that it imports, and so does a module within the floor.
"""

import argparse
import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course_utils.authoring.lessons import require_repository
from course_utils.errors import CourseError
from course_utils.files import PACKAGE, ROOT, write_text

FLOOR = "floor"
ON_THE_FLOOR = ("doodles", "plots")  # folders, because they are long, but no rooms of their own
NO_ROOM = "assets"  # data, and a program that lesson 09 hands to the reader
DOORS = ("__init__", "__main__")  # they name modules and import none before it is asked for
PICTURE = ROOT / "docs" / "architecture.svg"

Graph = dict[str, set[str]]  # who imports whom


class ArchitectureError(CourseError, ValueError):
    """The imports go round in a circle; the message names it."""


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Return the file of every module below ``package``, by its dotted name without the package's own."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[0] == NO_ROOM:
            continue
        if parts[-1] == "__init__" and len(parts) > 1:
            parts = parts[:-1]
        names[".".join(parts)] = path
    return {name: path for name, path in names.items() if name not in DOORS}


def imports(package: Path = PACKAGE) -> Graph:
    """Return which modules of the package each of its modules imports, wherever in the file it does."""
    files = modules(package)
    return {name: {found for found in _imported(path, package.name, files)} for name, path in files.items()}


def _imported(path: Path, package: str, known: Mapping[str, Path]) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            candidates = [name if name.removeprefix(f"{package}.") in known else node.module for name in named]
        elif isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        else:
            continue
        for name in candidates:
            if name.startswith(f"{package}."):
                yield name.removeprefix(f"{package}.")


def room_of(module: str, package: Path = PACKAGE) -> str:
    """Return the room in which a module stands."""
    first = module.split(".")[0]
    return first if (package / first).is_dir() and first not in ON_THE_FLOOR else FLOOR


def rooms(graph: Graph, package: Path = PACKAGE) -> Graph:
    """Return which other rooms each room imports."""
    found: Graph = {FLOOR: set()}
    for module, targets in graph.items():
        here = room_of(module, package)
        found.setdefault(here, set()).update(room_of(target, package) for target in targets)
    return {room: targets - {room} for room, targets in found.items()}


def levels(graph: Graph) -> dict[str, int]:
    """Return how high each stands: 0 for one that imports nothing, else one above the highest that it imports.

    Raises ArchitectureError where the imports go round in a circle.
    """
    level: dict[str, int] = {}

    def climb(name: str, way: tuple[str, ...]) -> int:
        if name in way:
            circle = " imports ".join([*way[way.index(name) :], name])
            raise ArchitectureError(
                f"The imports go round in a circle: {circle}. Move what both need to a third module."
            )
        if name not in level:
            below = [climb(target, (*way, name)) for target in sorted(graph.get(name, ())) if target != name]
            level[name] = 1 + max(below, default=-1)
        return level[name]

    for name in sorted(graph):
        climb(name, ())
    return level


def essential(graph: Graph) -> Graph:
    """Leave out each arrow that another way says already: from A to C, where A imports B and B imports C."""

    def reach(name: str) -> set[str]:
        return set().union(graph.get(name, set()), *(reach(target) for target in graph.get(name, ())))

    return {
        name: {target for target in targets if not any(target in reach(other) for other in targets)}
        for name, targets in graph.items()
    }


# The picture --------------------------------------------------------------------------------------------------------

WIDTH, MARGIN, GAP, LINE, HEAD = 960, 16, 36, 22, 34
LETTER = 8.6  # how wide a letter is at most in 14px monospace, in the units of the picture
STYLE = """
  text { font: 14px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; }
  .name { font-weight: bold; font-size: 16px; }
  .room { fill: #eef4fb; stroke: #3b6ea5; stroke-width: 1.5; }
  .floor { fill: #f4f0e6; stroke: #8a6d1f; stroke-width: 1.5; }
  .paper { fill: #ffffff; }
  .arrow { stroke: #3b6ea5; stroke-width: 2; fill: none; }
  .tip { fill: #3b6ea5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .room { fill: #16263a; stroke: #79b0e8; }
    .floor { fill: #2b2512; stroke: #d8b455; }
    .paper { fill: #0d1117; }
    .arrow { stroke: #79b0e8; }
    .tip { fill: #79b0e8; }
  }
"""


@dataclass(frozen=True)
class Box:
    """A room in the picture: where it stands, and its lines of text under its name."""

    name: str
    x: float
    y: float
    width: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        """From the upper edge to the lower one."""
        return HEAD + LINE * len(self.lines) + 10

    @property
    def middle(self) -> float:
        """Halfway between the left and the right edge."""
        return self.x + self.width / 2


def shown_names(room: str, graph: Graph, package: Path = PACKAGE) -> list[str]:
    """Return what the picture lists in a room: its modules, and a folder in it as one name with a slash."""
    names = set()
    for module in graph:
        if room_of(module, package) == room and module != room:
            inside = module if room == FLOOR else module.removeprefix(f"{room}.")
            first = inside.split(".")[0]
            folder = package / (first if room == FLOOR else f"{room}/{first}")
            names.add(f"{first}/" if folder.is_dir() else first)
    return sorted(names)


def wrapped(names: Iterable[str], width: float) -> list[str]:
    """Set names in lines that fit into ``width``."""
    lines: list[str] = []
    for name in names:
        if lines and LETTER * (len(lines[-1]) + 2 + len(name)) <= width:
            lines[-1] += f"  {name}"
        else:
            lines.append(name)
    return lines


def floor_lines(graph: Graph, width: float, package: Path = PACKAGE) -> list[str]:
    """Return the floor's modules, each below all those that import it."""
    on_floor: Graph = {}
    for module, targets in graph.items():
        if room_of(module, package) == FLOOR:
            short = module.split(".")[0]
            on_floor.setdefault(short, set()).update(t.split(".")[0] for t in targets if room_of(t, package) == FLOOR)
    level = levels({name: targets - {name} for name, targets in on_floor.items()})
    lines = []
    for height in sorted(set(level.values()), reverse=True):
        row = sorted(name for name in level if level[name] == height)
        lines += wrapped([f"{name}/" if name in ON_THE_FLOOR else name for name in row], width)
    return lines


def towers(room_graph: Graph) -> list[list[str]]:
    """Return the rooms above the floor in groups that import nothing of each other, the largest first."""
    neighbours: Graph = {room: set() for room in room_graph if room != FLOOR}
    for room in neighbours:
        for target in room_graph[room] - {FLOOR}:
            neighbours[room].add(target)
            neighbours[target].add(room)
    groups: list[list[str]] = []
    for room in sorted(neighbours):
        if any(room in group for group in groups):
            continue
        group, waiting = set(), [room]
        while waiting:
            if (now := waiting.pop()) not in group:
                group.add(now)
                waiting += neighbours[now]
        groups.append(sorted(group))
    return sorted(groups, key=lambda group: (-len(group), group))


def boxes(graph: Graph, package: Path = PACKAGE) -> list[Box]:
    """Place every room: towers side by side, in each tower a row for each level, the floor under them all."""
    room_graph = rooms(graph, package)
    level = levels(room_graph)
    groups = towers(room_graph)
    widest = {height: [] for height in level.values() if height}
    share = (WIDTH - MARGIN * (len(groups) + 1)) / max(1, len(groups))
    y = MARGIN
    placed: list[Box] = []
    for height in sorted(widest, reverse=True):
        row: list[Box] = []
        for number, group in enumerate(groups):
            here = [room for room in group if level[room] == height]
            width = (share - MARGIN * (len(here) - 1)) / max(1, len(here))
            for place, room in enumerate(here):
                x = MARGIN + number * (share + MARGIN) + place * (width + MARGIN)
                lines = wrapped(shown_names(room, graph, package), width - 24)
                row.append(Box(room, x, y, width, tuple(lines)))
        placed += row
        y += max(box.height for box in row) + GAP
    lines = floor_lines(graph, WIDTH - 2 * MARGIN - 24, package)
    return [*placed, Box(FLOOR, MARGIN, y, WIDTH - 2 * MARGIN, tuple(lines))]


def described(graph: Graph, package: Path = PACKAGE) -> str:
    """Say the picture in words: which room stands on which."""
    sentences = []
    for room, targets in sorted(essential(rooms(graph, package)).items()):
        if targets:
            sentences.append(f"{room} stands on {' and '.join(sorted(targets))}")
    return f"The rooms of course_utils: {'; '.join(sentences)}."


def draw(graph: Graph, package: Path = PACKAGE) -> str:
    """Return the picture as SVG; the same imports give the same text."""
    placed = boxes(graph, package)
    by_name = {box.name: box for box in placed}
    height = placed[-1].y + placed[-1].height + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">',
        f"<title>{escape(described(graph, package))}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height:g}" rx="8"/>',
    ]
    for name, targets in sorted(essential(rooms(graph, package)).items()):
        parts += [_arrow(by_name[name], by_name[target]) for target in sorted(targets)]
    for box in placed:
        kind, title = ("floor", "the student's floor") if box.name == FLOOR else ("room", f"{box.name}/")
        parts.append(
            f'<rect class="{kind}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="8"/>'
        )
        parts.append(f'<text class="name" x="{box.x + 12:g}" y="{box.y + 24:g}">{escape(title)}</text>')
        for number, line in enumerate(box.lines):
            y = box.y + HEAD + LINE * number + 14
            parts.append(f'<text xml:space="preserve" x="{box.x + 12:g}" y="{y:g}">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _arrow(upper: Box, lower: Box) -> str:
    """From the middle of a room straight down, or at a slant where the other stands beside it."""
    start, end = upper.y + upper.height, lower.y
    x = upper.middle if lower.name == FLOOR else lower.middle
    tip = f"{x - 6:g},{end - 10:g} {x + 6:g},{end - 10:g} {x:g},{end:g}"
    line = f'<path class="arrow" d="M{upper.middle:g},{start:g} L{x:g},{end - 8:g}"/>'
    return f'{line}<polygon class="tip" points="{tip}"/>'


def main(arguments: list[str] | None = None) -> int:
    """Draw the picture, or check it; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.authoring.architecture", description="Draw docs/architecture.svg from the imports."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the picture is out of date")
    options = parser.parse_args(arguments)
    try:
        require_repository()
        picture = draw(imports())
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    if not options.check:
        write_text(PICTURE, picture)
        return 0
    if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == picture:
        print("The picture shows what the code imports.")
        return 0
    print("docs/architecture.svg is out of date: run python -m course_utils.authoring.architecture.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
