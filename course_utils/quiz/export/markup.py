"""The texts of a question as HTML that every format can carry: p, pre, code, strong, em and br, nothing else."""

import re
from html import escape

from course_utils.quiz.question import Option, Question, lettered


def inline(markdown: str) -> str:
    """One paragraph of Markdown as HTML: `code`, **bold** and *italic*."""
    parts = re.split(r"(`[^`]+`)", markdown)
    return "".join(
        f"<code>{escape(part[1:-1], quote=False)}</code>" if part.startswith("`") and len(part) > 2 else _prose(part)
        for part in parts
    )


def _prose(text: str) -> str:
    text = escape(" ".join(text.split("\n")), quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])", r"<em>\1</em>", text)


def paragraphs(markdown: str) -> str:
    """Markdown with blank lines between its paragraphs as HTML."""
    return "".join(f"<p>{inline(text.strip())}</p>" for text in re.split(r"\n\s*\n", markdown) if text.strip())


def listing(code: str, numbered: bool = False) -> str:
    """Code as HTML on one line, its line ends as <br/>; with the numbers of the lines where they are asked for."""
    lines = code.splitlines()
    if numbered:
        lines = [f"{number:2d}  {line}".rstrip() for number, line in enumerate(lines, start=1)]
    # A space at the start of a line survives in <pre>, and a tab does not survive everywhere.
    return f"<pre>{'<br/>'.join(escape(line.expandtabs(4), quote=False) for line in lines)}</pre>"


def stem(question: Question) -> str:
    """Everything above the options: the prompt, the code, and the unit of a number."""
    html = paragraphs(question.prompt)
    if question.code:
        html += listing(question.code, numbered=question.kind == "line")
    if question.unit:
        html += f"<p>Unit: {inline(question.unit)}</p>"
    return html


def shown(question: Question) -> list[Option]:
    """The options in the order in which they are shown. Platforms number them by themselves."""
    return [option for _, option in lettered(question)] or list(question.options)


def option_html(question: Question, option: Option) -> str:
    """What an option says; for a line of code, its number and the line."""
    if option.line is not None:
        line = question.code.splitlines()[option.line - 1].strip()
        return f"Line {option.line}: <code>{escape(line, quote=False)}</code>"
    if "\n" in option.code:
        return listing(option.code)
    return f"<code>{escape(option.code, quote=False)}</code>" if option.code else inline(option.text)


def reasons(question: Question) -> str:
    """The feedback of every step as paragraphs, for formats that cannot tie it to a step of an order."""
    return "".join(
        f"<p>{option_html(question, option)}: {inline(option.feedback)}</p>"
        for option in question.options
        if option.feedback
    )


def number(value: float) -> str:
    """A number without an exponent and without a needless ".0"."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text if text != "-0" else "0"
