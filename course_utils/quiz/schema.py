"""The JSON Schema of question files, made from the tables of `checking.py` so that the two cannot differ.

python -m course_utils.quiz.schema        write question_schema.json anew, after a change of the tables
"""

import json
from pathlib import Path

from course_utils.files import write_text
from course_utils.quiz.checking import OPTION_FIELDS, PATTERNS, QUESTION_FIELDS, Field
from course_utils.quiz.question import KINDS, LETTERS

SCHEMA_FILE = Path(__file__).with_name("question_schema.json")

_TEXT: dict[str, object] = {"type": ["string", "number", "boolean"]}  # `text: no` and `text: 1000` are texts to us
_HOLDS: dict[str, dict[str, object]] = {
    "text": _TEXT,
    "code": _TEXT,
    "python": {"type": "string"},
    "id": {"type": "string", "pattern": f"^{PATTERNS['id'][0]}$"},
    "module": {"type": "string", "pattern": f"^{PATTERNS['module'][0]}$"},
    "truth": {"type": "boolean"},
    "number": {"type": "number"},
    "distance": {"type": "number", "minimum": 0},
    "line": {"type": "integer", "minimum": 1},
    "facts": {"type": "array", "items": {"type": "string", "pattern": r"^S[1-9]\d*$"}, "uniqueItems": True},
}


def question_schema() -> dict[str, object]:
    """Return the schema of a question file: a list of questions, each with the fields of its kind."""
    kinds = [
        {
            "if": {"properties": {"kind": {"const": kind}}, **({} if kind == "one" else {"required": ["kind"]})},
            "then": _object(QUESTION_FIELDS[kind], kind),
        }
        for kind in KINDS
    ]
    either_proof = {"oneOf": [{"required": ["proof"]}, {"required": ["no_proof"]}]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Questions of the course",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"kind": {"enum": list(KINDS)}},
            "allOf": [either_proof, *kinds],
        },
    }


def _object(table: dict[str, Field], kind: str, **more: object) -> dict[str, object]:
    return {
        "properties": {name: {"description": field.about, **_value(field, kind)} for name, field in table.items()},
        "required": [name for name, field in table.items() if field.required],
        "additionalProperties": False,
        **more,
    }


def _value(field: Field, kind: str) -> dict[str, object]:
    if field.holds == "choice":
        return {"enum": list(field.allowed)}
    if field.holds != "options":
        return _HOLDS[field.holds]
    lettered = kind in ("one", "several", "order")
    either = {"oneOf": [{"required": ["text"]}, {"required": ["code"]}]} if lettered else {}
    limits = {"minItems": 2 if lettered else 0, **({} if kind == "line" else {"maxItems": len(LETTERS)})}
    return {"type": "array", "items": _object(OPTION_FIELDS[kind], kind, type="object", **either), **limits}


def schema_text() -> str:
    """Return what belongs into question_schema.json."""
    return json.dumps(question_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_text(SCHEMA_FILE, schema_text())
