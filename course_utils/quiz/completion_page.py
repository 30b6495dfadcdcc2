"""The completion record as a page: one file, to read on a screen and to print."""

from html import escape

from course_utils.quiz.completion_record import DOES_NOT_PROVE, FILE, PROVES, LessonCount, Signed

COLUMNS = ("Lesson", "Questions", "Answered", "Right", "Right at the first try", "Results to guess", "Guessed")
STYLE = """
  body { font: 1rem/1.5 Georgia, "Times New Roman", serif; color: #1a1a1a; background: #ffffff;
         max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
  h1, .name { text-align: center; }
  .name { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
  .table { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; }
  caption { text-align: left; font-weight: bold; }
  th, td { border-bottom: 1px solid #767676; padding: 0.2rem 0.5rem; text-align: right; vertical-align: bottom; }
  th:first-child { text-align: left; }
  tfoot { font-weight: bold; }
  code { overflow-wrap: anywhere; }
  @page { margin: 2cm; }
  @media print {
    body { font-size: 10pt; margin: 0; max-width: none; }
    h2 { break-after: avoid; }
    tr { break-inside: avoid; }
  }
"""


def page(signed: Signed) -> str:
    """Return the record as a complete HTML page that loads nothing."""
    record = signed.record
    name = escape(record.name)
    head = "".join(f'<th scope="col">{title}</th>' for title in COLUMNS)
    rows = "\n".join(_row(lesson) for lesson in record.lessons)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Completion record of {name}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Completion record</h1>
<p class="name"><bdi>{name}</bdi></p>
<p>Course on pre-trained vision models with PyTorch and torchvision. Counted on <time>{escape(record.date)}</time>, by
the clock of the student's computer.</p>
<div class="table" role="region" aria-label="Counts by lesson" tabindex="0">
<table>
<caption>Practice questions and guesses, by lesson</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
<tfoot>{_row(record.total)}</tfoot>
</table>
</div>
<h2>What this proves</h2>
<p>{escape(PROVES)}</p>
<h2>What this does not prove</h2>
<p>{escape(DOES_NOT_PROVE)}</p>
<h2>How to check it</h2>
<p>This page can be edited by anybody; its file <code>{FILE}.json</code> is what is signed. With the course installed,
run <code>python -m course_utils certificate --check {FILE}.json</code> and compare what it says with this page.</p>
<p>Key: <code>{signed.fingerprint}</code>. Signature (Ed25519): <code>{escape(signed.signature)}</code>. SHA-256 of the
file of answers, as <code>save_progress()</code> writes it: <code>{escape(record.answers_sha256)}</code>.</p>
</main>
</body>
</html>
"""


def _row(lesson: LessonCount) -> str:
    numbers = (
        lesson.questions,
        lesson.answered,
        lesson.right,
        lesson.right_at_first_try,
        lesson.predictions,
        lesson.guesses,
    )
    cells = "".join(f"<td>{number}</td>" for number in numbers)
    return f'<tr><th scope="row">{escape(lesson.lesson.replace("_", " "))}</th>{cells}</tr>'
