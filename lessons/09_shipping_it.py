# %% [markdown]
# # Shipping it
#
# The classifier works in your notebook. Now it has to run somewhere else: on a server that is paid by the second, on a
# phone, in another team's program. For that it should be small, fast, as right as before, and safe to open. There
# is much advice on each of these, and most of it can be measured in a few seconds. This lesson ends with one table, and with a
# program that somebody else can run.
#
# **After this lesson you can**
#
# - run one backbone once and put light classifiers on top,
# - say what half precision, pruning and 8-bit numbers save, in bytes, in time, and in right answers,
# - hand a model over without its Python code, with `torch.export` and ONNX Runtime,
# - save weights so that nobody has to trust you, and open those of a stranger without harm,
# - hand over a program, `predict.py photo.jpg`, with its preprocessing inside, and prove that it answers as your notebook does.
#
# **Time:** 60 minutes. **You need:** lesson [05](05_fine_tuning_the_last_layer.ipynb). No network, no GPU. For every
# row of the table you need four packages more: `%pip install "onnx<1.23" onnxscript onnxruntime torchao`. Without
# them their rows are left out.

# %%
import copy
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from importlib.util import find_spec
from pathlib import Path

# %%
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch import nn
from torch.nn.utils import prune
from torchvision import models

from course_utils import ask, doodle_pets, extract_features, install_head, load_pretrained
from course_utils.files import ASSETS
from course_utils.metrics import wilson_interval
from course_utils.model_choice import seconds_per_call
from course_utils.plots import show_bar_panels
from course_utils.pruning import remove_channels

# %%
PICTURES, VALIDATION_PICTURES, TEST_PICTURES = 150, 150, 150
SOURCE = "course"
temporary = tempfile.TemporaryDirectory()  # for the files of this lesson; it is gone when the kernel ends
folder = Path(temporary.name)
torch.set_num_threads(1)  # one core for everybody, so that the times can be compared
HAS_ONNX = all(find_spec(package) for package in ("onnx", "onnxscript", "onnxruntime"))
HAS_TORCHAO = find_spec("torchao") is not None
if not (HAS_ONNX and HAS_TORCHAO):
    print('Some rows will be missing; they need: %pip install "onnx<1.23" onnxscript onnxruntime torchao')

# %% [markdown] covers=["S40"]
# ## One backbone, once, and something light on top
#
# You know the pattern from lesson 05: a still backbone turns each picture into a row of numbers, and a small classifier
# decides. In production it is the most used one. The heavy part runs once for each picture, whatever is asked
# about it, and it never changes. The light part can be anything that learns from rows of numbers, for example all of
# scikit-learn.

# %%
model, weights = load_pretrained("resnet18", SOURCE)
transform = weights.transforms()
size = transform.crop_size[0]
train = doodle_pets(PICTURES, seed=0, size=size)
validation = doodle_pets(VALIDATION_PICTURES, seed=1, size=size)

# %% covers=["S40"] tags=["nbval-ignore-output"]
started = time.perf_counter()
features, labels = (tensor.numpy() for tensor in extract_features(model, transform, train, device="cpu"))
validation_features, validation_labels = (
    tensor.numpy() for tensor in extract_features(model, transform, validation, device="cpu")
)
backbone_seconds = time.perf_counter() - started
print(f"backbone: {features.shape} and {validation_features.shape} in {backbone_seconds:.1f} seconds, once")

# %% [markdown]
# **Commit to an answer first.** Fitting a classifier on these rows takes how much of that time: a half, a tenth, a
# hundredth?

# %% covers=["S40"] tags=["nbval-ignore-output"]
classifiers = {
    "logistic regression": LogisticRegression(max_iter=2000),
    "5 nearest neighbours": KNeighborsClassifier(5),
    "random forest": RandomForestClassifier(random_state=0),
}
for name, classifier in classifiers.items():
    started = time.perf_counter()
    classifier.fit(features, labels)
    spent = time.perf_counter() - started
    score = classifier.score(validation_features, validation_labels)
    print(
        f"{name:21} {1000 * spent:6.0f} ms to fit, {spent / backbone_seconds:6.1%} of the backbone's time, {score:.1%} right"
    )

