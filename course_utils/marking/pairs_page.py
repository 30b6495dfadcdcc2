"""The report on similar submissions as one HTML page: pairs side by side, to be looked at by a person."""

from collections.abc import Iterator, Mapping
from html import escape

from course_utils.marking.pairs import Answers, Comparison, Pair

AROUND = 2  # lines that are shown before and behind those that a pair shares
NO_PROOF = (
    "Similarity is no proof. Students who learn together, a page that several have read, or a task with one natural "
    "answer make similar code too. Read both sides, and talk with the students before you decide anything."
)
STYLE = """
  body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #ffffff; margin: 1rem auto; max-width: 90rem;
         padding: 0 1rem; }
  .sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 1rem; }
  pre { overflow-x: auto; border: 1px solid #767676; padding: 0.5rem; margin: 0; font-size: 0.85rem; }
  mark { background: #fff1b8; color: inherit; }
  table { border-collapse: collapse; }
  caption { text-align: left; font-weight: bold; }
  th, td { border-bottom: 1px solid #767676; padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; }
  h2, h3, td, th { overflow-wrap: anywhere; }
  @media print { section { break-before: page; } pre { white-space: pre-wrap; } }
"""


def page(title: str, comparison: Comparison, left_out: Mapping[str, str]) -> str:
    """Return the report as a complete page that loads nothing. What students wrote is shown as text."""
    rows = "\n".join(
        f'<tr><td>{pair.score:.2f}</td><td><a href="#pair-{number}">{escape(pair.one.student)} and '
        f"{escape(pair.other.student)}</a></td></tr>"
        for number, pair in enumerate(comparison.pairs, start=1)
    )
    table = (
        '<table><caption>The closest pairs</caption><thead><tr><th scope="col">Score</th>'
        f'<th scope="col">Students</th></tr></thead><tbody>\n{rows}\n</tbody></table>'
        if rows
        else "<p>No two submissions share anything unusual.</p>"
    )
    sections = "\n".join(_section(number, pair) for number, pair in enumerate(comparison.pairs, start=1))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Similar submissions of {escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Similar submissions of {escape(title)}</h1>
<p><strong>{NO_PROOF}</strong></p>
<p>{comparison.submissions} submissions were compared. A score of 1 means that the shorter of the two consists
of code that hardly anybody else wrote, and the longer one has all of it; the pair in the middle of all pairs has
{comparison.median:.2f}. Names, comments, texts and layout do not count, nor what every student was given; what many
wrote counts little, and so does what the reference solution has.</p>
{table}
{sections}
{_not_compared(left_out)}
</main>
</body>
</html>
"""


def _not_compared(left_out: Mapping[str, str]) -> str:
    if not left_out:
        return ""
    items = "\n".join(f"<li>{escape(student)}: {escape(reason)}</li>" for student, reason in left_out.items())
    return f"<h2>Not compared</h2>\n<ul>\n{items}\n</ul>"


def _section(number: int, pair: Pair) -> str:
    names = f"{escape(pair.one.student)} and {escape(pair.other.student)}"
    return (
        f'<section id="pair-{number}">\n<h2>{number}. {names}: {pair.score:.2f}</h2>\n<div class="sides">\n'
        f"{_side(pair.one, pair.shared)}\n{_side(pair.other, pair.shared)}\n</div>\n</section>"
    )


def _side(answers: Answers, shared: frozenset[int]) -> str:
    text = "\n".join(_lines(answers, shared)) or "(what the two share, many others have as well)"
    name = escape(answers.student, quote=True)
    return f'<div><h3>{name}</h3><pre tabindex="0" aria-label="Code of {name}">{text}</pre></div>'


def _lines(answers: Answers, shared: frozenset[int]) -> Iterator[str]:
    """The lines that hold something shared, behind a bar, with a few lines around them."""
    marked: dict[int, set[int]] = {}
    for fingerprint in shared:
        for cell, place in answers.places[fingerprint]:
            marked.setdefault(cell, set()).update(range(place.first, place.last + 1))
    for cell in sorted(marked):
        yield f"<strong>{escape(answers.cells[cell].name or 'a cell of their own')}</strong>"
        lines = answers.cells[cell].source.splitlines()
        shown = {near for line in marked[cell] for near in range(line - AROUND, line + AROUND + 1)}
        last = -1
        for number in sorted(shown & set(range(len(lines)))):
            if number > last + 1:
                yield "  ..."
            text = escape(lines[number][:500])
            yield f"<mark>┃ {text}</mark>" if number in marked[cell] else f"  {text}"
            last = number
        if last + 1 < len(lines):
            yield "  ..."
