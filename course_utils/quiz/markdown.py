"""The Markdown of questions, read once and shown everywhere: as HTML, as plain text, and as Markdown for a notebook.

CommonMark and tables; raw HTML is text like any other. `to_html` serves buttons and exports, `to_text` what is
printed, and `for_notebook` the cells and outputs that Jupyter renders by itself.
"""

import re
import textwrap
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

WIDTH = 88  # characters in a line of printed text

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table")


def to_html(markdown: str) -> str:
    """Return HTML on one line that is also XML: p, pre, ul, table, code, strong, em, a and the like."""
    tokens = _MARKDOWN.parse(markdown)
    for token in [inner for block in tokens for inner in (block, *(block.children or []))]:
        for attribute in ("style", "title"):  # which QTI does not know
            token.attrs.pop(attribute, None)
    return _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}).replace("\n", "")


def inline_html(markdown: str) -> str:
    """Return the HTML of one paragraph without its <p>, so that it fits into a line; other Markdown as `to_html`."""
    html = to_html(markdown)
    return html.removeprefix("<p>").removesuffix("</p>") if is_paragraph(markdown) else html


def code_html(code: str, numbered: bool = False) -> str:
    """Return code as HTML on one line, its line ends as <br/>; with the numbers of the lines where asked for."""
    lines = numbered_lines(code) if numbered else code.splitlines()
    # A space at the start of a line survives in <pre>, and a tab does not survive everywhere.
    return f"<pre>{'<br/>'.join(escape(line.expandtabs(4)) for line in lines)}</pre>"


def numbered_lines(code: str) -> list[str]:
    """Return the lines of code, each behind its number."""
    return [f"{number:2d}  {line}".rstrip() for number, line in enumerate(code.splitlines(), start=1)]


def is_paragraph(markdown: str) -> bool:
    """Whether this is one paragraph of words, and no list, table, code block or second paragraph."""
    blocks = SyntaxTreeNode(_MARKDOWN.parse(markdown)).children
    return [block.type for block in blocks] in ([], ["paragraph"])


def led_by(words: str, markdown: str) -> str:
    """Return words and Markdown one behind the other, in one line where the Markdown begins with a paragraph."""
    blocks = SyntaxTreeNode(_MARKDOWN.parse(markdown)).children
    between = " " if not blocks or blocks[0].type == "paragraph" else "\n\n"
    return f"{words}{between}{markdown}".strip()


def for_notebook(markdown: str) -> str:
    """Return Markdown that Jupyter shows as `to_html` does: what looks like a tag is escaped, outside of code."""
    lines = markdown.splitlines(keepends=True)
    code = {
        number
        for token in _MARKDOWN.parse(markdown)
        if token.type in ("fence", "code_block") and token.map
        for number in range(*token.map)
    }
    # Code spans (the first alternative) and addresses stay; they may go over lines, so neighbours are taken together.
    kept = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)|<(?:https?://|mailto:)[^\s<>]*>|<(?=[a-zA-Z/!?])", re.DOTALL)
    parts, prose = [], ""
    for number, line in enumerate(lines):
        if number not in code:
            prose += line
            continue
        parts += [kept.sub(_escaped, prose), line]
        prose = ""
    return "".join([*parts, kept.sub(_escaped, prose)])


def _escaped(found: re.Match) -> str:
    return "&lt;" if found[0] == "<" else found[0]


def to_text(markdown: str, width: int = WIDTH) -> str:
    """Return plain text in lines of `width` characters: no stars, code blocks indented and left alone."""
    return "\n".join(_blocks(SyntaxTreeNode(_MARKDOWN.parse(markdown)), width))


def _blocks(parent: SyntaxTreeNode, width: int, between: str = "\n") -> list[str]:
    """The lines of all blocks in ``parent``, with an empty line between them unless ``between`` is nothing."""
    lines: list[str] = []
    for block in parent.children:
        lines += ([""] if lines and between else []) + _block(block, width)
    return lines


def _block(block: SyntaxTreeNode, width: int) -> list[str]:
    if block.type in ("fence", "code_block"):
        return [f"    {line}" if line else "" for line in block.content.splitlines()]
    if block.type in ("bullet_list", "ordered_list"):
        return _list(block, width)
    if block.type == "blockquote":
        return [f"> {line}".rstrip() for line in _blocks(block, width - 2)]
    if block.type == "table":
        return _table(block)
    if block.type == "hr":
        return ["-" * 10]
    text = "".join(_words(child) for child in block.children)
    return [line for part in text.split("\n") for line in _wrapped(part, width)]


def _list(block: SyntaxTreeNode, width: int) -> list[str]:
    lines: list[str] = []
    start = int(block.attrs.get("start", 1))
    tight = all(child.hidden for item in block.children for child in item.children if child.type == "paragraph")
    for number, item in enumerate(block.children, start):
        mark = "- " if block.type == "bullet_list" else f"{number}. "
        inside = _blocks(item, width - len(mark), between="" if tight else "\n") or [""]
        lines += [] if tight or not lines else [""]
        lines += [(mark if place == 0 else " " * len(mark)) + line for place, line in enumerate(inside)]
    return [line.rstrip() for line in lines]


def _table(block: SyntaxTreeNode) -> list[str]:
    rows = [
        ["".join(_words(child) for child in cell.children) for cell in row.children]
        for part in block.children
        for row in part.children
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _words(node: SyntaxTreeNode) -> str:
    """The words of something inline: code keeps its backticks, a link its address, emphasis nothing."""
    if node.type == "code_inline":
        mark = "``" if "`" in node.content else "`"
        return f"{mark}{node.content}{mark}"
    if node.type in ("softbreak", "hardbreak"):
        return " " if node.type == "softbreak" else "\n"
    if not node.children:
        return node.content
    words = "".join(_words(child) for child in node.children)
    address = str(node.attrs.get("href", ""))
    return f"{words} ({address})" if address and address not in (words, f"mailto:{words}") else words


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False) or [""]


def _render_code(self: object, tokens: list[Token], place: int, *_: object) -> str:
    return code_html(tokens[place].content)


_MARKDOWN.add_render_rule("fence", _render_code)
_MARKDOWN.add_render_rule("code_block", _render_code)
_MARKDOWN.add_render_rule("softbreak", lambda *_: " ")
