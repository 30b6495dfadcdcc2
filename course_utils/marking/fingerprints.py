"""Fingerprints of code that renaming, comments and layout do not change, by winnowing.

Source: Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003. Two
texts that share `GRAM + WINDOW - 1` tokens in a row always share a fingerprint, whatever stands around them.
"""

import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

GRAM = 10  # tokens in a fingerprint: about a line of code; shorter ones are in every program
WINDOW = 6  # of so many neighbours one is kept
MOST_CHARACTERS = 100_000  # of one cell; answers of the course have less than 5000
_MOST_RESTARTS = 50  # after lines that are no Python
_LEFT_OUT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip
# From Python 3.12 on an f-string is many tokens; before, it is one.
_F_START, _F_END = getattr(tokenize, "FSTRING_START", -1), getattr(tokenize, "FSTRING_END", -1)
_KEPT_NAMES = frozenset({*keyword.kwlist, *dir(builtins)})


@dataclass(frozen=True)
class Place:
    """Where a fingerprint was taken: the first and the last of its lines, counted from 0."""

    first: int
    last: int


def fingerprints(source: str) -> dict[int, tuple[Place, ...]]:
    """Return the fingerprints of some code (numbers of 64 bits), and all places of each.

    Of code that Python cannot read, those of the lines that it can.
    """
    tokens = list(normalised(source[:MOST_CHARACTERS]))
    hashes = [
        int.from_bytes(blake2b("\0".join(text for text, _ in tokens[at : at + GRAM]).encode(), digest_size=8).digest())
        for at in range(len(tokens) - GRAM + 1)
    ]
    found: dict[int, tuple[Place, ...]] = {}
    for at in _winnowed(hashes):
        place = Place(tokens[at][1], tokens[at + GRAM - 1][1])
        found[hashes[at]] = (*found.get(hashes[at], ()), place)
    return found


def _winnowed(hashes: list[int]) -> list[int]:
    """The places of the smallest of each window's hashes, the last one of equals."""
    windows = range(max(1, len(hashes) - WINDOW + 1)) if hashes else ()
    smallest = (min(range(at, min(at + WINDOW, len(hashes))), key=lambda i: (hashes[i], -i)) for at in windows)
    return sorted(set(smallest))


def normalised(source: str) -> Iterator[tuple[str, int]]:
    """Yield the tokens of a cell with their lines, without what a student may choose freely.

    A name that the student gave is `n`, a string is `s`; attributes (`.parameters`), keywords, Python's own functions
    and numbers stay. Comments, docstrings, line ends and a comma before a closing bracket are left out.
    """
    tokens = list(_tokens(source))
    before, depth = "", 0
    for place, token in enumerate(tokens):
        if depth or token.type == _F_START:
            depth += (token.type == _F_START) - (token.type == _F_END)
            text = "s" if not depth else ""
        elif token.type == tokenize.STRING:
            text = "" if _is_statement(tokens, place) else "s"
        elif token.type == tokenize.NAME:
            text = token.string if before == "." or token.string in _KEPT_NAMES else "n"
        elif token.type in _LEFT_OUT or token.string == ";" or _is_last_comma(tokens, place):
            text = ""
        else:
            text = token.string
        if text:
            yield text, token.start[0] - 1
            before = text


def _is_statement(tokens: list[tokenize.TokenInfo], place: int) -> bool:
    """Whether a string stands alone in its line, as a docstring does."""
    ends = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT)
    behind = tokens[place + 1].type if place + 1 < len(tokens) else tokenize.NEWLINE
    return behind == tokenize.NEWLINE and (place == 0 or tokens[place - 1].type in ends)


def _is_last_comma(tokens: list[tokenize.TokenInfo], place: int) -> bool:
    """Whether this is a comma that a closing bracket follows."""
    if tokens[place].string != ",":
        return False
    later = (token.string for token in tokens[place + 1 : place + 20] if token.type not in _LEFT_OUT)
    return next(later, "") in (")", "]", "}")


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    """Python's own tokens; where a line is none, as in an unfinished answer, it goes on behind it."""
    # Lines for the notebook itself, such as %timeit and !pip, are no Python.
    text = re.sub(r"^[ \t]*[%!?].*$", "", source.replace("\0", ""), flags=re.MULTILINE)
    lines, start = text.splitlines(keepends=True), 0
    for _ in range(_MOST_RESTARTS):
        rest, reached = "".join(lines[start:]), 0
        try:
            for token in tokenize.generate_tokens(io.StringIO(rest).readline):
                reached = token.start[0]
                yield _moved(token, start)
            return
        except (tokenize.TokenError, SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None) or reached or 1
            start += max(line, reached, 1)
            if start >= len(lines):
                return


def _moved(token: tokenize.TokenInfo, lines: int) -> tokenize.TokenInfo:
    return token._replace(start=(token.start[0] + lines, token.start[1]))
