"""The last layer of all 80 torchvision classifiers: found, replaced, and everything before it left alone."""

import copy
import pickle
import warnings
from contextlib import contextmanager

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.regnet import BlockParams

from course_utils import find_head, freeze_backbone, replace_head, unfreeze_backbone
from course_utils.heads import HeadError

CLASSIFIERS = models.list_models(module=models)


@contextmanager
def regnet_plans_on_the_cpu():
    """RegNet reads its layer widths out of a tensor while it is built, and meta tensors hold no numbers."""
    original = BlockParams.__dict__["from_init_params"]

    def on_the_cpu(cls, *arguments, **options):
        with torch.device("cpu"):
            return original.__func__(cls, *arguments, **options)

    BlockParams.from_init_params = classmethod(on_the_cpu)
    try:
        yield
    finally:
        BlockParams.from_init_params = original


@pytest.fixture(autouse=True)
def no_statistics_of_shapes(monkeypatch):
    """BatchNorm keeps every shape, and takes torch long to find that out on the meta device."""
    original = nn.functional.batch_norm
    monkeypatch.setattr(
        nn.functional, "batch_norm", lambda maps, *rest, **o: maps if maps.is_meta else original(maps, *rest, **o)
    )


def build(name: str, device: str = "meta", **options) -> nn.Module:
    with regnet_plans_on_the_cpu(), torch.device(device), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Inception's and GoogLeNet's note about init_weights
        return models.get_model(name, weights=None, **options).eval()


def last_executed_layer(model: nn.Module, picture: torch.Tensor) -> tuple[nn.Module, torch.Tensor]:
    """Watch a forward pass: the truth that the static rule is compared with."""
    executed = []
    hooks = [
        layer.register_forward_hook(lambda layer, *_: executed.append(layer))
        for layer in model.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    scores = model(picture)
    for hook in hooks:
        hook.remove()
    return executed[-1], scores


def picture_for(name: str, device: str = "meta", count: int = 2) -> torch.Tensor:
    side = 75 if name == "inception_v3" else 224 if name.startswith(("vit", "maxvit")) else 64
    return torch.randn(count, 3, side, side, device=device)


def test_there_are_eighty_classifiers_or_the_survey_needs_a_new_look():
    assert len(CLASSIFIERS) >= 80


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_head_found_is_the_layer_that_runs_last_and_can_be_replaced(name):
    model = build(name)
    head = find_head(model)
    layer, scores = last_executed_layer(model, picture_for(name))
    assert layer is head.layer
    assert scores.shape == (2, head.num_classes) == (2, 1000)

    same = replace_head(model, 7)
    assert same is model
    assert model(picture_for(name)).shape == (2, 7)
    assert find_head(model).in_features == head.in_features


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("resnet18", "fc"),
        ("vgg11", "classifier.6"),
        ("mobilenet_v3_small", "classifier.3"),
        ("densenet121", "classifier"),
        ("swin_t", "head"),
        ("vit_b_32", "heads.head"),
        ("squeezenet1_1", "classifier.1"),
    ],
)
def test_the_name_is_the_path_to_the_layer(name, path):
    model = build(name)
    assert find_head(model).name == path
    assert model.get_submodule(path) is find_head(model).layer


def test_squeezenet_keeps_a_convolution_as_its_head():
    head = find_head(replace_head(build("squeezenet1_1"), 5))
    assert isinstance(head.layer, nn.Conv2d)
    assert (head.in_features, head.num_classes) == (512, 5)


@pytest.mark.parametrize(
    ("name", "side", "auxiliary"),
    [("inception_v3", 299, ["AuxLogits.fc"]), ("googlenet", 224, ["aux1.fc2", "aux2.fc2"])],
)
def test_auxiliary_heads_follow(name, side, auxiliary):
    model = replace_head(build(name), 4).train()
    assert all(model.get_submodule(path).out_features == 4 for path in auxiliary)
    assert all(scores.shape == (2, 4) for scores in model(torch.randn(2, 3, side, side, device="meta")))


def test_googlenet_without_auxiliary_heads_works_too():
    model = replace_head(build("googlenet", aux_logits=False), 4)
    assert model(picture_for("googlenet")).shape == (2, 4)


def test_running_the_cell_twice_keeps_the_trained_head():
    model = replace_head(build("resnet18", "cpu"), 3)
    trained = model.fc
    assert replace_head(model, 3).fc is trained


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_device_and_dtype_stay(dtype):
    model = replace_head(build("resnet18").to(dtype), 3)
    assert model.fc.weight.dtype == dtype
    assert model.fc.weight.device.type == "meta"


@pytest.mark.parametrize("num_classes", [0, -1, 2.0, "2", None, True])
def test_a_bad_number_of_classes_is_refused(num_classes):
    with pytest.raises(ValueError, match="num_classes must be a whole number"):
        replace_head(build("resnet18"), num_classes)


def without_head():
    model = build("resnet18")
    model.fc = nn.Identity()
    return model


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (lambda: models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None), "SSD .*boxes"),
        (lambda: models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None), "every pixel"),
        (without_head, "ResNet does not end like a classifier.*BatchNorm2d"),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU()), "Conv2d"),
        (lambda: nn.Sequential(nn.Linear(4, 2), nn.ConvTranspose2d(2, 2, 1)), "ConvTranspose2d"),
        (lambda: nn.ReLU(), "no layer with weights"),
        (lambda: nn.Linear(4, 2), "single layer"),
        (lambda: "resnet18", "got str"),
    ],
)
def test_what_is_no_classifier_is_refused_by_name(model, found):
    with torch.device("meta"):
        model = model()
    with pytest.raises(ValueError, match=found):
        find_head(model)


