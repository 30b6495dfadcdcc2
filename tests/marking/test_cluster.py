"""Marking on Dask workers: the same records, also when a worker is killed in the middle."""

import os
import signal

import nbformat
import pytest
from marking_tools import answered, as_bytes, assignment, total, untouched

from course_utils.marking import cluster, engine
from course_utils.marking.reader import parse_notebook

distributed = pytest.importorskip("dask.distributed", reason="the cluster extra is not installed")

LIMITS = engine.Limits(seconds_a_cell=20, memory=1024)


def work(count: int) -> list:
    """Submissions to quiz-1; every third one is empty."""
    found = []
    for number in range(count):
        book = untouched("quiz-1") if number % 3 == 0 else answered("quiz-1")
        book.cells.append(nbformat.v4.new_markdown_cell(f"the {number}th"))
        found.append((f"s{number:03}", *engine.prepared(parse_notebook(as_bytes(book)), assignment("quiz-1"), LIMITS)))
    return found


@pytest.mark.slow
def test_a_killed_worker_costs_its_batch_a_second_try_and_nothing_else():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, protocol="tcp"
    ) as two:
        killed, records = False, []
        for record in cluster.mark_on_cluster(two.scheduler_address, work(90), assignment("quiz-1"), LIMITS, "safe"):
            records.append(record)
            if not killed:
                os.kill(next(iter(two.workers.values())).pid, signal.SIGKILL)
                killed = True
    assert sorted(record.student for record in records) == [f"s{number:03}" for number in range(90)]
    full = total("quiz-1")
    assert all(record.score == (0 if int(record.student[1:]) % 3 == 0 else full) for record in records)


def test_no_scheduler_is_said_in_a_sentence(monkeypatch):
    def nobody(*_arguments, **_options):
        raise OSError("Timed out")

    monkeypatch.setattr(distributed, "Client", nobody)
    with pytest.raises(cluster.NoCluster, match="no Dask scheduler at tcp://127.0.0.1:9"):
        list(cluster.mark_on_cluster("tcp://127.0.0.1:9", work(1), assignment("quiz-1"), LIMITS, "safe"))
