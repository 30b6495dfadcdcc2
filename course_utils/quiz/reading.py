"""YAML files as text, lists and mappings that know their lines.

Every scalar arrives as text, so that `text: no` and `text: 1000` mean what they say. What YAML allows and nobody means
in a file like ours is refused: tags (`text: !important`), and a quote that swallows the lines below it.
"""

import re
from pathlib import Path

import yaml

_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


class FileProblem(Exception):
    """One thing that is wrong with a file: its line, and a sentence."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


class Mapping(dict):
    """A YAML mapping that knows the line it starts on and the line of each key."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


def read_entries(path: Path) -> list[Mapping]:
    """Return the mappings of a file that is a list of mappings. Raises FileProblem for anything else."""
    text = _text(path)
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        entries = None if root is None else _built(root, text.splitlines())
    except yaml.MarkedYAMLError as error:
        raise _yaml_problem(error, text) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FileProblem(line, f"the character U+{ord(text[error.position]):04X} cannot stand in YAML") from None
    except RecursionError:
        raise FileProblem(1, "lists and mappings stand too deep in one another") from None
    if root is None or not isinstance(entries, list):
        raise FileProblem(1, "a question file is a list: each question starts with `- id:`")
    for entry, node in zip(entries, root.value, strict=True):
        if not isinstance(entry, Mapping):
            line = node.start_mark.line + 1
            raise FileProblem(line, "an entry of the list is not a question; each one starts with `- id:`")
    return entries


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileProblem(1, f"this file cannot be read as UTF-8 text ({error.reason})") from None
    except OSError as error:
        raise FileProblem(1, f"this file cannot be read ({error.strerror})") from None


def _built(node: yaml.Node, lines: list[str]) -> str | list | Mapping:
    """Text, a list or a `Mapping` from a node of YAML."""
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN:
        raise FileProblem(line, f"`{node.tag}` is a YAML tag; put quotes around a text that begins with !")
    if isinstance(node, yaml.SequenceNode):
        return [_built(child, lines) for child in node.value]
    if isinstance(node, yaml.ScalarNode):
        _refuse_swallowed_lines(node, lines)
        return node.value
    mapping = Mapping(line)
    for key, value in node.value:
        key_line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise FileProblem(key_line, "a key must be a single word")
        if key.value in mapping:
            raise FileProblem(key_line, f"`{key.value}` appears twice")
        mapping[key.value] = _built(value, lines)
        mapping.lines[key.value] = key_line
    return mapping


def _refuse_swallowed_lines(node: yaml.ScalarNode, lines: list[str]) -> None:
    first, last = node.start_mark.line, node.end_mark.line
    if node.style in ("'", '"') and any(
        re.match(r"\s*(- +)?[a-z_]+:( |$)", line) for line in lines[first + 1 : last + 1]
    ):
        raise FileProblem(first + 1, f"the quote that opens here closes only on line {last + 1}")


def _yaml_problem(error: yaml.MarkedYAMLError, text: str) -> FileProblem:
    """What the parser says, at the line where the mistake is: with quotes, the one where the quote opens."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    if "another document" in (error.problem or ""):
        return FileProblem(line, "a question file is one list; leave `---` out")
    if error.context_mark and "quoted scalar" in (error.context or ""):
        return FileProblem(error.context_mark.line + 1, "the quote that opens here is never closed")
    opens = closes = 0
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"'):
                first, last = token.start_mark.line + 1, token.end_mark.line + 1
                if first < last <= line:
                    opens, closes = first, last
    except yaml.YAMLError:
        pass  # the mistake that is being told
    if opens and closes >= line - 1:
        return FileProblem(opens, f"the quote that opens here closes only on line {closes}")
    return FileProblem(line, error.problem or "this is not YAML")