class TwoHeads(nn.Module):
    def __init__(self, in_a_list: bool):
        super().__init__()
        self.backbone = nn.Linear(6, 4)
        if in_a_list:
            self.head = nn.ModuleList([nn.Linear(4, 2), nn.Linear(6, 2)])
        else:
            self.head, self.norm, self.head_dist = nn.Linear(4, 2), nn.BatchNorm1d(4), nn.Linear(4, 2)


@pytest.mark.parametrize(("in_a_list", "names"), [(False, "head, head_dist"), (True, "head.0, head.1")])
def test_several_heads_side_by_side_are_refused_by_name(in_a_list, names):
    for function in (find_head, freeze_backbone, lambda model: replace_head(model, 3)):
        with pytest.raises(HeadError, match=rf"TwoHeads has 2 heads side by side \({names}\)"):
            function(TwoHeads(in_a_list))


def test_linear_layers_that_feed_each_other_are_no_heads_side_by_side():
    assert find_head(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))).name == "2"
    assert find_head(nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 2))).name == "2"


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "convnext_atto", "mobilenetv4_conv_small", "levit_256d"])
def test_the_head_of_a_timm_model_can_be_replaced(name):
    timm = pytest.importorskip("timm")
    model = replace_head(timm.create_model(name).eval(), 3)
    assert model(torch.zeros(1, 3, 224, 224)).shape == (1, 3)


@pytest.mark.parametrize(
    ("name", "heads"),
    [
        ("deit_tiny_distilled_patch16_224", "head, head_dist"),
        ("efficientformer_l1", "head, head_dist"),
        ("levit_128s", "head.linear, head_dist.linear"),
        ("crossvit_tiny_240", "head.0, head.1"),
        ("repvit_m0_9", "head.head.l, head.head_dist.l"),
    ],
)
def test_the_several_heads_of_a_timm_model_are_refused_by_name(name, heads):
    timm = pytest.importorskip("timm")
    with pytest.raises(HeadError, match=rf"2 heads side by side \({heads}\)"):
        find_head(timm.create_model(name))


@pytest.mark.parametrize("function", [find_head, freeze_backbone, unfreeze_backbone, lambda it: replace_head(it, 3)])
def test_nothing_at_all_is_no_model(function):
    with pytest.raises(HeadError, match="A model .* is needed here, got NoneType"):
        function(None)


def test_a_classifier_that_is_not_from_torchvision_works():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    assert replace_head(model, 2)(torch.randn(2, 3, 8, 8)).shape == (2, 2)


def train_three_steps(model: nn.Module, name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1)
    model.train()
    for _ in range(3):
        optimizer.zero_grad()
        side = 299 if name == "inception_v3" else 64
        scores = model(torch.randn(2, 3, side, side, generator=generator))
        scores = scores if isinstance(scores, tuple) else (scores,)
        sum(s.sum() for s in scores).backward()
        optimizer.step()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "densenet121", "squeezenet1_1", "inception_v3"])
def test_a_frozen_backbone_is_bit_identical_after_training_in_train_mode(name):
    torch.manual_seed(0)
    model = freeze_backbone(replace_head(build(name, "cpu"), 3))
    head_names = tuple(f"{path}." for path in (find_head(model).name, "AuxLogits.fc"))
    before = copy.deepcopy(model.state_dict())
    train_three_steps(model, name)
    changed = [key for key, value in model.state_dict().items() if not torch.equal(value, before[key])]
    assert changed
    assert all(key.startswith(head_names) for key in changed)


def test_freezing_twice_is_freezing_once():
    model = freeze_backbone(freeze_backbone(build("resnet18")))
    assert len(model._forward_pre_hooks) == 1


def test_a_frozen_model_can_be_copied_and_pickled():
    model = freeze_backbone(replace_head(build("mobilenet_v3_small", "cpu"), 2))
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin.train()
        twin(torch.randn(2, 3, 64, 64))
        assert not twin.features[0][1].training
        assert sum(p.requires_grad for p in twin.parameters()) == 2


def test_unfreezing_brings_everything_back():
    model = unfreeze_backbone(freeze_backbone(build("resnet18", "cpu"))).train()
    assert all(p.requires_grad for p in model.parameters())
    before = model.bn1.running_mean.clone()
    model(torch.randn(2, 3, 64, 64))
    assert not torch.equal(before, model.bn1.running_mean)


def test_a_stage_that_may_learn_again_gets_its_batchnorm_back():
    model = freeze_backbone(build("resnet18", "cpu"))
    model.layer4.requires_grad_(True)
    model.train()
    model(torch.randn(2, 3, 64, 64))
    assert model.layer4[0].bn1.training
    assert not model.layer3[0].bn1.training


def test_dropout_beside_a_layer_that_learns_goes_on_working():
    model = freeze_backbone(build("efficientnet_b0", device="cpu", num_classes=2)).train()
    model(torch.rand(1, 3, 32, 32))
    assert model.classifier[0].training  # the dropout in front of the head
    assert not any(module.training for module in model.features.modules())
