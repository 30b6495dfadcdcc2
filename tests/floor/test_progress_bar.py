"""Bars appear on stdout, vanish, and can be kept out."""

import pytest
from small_networks import noise_pictures, tiny_net, to_tensor

from course_utils import (
    extract_features,
    fine_tune,
    progress_bar,
)

TWO = noise_pictures(2)
SETTINGS = {"epochs": 4, "lr": 1e-2, "batch_size": 4, "seed": 3}
pytestmark = pytest.mark.usefixtures("one_thread", "bars_as_usual")


@pytest.fixture
def impatient(monkeypatch):
    """Bars that appear at once instead of after two seconds."""
    bar = progress_bar.tqdm
    monkeypatch.setattr(
        progress_bar, "tqdm", lambda *items, **options: bar(*items, **(options | {"delay": 0, "mininterval": 0}))
    )


def test_bars_go_to_stdout_and_vanish(impatient, capsys):
    fine_tune(tiny_net(), to_tensor, TWO, **SETTINGS)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Training: " in printed.out
    assert printed.out.endswith("\r")  # the line is wiped


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_bars_can_be_switched_off(way, impatient, capsys, monkeypatch):
    if way == "environment":
        monkeypatch.setenv("TQDM_DISABLE", "1")
    fine_tune(tiny_net(), to_tensor, TWO, progress=way == "environment", **SETTINGS)
    extract_features(tiny_net(), to_tensor, TWO, progress=way == "environment")
    assert capsys.readouterr() == ("", "")


def test_short_work_shows_no_bar(capsys):
    extract_features(tiny_net(), to_tensor, TWO)
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_in_a_notebook_a_bar_is_no_stderr_and_can_be_kept_out():
    """Three seconds of work in a real kernel, first with a bar, then with TQDM_DISABLE=1."""
    nbformat = pytest.importorskip("nbformat", reason="notebooks are optional (the lab extra)")
    nbclient = pytest.importorskip("nbclient", reason="notebooks are optional (the lab extra)")
    pytest.importorskip("ipykernel", reason="notebooks are optional (the lab extra)")
    load = "import os, time\nfrom course_utils.progress_bar import progress_bar"
    work = (
        "with progress_bar(6, 'Training', 'batch', True) as bar:\n"
        "    for _ in range(6):\n"
        "        time.sleep(0.5)\n"
        "        bar.update()"
    )
    cells = [load, work, "os.environ['TQDM_DISABLE'] = '1'\n" + work]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=300, startup_timeout=300).execute()
    loading, with_bar, without_bar = (cell.outputs for cell in notebook.cells)
    assert loading == []
    assert without_bar == []
    assert [output.output_type for output in with_bar] == ["display_data"]
    assert "application/vnd.jupyter.widget-view+json" in with_bar[0].data