# %% [markdown]
# It depends on the classifier. All three learned from the same rows. When a new question about the same pictures comes up, only the light part has to be made
# anew. The price: if the backbone is ever exchanged, all rows have to be computed again, and all classifiers with
# them.

# %%
ask("why-a-light-classifier")

# %% [markdown]
# ### A logistic regression is a head
#
# For two classes, scikit-learn keeps one row of weights: its score says "dog" when it is above zero. A network's head has
# a row for each class. Give the first class zeros and the second class that row, and softmax says the same:

# %% covers=["S40"]
regression = classifiers["logistic regression"]
linear = nn.Linear(features.shape[1], 2)
with torch.no_grad():
    linear.weight[:] = torch.tensor(np.vstack([np.zeros_like(regression.coef_[0]), regression.coef_[0]]))
    linear.bias[:] = torch.tensor([0.0, regression.intercept_[0]])
install_head(model, linear)

train_x = torch.stack([transform(image) for image in train.images])
validation_x = torch.stack([transform(image) for image in validation.images])
with torch.no_grad():
    together = model(validation_x[:20]).softmax(dim=1).numpy()
print("same probabilities:", np.allclose(together, regression.predict_proba(validation_features[:20]), atol=1e-3))

# %% [markdown]
# So backbone and regression are one network again, and this network is what we ship below. (If you want the backbone alone, put
# `nn.Identity()` in the place of the head.)

# %%
ask("identity-head")

# %% [markdown]
# ## The measure
#
# For every variant of the model we want four numbers: the size of its file, the time for one picture on one core, the share of
# right answers, and how often it gives the **same answer as the original**. Which variant to ship is a choice, so right and same are
# counted on **validation** pictures; the test pictures come once, at the end (lesson 06). The last number is the sharpest: accuracy can stay
# although answers have changed, some for the better and some for the worse.


# %%
rows = {}


def measure(name, predict, file):
    """Note down what a variant costs and gives; ``predict`` turns a batch of pictures into scores."""
    with torch.no_grad():
        answers = torch.cat([torch.as_tensor(predict(part)) for part in validation_x.split(50)]).argmax(dim=1)
        seconds = seconds_per_call(lambda: predict(validation_x[:1]), seconds=0.3)
    first = answers if not rows else rows["float32"]["answers"]
    rows[name] = {
        "MB": Path(file).stat().st_size / 1e6,
        "ms": 1000 * seconds,
        "right": (answers == torch.tensor(validation.labels)).float().mean().item(),
        "same": (answers == first).float().mean().item(),
        "answers": answers,
        "predict": predict,
    }
    print(f"{name}: " + ", ".join(f"{key} {rows[name][key]:.3g}" for key in ("MB", "ms", "right", "same")))


