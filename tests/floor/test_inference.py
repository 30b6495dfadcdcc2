"""`predict`, with networks whose answers are known: each score is the mean of one colour channel."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.transforms import v2

from course_utils import Prediction, predict

COLORS = ["red", "green", "blue"]


class ColorNet(nn.Module):
    """Logits = ten times the mean of each channel; Dropout shows whether eval mode is on."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.dropout = nn.Dropout(0.9)
        self.batch_sizes = []

    def forward(self, x):
        self.batch_sizes.append(len(x))
        assert torch.is_inference_mode_enabled()
        return self.dropout(x.mean(dim=(2, 3)) * self.scale)


@dataclass
class Weights:
    """What torchvision's weights offer, as far as `predict` needs it."""

    meta: dict = field(default_factory=lambda: {"categories": COLORS})

    def transforms(self):
        return v2.Compose([v2.ToImage(), v2.Resize((8, 8)), v2.ToDtype(torch.float32, scale=True)])


def plain(color: str, size: tuple[int, int] = (12, 10)) -> Image.Image:
    return Image.new("RGB", size, color)


def labels(answers: list[list[Prediction]]) -> list[str]:
    return [answer[0].label for answer in answers]


def test_one_picture_gives_one_ranked_list():
    [answer] = predict(ColorNet(), Weights(), plain("#ff8000"), k=3)
    assert [one.label for one in answer] == ["red", "green", "blue"]
    assert [one.index for one in answer] == [0, 1, 2]
    expected = torch.tensor([10, 10 * 128 / 255, 0]).softmax(dim=0).tolist()
    assert [one.probability for one in answer] == pytest.approx(expected)


def test_many_pictures_of_any_kind_keep_their_order(tmp_path):
    plain("blue").save(tmp_path / "blue.png")
    tensor = torch.from_numpy(np.array(plain("red"))).permute(2, 0, 1)
    pictures = [plain("lime", (30, 5)), tmp_path / "blue.png", str(tmp_path / "blue.png"), tensor]
    assert labels(predict(ColorNet(), Weights(), pictures, k=1)) == ["green", "blue", "blue", "red"]


def test_a_uint8_batch_is_many_pictures():
    batch = torch.zeros(2, 3, 5, 5, dtype=torch.uint8)
    batch[0, 2] = batch[1, 1] = 255
    assert labels(predict(ColorNet(), Weights(), batch, k=1)) == ["blue", "green"]


def test_a_picture_with_transparency_is_laid_on_white():
    [answer] = predict(ColorNet(), Weights(), Image.new("RGBA", (9, 9), (255, 0, 0, 0)), k=3)
    assert [one.probability for one in answer] == pytest.approx([1 / 3] * 3)


def test_no_pictures_give_no_answers():
    assert predict(ColorNet(), Weights(), [], k=1) == []


def test_batches_have_the_size_that_was_asked_for():
    model = ColorNet()
    answers = predict(model, Weights(), [plain("red")] * 7, k=1, batch_size=3)
    assert model.batch_sizes == [3, 3, 1]
    assert len(answers) == 7


def test_the_model_answers_in_eval_mode_and_gets_each_mode_back():
    model = resnet18(num_classes=3).train()
    model.layer1.eval()  # a frozen part: the rest is in train mode, this is not
    before = {name: module.training for name, module in model.named_modules()}
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    first = predict(model, Weights(), plain("red"), k=3)
    assert predict(model, Weights(), [plain("red"), plain("blue")], k=3)[0] == [
        Prediction(one.label, one.index, pytest.approx(one.probability, abs=1e-5)) for one in first[0]
    ]
    assert {name: module.training for name, module in model.named_modules()} == before
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in model.named_buffers())


def test_the_mode_comes_back_after_an_error_too():
    model = ColorNet().train()
    with pytest.raises(ValueError, match="no file"):
        predict(model, Weights(), "nowhere.png", k=1)
    assert model.training
    assert model.dropout.training


def test_names_can_be_given_for_a_replaced_head():
    answers = predict(ColorNet(), ResNet18_Weights.DEFAULT, plain("red"), k=1, categories=("cat", "dog", "cow"))
    assert labels(answers) == ["cat"]


def test_a_prediction_reads_well():
    assert str(Prediction("cat", 3, 0.98765)) == "cat (98.8%)"


def broken_net() -> ColorNet:
    model = ColorNet()
    with torch.no_grad():
        model.scale.fill_(torch.nan)
    return model


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ColorNet(), Weights(), plain("red"), 4), "from 1 to 3, the number of categories; got 4"),
        ((ColorNet(), Weights(), plain("red"), 0), "got 0"),
        ((ColorNet(), Weights(), plain("red"), True), "got True"),
        ((ColorNet(), Weights(), plain("red"), 1.5), "got 1.5"),
        ((ColorNet(), ResNet18_Weights.DEFAULT, plain("red")), "3 scores.*1000 category names.*head replaced"),
        ((ColorNet(), Weights({"categories": None}), plain("red")), "name no categories"),
        ((ColorNet(), Weights(), 7, 1), "one picture or a list"),
        ((ColorNet(), Weights(), [7], 1), "int"),
        ((ColorNet(), Weights(), torch.zeros(3, 5, 5), 1), "torch.uint8.*got torch.float32"),
        ((ColorNet(), Weights(), torch.zeros(5, 5, 3, dtype=torch.uint8), 1), r"\(5, 5, 3\)"),
        ((nn.Conv2d(3, 3, 1), Weights(), plain("red"), 1), r"logits.*shape \(1, 3, 8, 8\)"),
        ((broken_net(), Weights(), plain("red"), 1), "not finite"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        predict(*arguments)


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="batch_size"):
        predict(ColorNet(), Weights(), plain("red"), k=1, batch_size=0)
