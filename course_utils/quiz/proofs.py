"""Proofs: the few lines of Python in the question bank that show a stated answer to be true.

A proof runs on the installed versions, needs no network and takes seconds. It fails by an exception, usually from
`assert`. These names are in reach without an import:

    torch, nn, torchvision, models, transforms, Image    the usual ones
    code            the question's code
    right           what the right option says; a list for kind "several"; the right line's text for kind "line"
    wrong           a list of what the wrong options say
    steps           what the steps say, in their right order (only in kind "order")
    this            what this option says (only in an option's own proof)
    answer          the number (kind "number") or the line (kind "line")
    printed(code)   what the code prints, without the last line end
    run(code)       runs the code and returns its variables
    weights_asked_for(code)   which weights (a member of a WeightsEnum, or None) the code would load, without loading
    raises(kind, text)   a context manager: exactly this exception, with `text` in its message

Tie a proof to the stated answer with `right` or `answer` where it can be done: then it fails if somebody marks another
option as right.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

from course_utils.quiz.question import Option, Question, line_key

if TYPE_CHECKING:  # torch takes seconds to import, and not every proof needs it
    from torchvision.models import WeightsEnum


def run_proof(question: Question, option: Option | None = None) -> None:
    """Run the question's proof, or that of one option. Returns quietly, or raises what the proof raised."""
    names = _names(question)
    if option is not None:
        names["this"] = option.words
    source = question.proof if option is None else option.proof
    exec(compile(source, f"<proof of {question.id}>", "exec"), names)


@contextlib.contextmanager
def raises(kind: type[BaseException], text: str = "") -> Iterator[None]:
    """Check that the block raises exactly `kind` with `text` in its message."""
    try:
        yield
    except BaseException as error:
        assert type(error) is kind, f"expected {kind.__name__}, got {type(error).__name__}: {error}"
        assert text in str(error), f"expected {text!r} in the message, got {str(error)!r}"
    else:
        raise AssertionError(f"expected {kind.__name__}, but nothing was raised")


def run(source: str) -> SimpleNamespace:
    """Run `source` like a cell of its own and return its variables."""
    names = _modules()
    exec(compile(source, "<code of a question>", "exec"), names)
    return SimpleNamespace(**names)


def printed(source: str) -> str:
    """What `source` prints when it runs like a cell of its own."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        run(source)
    return output.getvalue().rstrip("\n")


def weights_asked_for(source: str) -> WeightsEnum | None:
    """Return the WeightsEnum member that `source` would load, or None when it builds a model without weights."""
    import torch
    from torchvision.models import WeightsEnum

    class Asked(Exception):
        pass

    def stop(self: WeightsEnum, *args: object, **kwargs: object) -> NoReturn:
        raise Asked(self)

    original, WeightsEnum.get_state_dict = WeightsEnum.get_state_dict, stop
    try:
        with torch.device("meta"):
            run(source)
    except Asked as asked:
        return asked.args[0]
    finally:
        WeightsEnum.get_state_dict = original
    return None


def _modules() -> dict:
    import torch
    import torchvision
    from PIL import Image
    from torch import nn
    from torchvision import models, transforms

    return {
        "__name__": "proof",
        "torch": torch,
        "nn": nn,
        "torchvision": torchvision,
        "models": models,
        "transforms": transforms,
        "Image": Image,
    }


def _names(question: Question) -> dict:
    right = [option.words for option in question.options if option.right]
    names = _modules() | {
        "code": question.code,
        "right": right if question.kind == "several" else (right[0] if right else None),
        "wrong": [option.words for option in question.options if not option.right],
        "answer": question.answer,
        "raises": raises,
        "weights_asked_for": weights_asked_for,
        "run": run,
        "printed": printed,
    }
    if question.kind == "order":
        names["steps"] = names.pop("wrong")
    if question.kind == "line":
        names["answer"] = line_key(question)
        names["right"] = question.code.splitlines()[line_key(question) - 1].strip()
    return names