def saved(network, name):
    """Save the network's weights as safetensors; return the path."""
    save_file(network.state_dict(), folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"


# %% tags=["nbval-ignore-output"]
measure("float32", model, saved(model, "float32"))

# %% [markdown] covers=["S41"]
# ## Half precision
#
# 16 bits instead of 32 for each number. There are two kinds: `float16` has more digits, `bfloat16` the larger range. The
# size of the file is arithmetic. The time is not: it depends on whether the processor can compute with such numbers, or
# has to convert them all the time.
#
# **Commit to an answer first.** On *this* processor, will 16 bits be faster or slower?

# %% covers=["S41"] tags=["nbval-ignore-output"]
for dtype in (torch.float16, torch.bfloat16):
    name = str(dtype).removeprefix("torch.")
    half = copy.deepcopy(model).to(dtype)
    measure(name, lambda x, half=half, dtype=dtype: half(x.to(dtype)).float(), saved(half, name))

# %% [markdown]
# Half the file for sure. As for the time, compare the milliseconds with those of `float32`: a processor that has to convert gets
# slower. And the answers? Two things are rounded, and they are not the same:

# %% covers=["S41"]
numbers = torch.cat([tensor.flatten() for tensor in model.state_dict().values() if tensor.is_floating_point()])
for dtype in (torch.float16, torch.bfloat16):
    changed = (numbers.to(dtype).float() != numbers).double().mean()
    print(f"{dtype!s:15} {changed:6.1%} of the network's numbers are rounded")
with torch.no_grad():
    exact, rounded = model(validation_x[:20]), copy.deepcopy(model).half()(validation_x[:20].half()).float()
print("and yet the scores of float16 are the same:", torch.equal(exact, rounded))

# %% [markdown]
# `float16` rounds next to none of these **weights**, because the course stores its network in 16 bits already (the head that we fitted is the
# exception). But while it computes, each layer's **output** is rounded as well, and so the scores differ. What it does to the answers, the last
# column says. Stored in 16 bits and computed with in 32, as the course does, takes the certain gain and leaves the uncertain one.

# %%
ask("half-precision")

# %% [markdown] covers=["S41"]
# ## Pruning: zeros are not speed
#
# "Half of the weights can be removed", one reads. PyTorch's `prune` sets the smallest ones to **zero**.
#
# **Commit to an answer first.** What happens to the file and to the time?
#
# - (a) both are halved
# - (b) the file is halved
# - (c) neither changes

# %% covers=["S41"] tags=["nbval-ignore-output"]
zeroed = copy.deepcopy(model)
for layer in zeroed.modules():
    if isinstance(layer, nn.Conv2d):
        prune.l1_unstructured(layer, "weight", amount=0.5)
        prune.remove(layer, "weight")  # makes it permanent; before, a mask is kept beside each weight
measure("half zeros", zeroed, saved(zeroed, "half-zeros"))

# %% [markdown]
# It is (c). A zero is a number of four bytes like any other, and a processor multiplies by it like by any other. And
# what did the answers pay? Zeros only help those who make use of them: a compressed file, or programs for sparse matrices.
# (A difference of one or two milliseconds is the clock's: measure twice, and you see it come and go.)

# %% covers=["S41"]
for name in ("float32", "half-zeros"):
    content = (folder / f"{name}.safetensors").read_bytes()
    print(f"{name:11} compressed to {len(zlib.compress(content, level=1)) / len(content):.0%}")

# %% [markdown]
# That `float32` can be compressed so well is a trait of weights that were once stored in 16 bits: the lower bits are zero. Others
# hardly shrink.

# %% [markdown]
# ### Taking channels out
#
# To be faster, whole channels have to **go**, so that the layers get smaller. In a ResNet-18 each block has two
# convolutions, and the channels between them are nobody else's business. `remove_channels` (`course_utils/pruning.py`, thirty
# lines) removes those with the smallest weights. That hurts, and then the light classifier is fitted again:

# %% covers=["S41"] tags=["nbval-ignore-output"]
smaller = remove_channels(copy.deepcopy(model), share=0.25)
measure("1/4 channels out", smaller, saved(smaller, "channels"))

x, y = extract_features(smaller, transform, train, device="cpu")
again = LogisticRegression(max_iter=2000).fit(x.numpy(), y.numpy())
with torch.no_grad():
    linear.weight[1] = torch.tensor(again.coef_[0])
    linear.bias[1] = float(again.intercept_[0])
install_head(smaller, linear)
measure("... and refitted", smaller, saved(smaller, "refitted"))

# %% [markdown]
# Now the file is really smaller, and there is less to compute. Compare the two rows: fitting anew brings back right
# answers, though not the same ones as before, as the last column says. Training the whole smaller network for a few epochs, as in
# lesson 08, is the next thing to try.

# %% [markdown] covers=["S41"]
# ## Eight bits
#
# **Quantisation** stores a weight as a whole number from -128 to 127 and one scale for many of them: a quarter of the
# size, and many processors multiply such numbers faster. There are two ways to treat the numbers that flow through
# the network. **Dynamic**: the scale is found anew for each batch. **Static**: it is found once beforehand, from a few
# pictures (*calibration*).
#
# PyTorch's own `torch.ao.quantization` is deprecated; PyTorch now points to the package **torchao**, which was made for
# large language models, and those consist of linear layers. For a ResNet:

# %% covers=["S41"]
kinds = {
    kind: sum(layer.weight.numel() for layer in model.modules() if isinstance(layer, kind))
    for kind in (nn.Conv2d, nn.Linear)
}
for kind, count in kinds.items():
    print(f"{kind.__name__:7} {count:11,} weights, {count / sum(kinds.values()):.2%}")

# %% tags=["nbval-ignore-output"]
if HAS_TORCHAO:
    logging.disable(logging.WARNING)  # a note to developers that comes with the import
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_

    logging.disable(logging.NOTSET)
    eight = copy.deepcopy(model)
    quantize_(eight, Int8DynamicActivationInt8WeightConfig())
    torch.save(eight.state_dict(), folder / "torchao.pt")
    measure("int8 linear (torchao)", eight, folder / "torchao.pt")
else:
    print("Without torchao there is no such row; the counts above already tell what it would save.")

# %% [markdown]
# Next to nothing to save, and the reason stands in the counts. For the convolutions we need a **static** quantisation. torchao has one,
# `prepare_pt2e` and `convert_pt2e`, which came over from PyTorch. It works on an exported program (more on that below), and a *quantizer*
# says which steps can be done in 8 bits; the one for plain processors is `X86InductorQuantizer`. Let us ask it:

# %% tags=["nbval-ignore-output"]
if HAS_TORCHAO:
    from torchao.quantization.pt2e.quantize_pt2e import prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    program = torch.export.export(model, (torch.rand(2, 3, size, size),)).module()
    quantizer = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config())
    try:
        prepare_pt2e(program, quantizer)
        print("accepted: your version is newer than the one of this lesson")
    except ValueError as error:
        print("refused:", error)

