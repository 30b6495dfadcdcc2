"""Both weight sources: what is loaded, what is said, and every way in which a file can fail us."""

import copy
import errno
import hashlib
import pickle
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torchvision import models
from torchvision.models import ResNet18_Weights, WeightsEnum

from course_utils import DeviceError, ResNet18_Course_Weights, WeightsError, load_pretrained, weights
from course_utils.weights import can_download, check_course_checkpoint, imagenet_cached

COURSE = ResNet18_Course_Weights.TINY200_V1


@pytest.fixture(autouse=True)
def empty_cache_and_no_network(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(weights, "can_download", lambda url: False)


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


# The course checkpoint


def test_course_weights_are_a_torchvision_weights_member():
    assert isinstance(COURSE, WeightsEnum)
    assert ResNet18_Course_Weights.DEFAULT is COURSE
    assert ResNet18_Course_Weights["TINY200_V1"] is COURSE
    assert copy.deepcopy(COURSE) is COURSE
    assert pickle.loads(pickle.dumps(COURSE)) is COURSE


def test_the_model_is_torchvisions_own_class_in_eval_mode_and_float32():
    model, loaded = load_pretrained(source="course", quiet=True)
    assert type(model) is models.ResNet
    assert not model.training
    assert model.fc.out_features == len(loaded.meta["categories"]) == 200
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert all(p.requires_grad for p in model.parameters())
    assert sum(p.numel() for p in model.parameters()) == loaded.meta["num_params"]


def test_the_same_state_dict_loads_into_a_model_the_reader_builds():
    model = models.resnet18(weights=None, num_classes=200)
    assert str(model.load_state_dict(COURSE.get_state_dict())) == "<All keys matched successfully>"


def test_two_loads_give_bit_identical_logits():
    picture = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    first, second = (load_pretrained(source="course", quiet=True)[0](picture) for _ in range(2))
    assert torch.equal(first, second)


def test_a_loaded_model_owns_its_tensors():
    first, _ = load_pretrained(source="course", quiet=True)
    with torch.no_grad():
        first.fc.weight.zero_()
    assert load_pretrained(source="course", quiet=True)[0].fc.weight.abs().sum() > 0


def test_loading_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load_pretrained(source="course", quiet=True)
    assert torch.equal(torch.rand(1), expected)


def test_categories_are_two_hundred_different_words():
    categories = COURSE.meta["categories"]
    assert len(set(categories)) == 200
    assert all(name == name.strip() and name for name in categories)


def test_the_transforms_make_64_pixel_tensors_from_any_picture():
    from PIL import Image

    tensor = COURSE.transforms()(Image.new("RGB", (90, 40), "red"))
    assert tensor.shape == (3, 64, 64)
    assert tensor.dtype == torch.float32


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_a_damaged_checkpoint_is_refused(monkeypatch, tmp_path, damage):
    content = bytearray((weights.ASSETS / COURSE.meta["file"]).read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    (tmp_path / COURSE.meta["file"]).parent.mkdir()
    (tmp_path / COURSE.meta["file"]).write_bytes({"flip": content, "truncate": content[:-10], "empty": b""}[damage])
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    with pytest.raises(WeightsError, match="not the file that was shipped"):
        check_course_checkpoint()


def test_a_missing_checkpoint_says_how_to_get_it_back(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    with pytest.raises(WeightsError, match="cannot be read.*reinstall"):
        load_pretrained(source="course")


# Which source, and what is said


def test_without_a_network_auto_means_the_course_and_says_why(capsys):
    _, loaded = load_pretrained("resnet18")
    assert loaded is COURSE
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "ResNet18_Course_Weights.TINY200_V1: 200 classes" in said
    assert "cannot be downloaded" in said


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
    with pytest.raises(WeightsError, match="could not be downloaded .*not found"):
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

    monkeypatch.setattr(torch.hub, "download_url_to_file", fails)
    with pytest.raises(WeightsError, match=f"{words}. Set TORCH_HOME"):
        load_pretrained(source="imagenet", quiet=True)


@pytest.mark.parametrize("error", [ConnectionResetError(104, "Connection reset by peer"), TimeoutError("timed out")])
def test_a_connection_that_breaks_is_no_problem_of_the_disk(monkeypatch, error):
    def fails(*arguments, **options):
        raise error

    monkeypatch.setattr(torch.hub, "download_url_to_file", fails)
    with pytest.raises(WeightsError, match="could not be downloaded"):
        load_pretrained(source="imagenet", quiet=True)


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

    monkeypatch.setattr(weights.urllib.request, "urlopen", never_answers)
    weights._server_answers.cache_clear()
    started = time.perf_counter()
    assert not can_download("https://slow.invalid/a")
    assert not can_download("https://slow.invalid/a")
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet19"}, "no classifier called 'resnet19'; did you mean resnet18"),
        ({"name": "ResNet18"}, "no classifier called 'ResNet18'"),
        ({"name": None}, "no classifier called None"),
        ({"source": "keras"}, "source must be one of auto, course, imagenet"),
        ({"name": "vgg16", "source": "course"}, "ships weights for resnet18.*not for vgg16"),
        ({"name": "vgg16"}, "without a network the course has weights for resnet18"),
    ],
)
def test_bad_input_is_one_clear_sentence(arguments, message):
    with pytest.raises(WeightsError, match=message):
        load_pretrained(**arguments)


def test_a_bad_environment_variable_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_WEIGHTS", "tensorflow")
    with pytest.raises(WeightsError, match="COURSE_WEIGHTS must be one of"):
        load_pretrained()
