"""Marking on several computers with dask.distributed, the extra `cluster`.

A task is a batch of submissions, sent as they are: the workers need the course installed and no shared disk. Each
worker process keeps one warm sandbox. When a worker dies, its batch is given to another one; nothing else is lost.
"""

import threading
from collections.abc import Iterator

from course_utils.errors import CourseError
from course_utils.marking import engine, sandbox
from course_utils.marking.engine import Limits
from course_utils.marking.results import Record
from course_utils.marking.submission import Assignment, Submission

BATCH = 15  # submissions a task: the scheduler needs some milliseconds for each task
RETRIES = 2  # of a batch whose worker has died

_sandboxes: dict[tuple, sandbox.Sandbox] = {}
_one_at_a_time = threading.Lock()  # a worker may have several threads, and a sandbox takes one submission


class NoCluster(CourseError):
    """The cluster cannot be used; the message says why and what to do."""


def mark_on_cluster(
    address: str, work: list[tuple[str, str, Submission]], assignment: Assignment, limits: Limits, backend: str
) -> Iterator[Record]:
    """Mark (student, key, submission) on the workers of the scheduler at ``address``; yield records as they come."""
    try:
        from dask.distributed import Client, as_completed
    except ImportError:
        raise NoCluster("dask.distributed is not installed: pip install -e '.[cluster]'.") from None
    try:
        client = Client(address, timeout=20)
    except (OSError, ValueError) as error:
        raise NoCluster(f"There is no Dask scheduler at {address} ({type(error).__name__}).") from None
    with client:
        batches = [work[start : start + BATCH] for start in range(0, len(work), BATCH)]
        tasks = [
            client.submit(mark_batch, batch, assignment, limits, backend, pure=False, retries=RETRIES)
            for batch in batches
        ]
        for task in as_completed(tasks):
            yield from task.result()


def mark_batch(
    batch: list[tuple[str, str, Submission]], assignment: Assignment, limits: Limits, backend: str
) -> list[Record]:
    """Mark a batch in this process's sandbox."""
    with _one_at_a_time:
        kind = (backend, limits.memory, engine.trusted_modules(assignment))
        box = _sandboxes.setdefault(kind, sandbox.Sandbox(*kind))
        return [engine.mark(*item, assignment, limits, box) for item in batch]