# %% [markdown]
# Refused, by torchao 0.18 with PyTorch 2.14: it looks for *convolution, addition, ReLU*, the end of every block of a ResNet, and
# does not find its way through this one. And where it accepts a network, the speed only comes with `torch.compile`, so with a
# C++ compiler on the machine. So we take the static quantisation that comes with the next tool and needs neither.

# %%
ask("share-of-linear")

# %% [markdown] covers=["S30"]
# ## Without the Python code
#
# A state dict needs the class that it belongs to, in the same version, and Python. `torch.export` writes down **what
# the network does**, step by step, together with its weights. Dimensions that may differ later have to be named: here the
# first one, the number of pictures.

# %% covers=["S30"] tags=["nbval-ignore-output"]
any_batch = ({0: torch.export.Dim.AUTO},)
careless = torch.export.export(model, (train_x[:2],), dynamic_shapes=any_batch)
torch.export.save(careless, folder / "careless.pt2")
with zipfile.ZipFile(folder / "careless.pt2") as archive:
    kept = sum(entry.file_size for entry in archive.infolist() if "sample_inputs" in entry.filename)
print(f"two pictures have {train_x[:2].nbytes / 1e6:.1f} MB, all of them {train_x.nbytes / 1e6:.1f} MB")
print(f"the file keeps {kept / 1e6:.1f} MB of examples")

# %% [markdown]
# The example that we gave is kept in the file, and `train_x[:2]` is a **window onto all training pictures**, so all of
# them are in there. With doodles that is only a waste. With patients it would be a leak. A copy
# of the two pictures is enough, or random numbers:

# %% tags=["nbval-ignore-output"]
exported = torch.export.export(model, (torch.rand(2, 3, size, size),), dynamic_shapes=any_batch)
torch.export.save(exported, folder / "exported.pt2")
print(f"careless {(folder / 'careless.pt2').stat().st_size / 1e6:.1f} MB, ", end="")
print(f"with random numbers {(folder / 'exported.pt2').stat().st_size / 1e6:.1f} MB")
measure("torch.export", torch.export.load(folder / "exported.pt2").module(), folder / "exported.pt2")

