"""The journal: every result is on the disk before anything else is done with it, so that no crash loses one.

One line of JSON a record, with a checksum. A line that was cut off in the middle of writing is skipped when read.
"""

import json
import os
import zlib
from pathlib import Path

from course_utils.marking.results import Record


class Journal:
    """The records of one assignment, in the order in which they were made. A context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "Journal":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self.path.open("ab")
        if self._stream.tell() and not self.path.read_bytes().endswith(b"\n"):
            self._stream.write(b"\n")  # what was cut off stays a line of its own
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stream.close()

    def append(self, record: Record) -> None:
        """Write a record; when this returns, it survives a power cut. Raises OSError, on a full disk for example."""
        text = json.dumps(record.to_json(), ensure_ascii=True, separators=(",", ":"))
        self._stream.write(f"{zlib.crc32(text.encode()):08x} {text}\n".encode("ascii"))
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def records(self) -> dict[tuple[str, str], Record]:
        """The last record of each student and key."""
        found = {}
        for line in self.path.read_bytes().splitlines() if self.path.exists() else ():
            checksum, _, text = line.partition(b" ")
            try:
                if int(checksum, 16) != zlib.crc32(text):
                    continue
                record = Record.from_json(json.loads(text))
            except (ValueError, KeyError, TypeError):
                continue
            found[record.student, record.key] = record
        return found