# %% [markdown]
# ### ONNX and ONNX Runtime
#
# **ONNX** is a file format for such descriptions that does not belong to PyTorch, and **ONNX Runtime** is a program that runs
# it: on servers and phones, from C++, Java or JavaScript, without PyTorch. While loading, it joins steps that can be
# done at once, BatchNorm with the convolution before it, for example.

# %% tags=["nbval-ignore-output"]
if HAS_ONNX:
    import onnxruntime

    one_core = onnxruntime.SessionOptions()
    one_core.intra_op_num_threads = 1

    def runner(file):
        session = onnxruntime.InferenceSession(file, one_core, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"pictures": x.numpy()})[0]

    file = folder / "model.onnx"
    torch.onnx.export(
        exported, f=file, dynamo=True, external_data=False, verbose=False,
        input_names=["pictures"], output_names=["scores"],
    )  # fmt: skip
    measure("ONNX Runtime", runner(file), file)
else:
    print("Without onnx, onnxscript and onnxruntime there are no such rows.")

# %% [markdown] covers=["S41"]
# And now the static quantisation, convolutions included. A hundred training pictures tell which values flow where. Never
# calibrate on test pictures: that would be a leak like any other.

# %% covers=["S41"] tags=["nbval-ignore-output"]
if HAS_ONNX:
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class FromPictures(CalibrationDataReader):
        """Hands out the calibration pictures, batch by batch, and then None."""

        def __init__(self, pictures):
            self.batches = iter(pictures.split(20))

        def get_next(self):
            batch = next(self.batches, None)
            return None if batch is None else {"pictures": batch.numpy()}

    quant_pre_process(file, folder / "prepared.onnx")
    quantize_static(
        folder / "prepared.onnx", folder / "int8.onnx", FromPictures(train_x[:100]),
        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    measure("ONNX Runtime int8", runner(folder / "int8.onnx"), folder / "int8.onnx")

# %% [markdown]
# ## The table
#
# The rows were measured one after the other, and another program may have disturbed one of them more than the rest. So before we
# compare times, all variants take turns on the same picture, twenty rounds, and the fastest call of each counts.

# %% tags=["nbval-ignore-output"]
turns = {name: [] for name in rows}
with torch.no_grad():
    for _ in range(20):
        for name, row in rows.items():
            start = time.perf_counter()
            row["predict"](validation_x[:1])
            turns[name].append(time.perf_counter() - start)
for name, seconds in turns.items():
    rows[name]["ms"] = 1000 * min(seconds)

# %% tags=["nbval-ignore-output"]
print(f"{'':22} {'MB':>6} {'ms':>7} {'right':>7} {'same answer':>12}")
for name, row in rows.items():
    print(f"{name:22} {row['MB']:6.1f} {row['ms']:7.1f} {row['right']:7.1%} {row['same']:12.1%}")

# %% tags=["nbval-ignore-output"]
columns = {"file": "MB", "one picture": "ms", "right": "right"}
show_bar_panels(
    {title: {name: row[key] for name, row in rows.items()} for title, key in columns.items()},
    alt="File size, time for one picture and accuracy of every variant. "
    + " ".join(f"{n}: {r['MB']:.0f} MB, {r['ms']:.1f} ms, {r['right']:.0%}." for n, r in rows.items()),
    formats={"file": "{:.0f} MB", "one picture": "{:.1f} ms", "right": "{:.0%}"},
)

# %% [markdown]
# One row for each variant; in the first two columns short bars are good, in the last one long bars. Let the program choose, under
# a condition that you set beforehand: how many answers may differ from the original's? All of this was counted on validation pictures.

# %% tags=["nbval-ignore-output"]
ALLOWED = 0.02
faithful = {name: row for name, row in rows.items() if row["same"] >= 1 - ALLOWED}
smallest, fastest = (min(faithful, key=lambda name: faithful[name][key]) for key in ("MB", "ms"))
reference = rows["float32"]
print("too many other answers:", ", ".join(name for name in rows if name not in faithful) or "none")
print(f"smallest of the rest: {smallest}, 1/{reference['MB'] / rows[smallest]['MB']:.1f} of the size")
print(f"fastest of the rest:  {fastest}, 1/{reference['ms'] / rows[fastest]['ms']:.1f} of the time")

# %% [markdown]
# And now, once, the test pictures, for the original and what was chosen:

# %% tags=["nbval-ignore-output"]
test = doodle_pets(TEST_PICTURES, seed=2, size=size)
test_x, test_y = torch.stack([transform(image) for image in test.images]), torch.tensor(test.labels)
with torch.no_grad():
    for name in dict.fromkeys(["float32", smallest, fastest]):
        answers = torch.cat([torch.as_tensor(rows[name]["predict"](part)) for part in test_x.split(50)]).argmax(dim=1)
        low, high = wilson_interval(int((answers == test_y).sum()), len(test_y))
        print(f"{name:22} {(answers == test_y).double().mean():.1%} right ({low:.0%} to {high:.0%})")

# %% [markdown]
# The times are those of one core of **this** processor. On a phone, on a GPU, or on a processor of another year the order can
# be another one. The table is quick to make; make it on the machine that will do the work, with your own pictures.

# %% [markdown] covers=["S27"]
# ## Files that can be trusted
#
# A `.pt` file is a **pickle**, and a pickle is a small program that runs while it is opened. Here is a harmless trap: an
# object whose "instructions for rebuilding" are a call of `print`. It could as well be a command that sends your
# files away.


# %%
import pickle
import pickletools


class Trap:
    def __reduce__(self):
        return print, ("!!! This line was printed by a weights file.",)


stranger = folder / "resnet18_better.pt"
torch.save({**model.state_dict(), "note": Trap()}, stranger)

# %%
ignored = torch.load(stranger, weights_only=False)

# %% [markdown]
# We only *opened* it. That was the default of `torch.load` for many years, and many old scripts still ask for it. Since
# PyTorch 2.6 the default is `weights_only=True`, which knows tensors and a short list of harmless types:

# %% covers=["S27"]
try:
    torch.load(stranger)
except pickle.UnpicklingError as error:
    print("refused:", next(line.strip() for line in str(error).splitlines() if "Unsupported" in line))

# %% [markdown]
# The message also tells how to switch the protection off. Do that only for a file that you made yourself. You can look
# for such calls without opening the file, since `pickletools` reads a pickle and runs nothing:

# %%
with zipfile.ZipFile(stranger) as archive:
    program = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
calls = {argument for code, argument, _ in pickletools.genops(program) if code.name == "GLOBAL"}
print(*sorted(calls), sep="\n")

# %% [markdown]
# The lines with `torch` and `collections` are in every state dict. The one with `print` is none of a weights file's business.
# But a clean list proves nothing: newer pickles name their calls by another opcode, `STACK_GLOBAL`, which this look misses. A
# suspicion can be confirmed this way, trust cannot.
#
# Better still is a format that **cannot** hold a program. A **safetensors** file has a header in JSON and then only numbers:

# %%
try:
    load_file(stranger)
except SafetensorError as error:
    print("not a safetensors file:", type(error).__name__)

# %% [markdown] covers=["S31", "S44", "S48"]
# ### What has to travel with the weights
#
# Numbers alone are not enough. The receiver needs the architecture, the preprocessing and the names of the classes, as
# you saw in lessons 01 to 03. The header of a safetensors file has room for text:

# %% covers=["S31", "S48"]
passport = {
    "architecture": "resnet18",
    "categories": train.categories,
    "resize_size": transform.resize_size[0],
    "crop_size": transform.crop_size[0],
    "interpolation": transform.interpolation.value,
    "mean": transform.mean,
    "std": transform.std,
}
as_text = {name: json.dumps(value) for name, value in passport.items()}
save_file(model.state_dict(), folder / "pets.safetensors", metadata=as_text)

with safe_open(folder / "pets.safetensors", framework="pt") as file:
    received = file.metadata()
categories = json.loads(received["categories"])
rebuilt = models.resnet18(weights=None, num_classes=len(categories)).eval()
print(rebuilt.load_state_dict(load_file(folder / "pets.safetensors")))
print(categories, received["crop_size"], "pixels, mean", received["mean"])

# %%
with torch.no_grad():
    print("the same scores, bit for bit:", torch.equal(rebuilt(validation_x[:50]), model(validation_x[:50])))

# %% [markdown]
# The same holds for the light classifier: scikit-learn models are usually pickled, and so open to the same trap. A logistic
# regression is two arrays, `coef_` and `intercept_`, and the order of its classes, `classes_`; save those three.

# %%
ask("one-sentence-is-false")

# %% [markdown]
# ## The program
#
# Weights with a passport, and yet nobody can use them without your notebook. So the last thing to hand over is a program. It is
# short enough to read: it takes everything it needs from the passport, and it imports nothing of this course.

# %%
program = ASSETS / "predict.py"
shutil.copy(program, folder)
code = program.read_text(encoding="utf-8")
print(code[code.index("def load(") : code.index("def open_photo(")])

# %% [markdown] covers=["S31"]
# The **preprocessing is inside**. Whoever runs the program cannot forget it, as so many did in lesson 02. Now we do what a stranger would do: save
# some photos as files, start the program outside this notebook, and look at what it prints.

# %% tags=["nbval-ignore-output"]
photos = [folder / f"photo{number}.png" for number in range(20)]
for photo, image in zip(photos, test.images, strict=False):
    image.save(photo)
run = subprocess.run([sys.executable, folder / "predict.py", *photos], capture_output=True, text=True, check=True)
lines = [line.split("\t") for line in run.stdout.splitlines()]
for name, category, probability in lines[:3]:
    print(Path(name).name, category, probability)

# %% [markdown]
# Does it say what the notebook says? Not "about": the same answer for each photo, and the same probability to the last digit that it prints.

# %%
with torch.no_grad():
    here = model(test_x[:20]).softmax(dim=1)
expected = [(train.categories[int(p.argmax())], p.max().item()) for p in here]
same = [
    category == name and abs(float(text) - p) < 1e-4
    for (_, category, text), (name, p) in zip(lines, expected, strict=True)
]
print(f"{sum(same)} of {len(same)} photos: same answer, same probability")
assert all(same)

# %% [markdown]
# A test like this belongs beside every program that is handed over. It fails on the day on which somebody changes one side only: the
# weights, the preprocessing, or the order of the categories. (The course runs it on `predict.py`, too: `tests/floor/test_predict_program.py`.)

# %% [markdown]
# ## What you now know
#
# - One backbone, run once, feeds any number of light classifiers; a logistic regression even is a head.
# - Half precision halves the file for sure, and the time on some machines.
# - Zeros save neither bytes nor time. Channels that are gone save both, and change answers.
# - Dynamic 8-bit quantisation of linear layers does next to nothing for a ResNet. Static quantisation reaches the convolutions.
# - `torch.export` and ONNX carry the network without its Python code; look at what else they carry.
# - Choose on validation pictures; the table's winner meets the test pictures once.
# - A model is shipped when a program with its preprocessing inside gives the notebook's answers on another machine, and a test says so.
# - A pickle is a program. Open with `weights_only=True`, give away safetensors, and put the passport into the header.
#
# ## Where to practise
#
# - The graded assignment **ps5-choose-and-ship** (in `exercises/release/`, or from your instructor).
# - `ask("children-without-flatten")`, from this lesson's part of the bank.
# - Remove half of the channels instead of a quarter, then train the smaller network as in lesson 08 and add a row.
# - Set `ALLOWED` to what your own project could bear, and see which variant is left.
#
# [Next: The same in Keras](10_the_same_in_keras.ipynb)
