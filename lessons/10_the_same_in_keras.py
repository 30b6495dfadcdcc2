# %% [markdown]
# # The same in Keras
#
# Many examples that you will find on the web load VGG16 or MobileNetV2 from `keras.applications`. The names are those
# that you know, the networks are (nearly) those that you know, and yet several habits from torchvision lead astray
# here, some of them without a message. This lesson puts both side by side, and carries the course's own network over.
#
# **After this lesson you can**
#
# - run a Keras model on PyTorch, with its trained weights or without,
# - give it pictures in the shape, the order of colours and the range of values that it was trained with,
# - say why a second softmax spoils its answers,
# - carry trained weights from PyTorch to Keras, and prove that both say the same,
# - freeze and fine-tune a Keras model, and tell which part of the advice on the web still holds.
#
# **Time:** 55 minutes. **You need:** lessons [02](02_preprocessing.ipynb), [03](03_inference.ipynb) and
# [05](05_fine_tuning_the_last_layer.ipynb), and the package `keras`. TensorFlow is not needed.

# %%
from course_utils.packages import require

require("keras")  # where it is missing, this says how to get it

# %% [markdown] covers=["S50"]
# ## Keras is a front, and something else computes
#
# Keras 3 has no arithmetic of its own. It passes the work on to a **backend**: TensorFlow, JAX, or PyTorch. Which one
# is decided once, by an environment variable, **before** the first `import keras`. So the line `from
# tensorflow.keras.applications import VGG16`, which you meet everywhere, asks for TensorFlow without need.

# %% tags=["nbval-ignore-output"]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from torch import nn
from torchvision import models

from course_utils import accuracy, ask, doodle_pets, extract_features, fit_head, freeze_backbone, load_pretrained
from course_utils import replace_head, sample_images
from course_utils.plots import show_images
from course_utils.weights import can_download

print("Keras", keras.__version__, "on", keras.backend.backend(), torch.__version__)

# %% [markdown]
# ## Which models, which weights
#
# **Commit to an answer first.** This course has mostly used ResNet-18. Which of these are in `keras.applications`?
#
# - (a) AlexNet, ResNet-18, ResNet-50, VGG16, MobileNetV2
# - (b) all but AlexNet
# - (c) only ResNet-50, VGG16 and MobileNetV2

# %% covers=["S61"]
for name in ("AlexNet", "ResNet18", "ResNet50", "VGG16", "MobileNetV2"):
    print(f"{name:12} {'yes' if hasattr(keras.applications, name) else 'no'}")
there = sum(name[0].isupper() for name in dir(keras.applications))
print(there, "classifiers there,", len(models.list_models(module=models)), "in torchvision")

# %% [markdown]
# It is (c): AlexNet and ResNet-18 are missing. The weights are asked for in other words, too. Try the name from
# torchvision:

# %% covers=["S50", "S78"]
try:
    keras.applications.VGG16(weights="IMAGENET1K_V1")
except ValueError as error:
    print(error)

# %% [markdown]
# So it is `"imagenet"`, or `None` for random numbers, or the path of a file. Which of them do you get when you say nothing, and
# what is behind the word `"imagenet"`? Keras' own code tells both:

# %% covers=["S50"]
import inspect
import re

print("default:", inspect.signature(keras.applications.VGG16).parameters["weights"].default)
print("files:  ", *re.findall(r'"(\S+\.h5)"', inspect.getsource(keras.applications.VGG16)))

# %% [markdown] covers=["S50"]
# Two habits from torchvision fail here. `VGG16()` *without* an argument loads trained weights, while `vgg16()` of torchvision has
# random ones. And there is one file for each model (a second one without the top), where torchvision may have several to choose from. The
# categories and the preprocessing come separately, as you will see.
#
# The next cell takes MobileNetV2 with trained weights (14 MB) where they can be had, else with random ones. For
# shapes and ranges random ones are as good. Where trained weights matter, further down, we bring our own.


# %%
def imagenet_or_none():
    """What to load: the trained weights if the computer that has them answers, else none."""
    if os.environ.get("COURSE_WEIGHTS") == "course":
        return None
    return "imagenet" if can_download("https://storage.googleapis.com/") else None


WEIGHTS = imagenet_or_none()
keras.utils.set_random_seed(0)
mobilenet = keras.applications.MobileNetV2(weights=WEIGHTS)
vgg = keras.applications.VGG16(weights=None)  # its trained weights are 528 MB; we only look at shapes
print("MobileNetV2 with", WEIGHTS or "random", "weights")

# %% [markdown]
# ## What goes in, what comes out
#
# **Commit to an answer first.** One photo, 224 x 224 pixels, in colour, as an array of shape (1, 224, 224, 3). What is
# the shape of `mobilenet.predict(photo)`?
#
# - (a) (1, 224, 224, 3)
# - (b) (1, 1000)
# - (c) (1000,)

# %% covers=["S50", "S74"]
coffee = sample_images()["coffee"]
print("photo:", coffee.source, "-", coffee.licence)
photo = np.asarray(coffee.square.resize((224, 224)))
batch = photo[np.newaxis]
print("goes in: ", batch.shape, batch.dtype, "from", batch.min(), "to", batch.max())
for name, model in {"VGG16": vgg, "MobileNetV2": mobilenet}.items():
    print(f"{name:12}", model.predict(batch.astype("float32"), verbose=0).shape)

# %% [markdown]
# It is (b), as in torchvision: one row for each picture, one column for each class. (`verbose=0` because `predict`
# prints a progress bar otherwise.) What went in has another shape, though: the three colours come **last**, as they do
# in an array made from a photo. It is so on the PyTorch backend, too. A batch in torchvision's order is refused:

# %% covers=["S74"]
for shape in ((1, 3, 224, 224), (1, 160, 160, 3)):
    try:
        mobilenet.predict(np.zeros(shape, dtype="float32"), verbose=0)
    except ValueError as error:
        print(error)

# %% [markdown]
# The second message is not about the order. With its top, a Keras model takes **the one size that it was built for**:
# 224 unless you say otherwise. Another size has to be said when the model is built; torchvision's MobileNetV2 takes
# what comes.

# %%
wider = keras.applications.MobileNetV2(weights=None, input_shape=(160, 160, 3))
print("built for 160:", wider.predict(np.zeros((1, 160, 160, 3), dtype="float32"), verbose=0).shape)
with torch.no_grad():
    for side in (160, 224):
        print(
            "torchvision, side",
            side,
            tuple(models.mobilenet_v2(weights=None).eval()(torch.zeros(1, 3, side, side)).shape),
        )

# %% [markdown]
# ### Turn the axes, do not reshape
#
# Somebody who has a tensor of shape (3, 224, 224) and reads the message needs (224, 224, 3). There are two ways to
# get that shape, and Keras accepts both.
#
# **Commit to an answer first.** Which of these two shows the cup of coffee?
#
# - (a) `tensor.reshape(224, 224, 3)`
# - (b) `tensor.permute(1, 2, 0)`

# %%
tensor = torch.from_numpy(photo.copy()).permute(2, 0, 1)
reshaped, turned = tensor.reshape(224, 224, 3), tensor.permute(1, 2, 0)
print(tuple(tensor.shape), "->", tuple(reshaped.shape), "and", tuple(turned.shape))
show_images(
    [photo, reshaped.numpy(), turned.numpy()],
    ["the photo", "reshape(224, 224, 3)", "permute(1, 2, 0)"],
    alt="Three pictures of the same shape. The photo: a cup of coffee. After reshape: nine small, almost grey cups in "
    "three rows of three. After permute: the photo again.",
    columns=3,
)

# %% [markdown]
# Both have the right shape, and only (b) is the photo. `reshape` reads the numbers in the order in which they lie in
# memory and breaks the lines elsewhere; `permute` knows what an axis is. No error, no warning: **look at what you
# feed.**

# %%
ask("keras-channels")

# %% [markdown] covers=["S50", "S57", "S74"]
# ## Probabilities, not logits
#
# In lesson [03](03_inference.ipynb) the 1000 scores went through a softmax before they were probabilities. What about
# these?

# %% covers=["S57"]
scores = mobilenet.predict(keras.applications.mobilenet_v2.preprocess_input(batch.astype("float32")), verbose=0)
print(f"any below zero: {bool((scores < 0).any())}; sum of the row: {scores.sum():.3f}")
print("the last layer ends with:", mobilenet.layers[-1].activation.__name__)

# %% [markdown]
# They are all positive and add up to 1: the softmax is inside the model. `classifier_activation=None` leaves it out
# and gives logits, as torchvision does. Let us give both models the same weights and compare:

# %%
with_logits = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
with_logits.set_weights(mobilenet.get_weights())
logits = with_logits.predict(keras.applications.mobilenet_v2.preprocess_input(batch.astype("float32")), verbose=0)
same = np.allclose(torch.from_numpy(logits).softmax(dim=1), scores, atol=1e-6)
print(f"any below zero: {bool((logits < 0).any())}; their softmax is what the other model gave: {same}")

# %% [markdown]
# **Commit to an answer first.** A habit from torchvision: you put a softmax behind the Keras model, too. It was
# perfectly sure, 1.0 for one class and 0.0 for 999. What is left of the 1.0?
#
# - (a) 1.0, since a softmax of probabilities changes nothing
# - (b) about one half
# - (c) less than one percent

# %%
sure = torch.zeros(1, 1000)
sure[0, 504] = 1.0
print(f"{sure.softmax(dim=1)[0, 504]:.2%} for the winner, {sure.softmax(dim=1)[0, 0]:.2%} for each of the others")

# %% [markdown]
# It is (c). The order of the classes survives, so the answer is still right and nobody notices; every confidence is
# nonsense. The same happens in training: a loss that expects logits (`from_logits=True`, or PyTorch's
# `CrossEntropyLoss`) applies its own softmax to the one in the model.

# %%
ask("keras-probabilities")

# %% [markdown] covers=["S50"]
# ## Each family has its own preprocessing
#
# In torchvision `weights.transforms()` brings resizing and normalisation along. In Keras each family has a module
# with a function `preprocess_input`, all under the same name. Here is one orange pixel, and what four of these
# functions make of it.

# %% covers=["S50"]
orange = np.array([[[[255, 128, 0]]]], dtype="uint8")
for family in ("vgg16", "mobilenet_v2", "densenet", "efficientnet"):
    module = getattr(keras.applications, family)
    prepared = module.preprocess_input(orange)
    print(f"{family:14}", *(f"{value:8.2f}" for value in prepared.ravel()))
transform = models.VGG16_Weights.DEFAULT.transforms(crop_size=1, resize_size=1)
prepared = transform(torch.from_numpy(orange[0]).permute(2, 0, 1))
print(f"{'torchvision':14}", *(f"{value:8.2f}" for value in prepared.ravel().tolist()))

# %% [markdown]
# Four families, four ways:
#
# - **VGG16** (and ResNet-50) takes the colours in the order **blue, green, red**, minus a mean for each, and divides
#   by nothing. Its first number is the blue one. It is how Caffe did it, the library in which these weights were
#   trained.
# - **MobileNetV2** takes -1 to 1.
# - **DenseNet** takes what torchvision takes.
# - **EfficientNet** takes 0 to 255; the first layers of the model do the rest.
#
# The wrong one of them is never an error. As pictures:

# %%
prepared = {
    "the photo": photo,
    "for VGG16": keras.applications.vgg16.preprocess_input(batch)[0],
    "for MobileNetV2": keras.applications.mobilenet_v2.preprocess_input(batch)[0],
}
show_images(
    list(prepared.values()),
    [f"{name}\n{array.min():.0f} to {array.max():.0f}" for name, array in prepared.items()],
    alt="The cup of coffee three times, with the range of values above each. As VGG16 takes it, brown has become blue, "
    "since red and blue have changed places. As MobileNetV2 takes it, it has the colours of the photo.",
    columns=3,
)

# %% [markdown]
# Each picture is stretched to its own range before it is shown, so what you can see is the order of colours: brown has
# become blue in the middle one.
#
# Many examples feed `np.random.rand(1, 224, 224, 3)` for a try. What does that range become?

# %% covers=["S74"]
noise = np.random.default_rng(0).random((1, 224, 224, 3))
small = keras.applications.mobilenet_v2.preprocess_input(noise.copy())
print(f"0 to 1 becomes {small.min():.3f} to {small.max():.3f}: to the model, a black picture")

# %% [markdown]
# ### The cell that is run twice
#
# **Commit to an answer first.** `preprocess_input(x)` returns the prepared array. What has happened to `x`?
#
# - (a) Nothing, of course.
# - (b) It has been changed.
# - (c) It depends on the type of its numbers.

# %%
for dtype in ("uint8", "float32"):
    x = np.full((1, 224, 224, 3), 200, dtype=dtype)
    for attempt in ("first time:", "second time:"):
        y = keras.applications.mobilenet_v2.preprocess_input(x)
        print(f"{dtype:8} {attempt:12} x is {x.ravel()[0]:.2f}, result {y.ravel()[0]:.2f}")

# %% [markdown]
# It is (c). Whole numbers have to be turned into floats first, so a copy is made. An array that holds floats already
# is changed **in place**, and with it your only copy of the picture: run the cell a second time, and the result is
# another one. Write `preprocess_input(x.copy())`, or give it the `uint8` array that a photo is.

# %%
ask("keras-preprocess-twice")

# %% [markdown]
# ## Is it the same network?
#
# Names prove nothing. And ResNet-18, the network of this course, is not even in `keras.applications`. So let us write it
# in Keras, carry the course's trained weights over, and compare what both say about the same pictures.
#
# A ResNet is made of blocks: two convolutions, and a shortcut around them. PyTorch pads by a number of pixels on each
# side; `padding="same"` of Keras does something else where the stride is 2, so we pad by hand.

# %% covers=["S50"]
from keras import layers


def convolution(x, channels, name, size=3, stride=1):
    x = layers.ZeroPadding2D(size // 2)(x)
    return layers.Conv2D(channels, size, strides=stride, use_bias=False, name=name)(x)


def batch_norm(x, name):
    return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=name)(x)  # PyTorch's numbers


def block(x, channels, stride, name):
    y = layers.ReLU()(batch_norm(convolution(x, channels, f"{name}_conv1", stride=stride), f"{name}_bn1"))
    y = batch_norm(convolution(y, channels, f"{name}_conv2"), f"{name}_bn2")
    if stride > 1:  # the shortcut has to shrink as well
        x = convolution(x, channels, f"{name}_downsample_0", size=1, stride=stride)
        x = batch_norm(x, f"{name}_downsample_1")
    return layers.ReLU()(layers.add([x, y]))


# %%
def resnet18_in_keras(num_classes):
    inputs = keras.Input((None, None, 3))
    x = layers.ReLU()(batch_norm(convolution(inputs, 64, "conv1", size=7, stride=2), "bn1"))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        for number in (0, 1):
            x = block(x, channels, 2 if stage > 1 and number == 0 else 1, f"layer{stage}_{number}")
    x = layers.GlobalAveragePooling2D(name="avgpool")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="fc")(x))


# %% [markdown]
# The layers bear torchvision's names, with `_` for the dot. So each finds its weights by name. A convolution's weights are
# stored in another order:

# %% covers=["S50"]
ours, weights = load_pretrained("resnet18", "course")
theirs = resnet18_in_keras(len(weights.meta["categories"]))
print("torchvision:", tuple(ours.conv1.weight.shape), "= out, in, height, width")
print("Keras:      ", tuple(theirs.get_layer("conv1").kernel.shape), "= height, width, in, out")


def carry_over(source, target):
    """Copy the weights of a torchvision ResNet into the layers of the same names."""
    for layer in target.layers:
        if not layer.weights:
            continue
        part = source.get_submodule(layer.name.replace("_", "."))
        tensors = [part.weight, part.bias]
        if isinstance(layer, layers.Conv2D):
            tensors = [part.weight.permute(2, 3, 1, 0)]  # the axes turned, not reshaped
        elif isinstance(layer, layers.BatchNormalization):
            tensors += [part.running_mean, part.running_var]
        else:
            tensors[0] = part.weight.T
        layer.set_weights([tensor.detach().cpu().numpy() for tensor in tensors])


# %% [markdown]
# **Commit to an answer first.** After the transfer, how far apart are the scores of the two?
#
# - (a) equal up to rounding
# - (b) similar, since the libraries pad differently
# - (c) unrelated

# %% covers=["S50"]
carry_over(ours, theirs)
prepare = weights.transforms()
pets = doodle_pets(200, seed=0)
in_torch = torch.stack([prepare(image) for image in pets.images])
in_keras = in_torch.permute(0, 2, 3, 1).numpy()
with torch.no_grad():
    scores = ours(in_torch[:20])
others = torch.from_numpy(theirs.predict(in_keras[:20], verbose=0))
difference = (scores - others).abs().max() / scores.abs().max()
print("shapes:", tuple(scores.shape), "and", tuple(others.shape))
print("equal up to rounding:", bool(difference < 1e-4))
print("the same answer for all twenty:", bool((scores.argmax(dim=1) == others.argmax(dim=1)).all()))

# %% [markdown]
# It is (a). And what does it say, in Keras, about the cup of coffee?

# %% covers=["S50"]
probabilities = keras.ops.softmax(
    theirs.predict(prepare(coffee.square).permute(1, 2, 0).numpy()[np.newaxis], verbose=0)
)[0]
for index in np.argsort(-keras.ops.convert_to_numpy(probabilities))[:3]:
    print(f"{weights.meta['categories'][index]:20} {float(probabilities[index]):.1%}")

# %% [markdown]
# A **parity check** like this one belongs to every port: same pictures, both networks, largest difference. It was (a)
# because we took care of three things: the axes of the weights, the padding, and BatchNorm's small number. With the
# MobileNetV2 from `keras.applications` the answer would be (b). It is built by the same plan, but not quite:

# %%
another = models.mobilenet_v2(weights=None)
first, second = another.features[0], another.features[2]
print(f"{'':12} BatchNorm adds   zeros before and after the rows of a map")
print(f"{'Keras':12} {mobilenet.get_layer('bn_Conv1').epsilon:14}   {mobilenet.get_layer('block_1_pad').padding[0]}")
print(f"{'torchvision':12} {first[1].eps:14}   {second.conv[1][0].padding}")

# %% [markdown]
# Every tensor of one finds its place in the other, and yet the two do not compute the same. Even counting is done
# differently:

# %%
count = sum(parameter.numel() for parameter in another.parameters())
statistics = sum(int(np.prod(weight.shape)) for weight in mobilenet.non_trainable_weights)
print(f"MobileNetV2 has {mobilenet.count_params():,} in Keras and {count:,} in torchvision;")
print(f"{statistics:,} of Keras' are averages inside BatchNorm: {mobilenet.count_params() - count == statistics}")

# %% [markdown] covers=["S36", "S50"]
# ## What freezing means here
#
# In lesson [05](05_fine_tuning_the_last_layer.ipynb) a backbone with `requires_grad=False` moved all the same:
# BatchNorm's running averages follow the data in train mode, and only `eval()` stops them. Keras has one switch for a
# layer or a model, `trainable`, and one argument for a call, `training`.
#
# **Commit to an answer first.** Which of these keep **every** number of the backbone where it is during `fit`?
#
# - (a) `base.trainable = False`
# - (b) `base(x, training=False)`, as many guides write
# - (c) only both together
#
# We train the carried-over network three steps on eight drawings and count what has changed in the backbone: what was
# learned by gradients, and what BatchNorm has averaged.


# %%
pixels, labels = in_keras[:8, ::2, ::2], np.array(pets.labels[:8])  # every other pixel is enough to count


def a_classifier(freeze, **call):
    """The carried-over ResNet-18 without its top, and a new head; ``freeze(base)`` is called before they are joined."""
    keras.utils.set_random_seed(0)
    whole = resnet18_in_keras(len(weights.meta["categories"]))
    carry_over(ours, whole)
    base = keras.Model(whole.input, whole.get_layer("avgpool").output)
    freeze(base)
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Dense(2, activation="softmax")(base(inputs, **call))
    return keras.Model(inputs, outputs), base


def fit_three_steps(model):
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")
    model.fit(pixels, labels, epochs=3, batch_size=8, verbose=0)


# %%
def changes(before, after):
    """How many tensors learned, and how many averages moved, of two dicts name -> tensor."""
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    changed = [name for name in changed if "num_batches" not in name]  # PyTorch also counts the batches
    averages = [name for name in changed if "moving_" in name or "running_" in name]
    return len(changed) - len(averages), len(averages)


def numbers_of(base):
    return {weight.path: keras.ops.convert_to_numpy(weight).copy() for weight in base.weights}


def freeze_batch_norm(base):
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


# %%
ways = {
    "nothing done": (lambda base: None, {}),
    "base(x, training=False)": (lambda base: None, {"training": False}),
    "base.trainable = False": (lambda base: setattr(base, "trainable", False), {}),
    "only BatchNorm frozen": (freeze_batch_norm, {}),
}
table = {}
for way, (freeze, call) in ways.items():
    model, base = a_classifier(freeze, **call)
    before = numbers_of(base)
    fit_three_steps(model)
    table[f"Keras    {way}"] = changes(before, numbers_of(base))

# %% [markdown]
# And the two ways from lesson 05, in PyTorch, on the same network:


# %%
def three_steps_in_torch(freeze):
    torch.manual_seed(0)
    model = freeze(replace_head(load_pretrained("resnet18", "course", quiet=True)[0], 2))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items() if not name.startswith("fc.")}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01)
    model.train()
    for _ in range(3):
        optimizer.zero_grad()
        scores = model(torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2))
        nn.functional.cross_entropy(scores, torch.from_numpy(labels)).backward()
        optimizer.step()
    return changes(before, model.state_dict())


def without_gradients(model):
    model.requires_grad_(False)
    model.fc.requires_grad_(True)
    return model


table["PyTorch  requires_grad = False"] = three_steps_in_torch(without_gradients)
table["PyTorch  freeze_backbone"] = three_steps_in_torch(freeze_backbone)

# %% covers=["S36"]
print(f"{'changed in the backbone:':34} {'learned':>8} {'averages':>9}")
for way, (learned, averages) in table.items():
    print(f"{way:34} {learned:8} {averages:9}")

# %% [markdown]
# Read it row by row.
#
# - **`trainable = False` is enough, so it is (a).** Keras has a rule for BatchNorm alone: a frozen layer of it works
#   with its stored averages and leaves them alone. Its counterpart in PyTorch, `requires_grad = False`, leaves the
#   averages moving.
# - **`training=False` in the call stops nothing here.** It cannot stop the gradients, that was never its task. But it
#   should stop the averages, and guides promise that it does. While `fit` runs, it tells every layer of the model
#   `training=True`, and that overrides what was said when the model was put together. A reader of the guide [noticed
#   it](https://github.com/keras-team/keras/issues/20285) in 2024. If the table shows no averages in that row on your
#   computer, your version has learned to listen.
# - **To fine-tune the weights and keep the averages**, freeze the BatchNorm layers one by one, as in the last row of
#   Keras: the convolutions learned, and no average moved. BatchNorm's own scale and shift stand still as well, so fewer
#   tensors learned than in the first row. Lesson 08 measured what the averages are worth.

# %%
ask("keras-frozen-batchnorm")

# %% [markdown]
# ### Unfreezing is not enough
#
# First the head, then everything: in Keras the second part has a catch. `compile` gives the optimizer its list of
# what is to learn.
#
# **Commit to an answer first.** After `fit`, we set `base.trainable = True` and call `fit` again, without `compile`.
# What happens?
#
# - (a) Everything learns.
# - (b) Only the head learns, silently.
# - (c) An error.

# %%
model, base = a_classifier(lambda base: setattr(base, "trainable", False))
fit_three_steps(model)
base.trainable = True
try:
    model.fit(pixels, labels, epochs=1, verbose=0)
except ValueError as error:
    print(str(error).split(",")[0], "...")

# %%
before = numbers_of(base)
fit_three_steps(model)  # this one begins with compile
print("tensors that learned, averages that moved:", changes(before, numbers_of(base)))

# %% [markdown]
# It is (c), in words that do not help: an *unknown variable* is one that the optimizer was not told of. `compile`
# after every change of `trainable`. (In PyTorch the same mistake, an optimizer built too early, goes by without a
# word.)
#
# ## Fine-tuning, from beginning to end
#
# Now all of it together, as in lessons 05 and 08: features once, a head on them, then everything with small steps and
# BatchNorm still. 100 drawings to learn from, 100 to test on.
#
# **Commit to an answer first.** What will be different from PyTorch: the accuracies, or only the words?

# %% covers=["S50"] tags=["nbval-ignore-output"]
keras.utils.set_random_seed(0)
base = keras.Model(theirs.input, theirs.get_layer("avgpool").output)
x, y, x_test, y_test = in_keras[:100], np.array(pets.labels[:100]), in_keras[100:], np.array(pets.labels[100:])
features = base.predict(x, verbose=0)

head = keras.Sequential([keras.Input((512,)), layers.Dense(2)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # our head gives logits, and we say so
head.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
head.fit(features, y, epochs=30, verbose=0)

# %% tags=["nbval-ignore-output"]
together = keras.Sequential([base, head])


def accuracy_in_keras():
    return float((together.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean())


print(f"head only:  {accuracy_in_keras():.0%} of 100 test drawings")
base.trainable = True
freeze_batch_norm(base)
together.compile(optimizer=keras.optimizers.Adam(1e-4), loss=loss)  # after the change of trainable
together.fit(x, y, epochs=2, batch_size=20, verbose=0)
print(f"everything: {accuracy_in_keras():.0%}")

# %% tags=["nbval-ignore-output"]
linear, _ = fit_head(*extract_features(ours, prepare, pets.subset(range(100)), device="cpu"), num_classes=2)
x_torch, y_torch = extract_features(ours, prepare, pets.subset(range(100, 200)), device="cpu")
print(f"the head of lesson 05, in PyTorch: {accuracy(y_torch, linear(x_torch).argmax(dim=1)):.0%}")

# %% [markdown]
# The words differ; features, heads and accuracies are of one kind (with 100 test drawings, eight points are luck). And since Keras
# runs on PyTorch here, the model *is* a PyTorch module:

# %%
print(isinstance(together, torch.nn.Module))

# %% [markdown] covers=["S44"]
# ## The same pattern elsewhere
#
# A library of finished networks, weights to load, a head to replace: torchvision and Keras are two of many that follow this pattern.
# A third, `timm`, has more than a thousand networks on PyTorch. (The course's set-up leaves it out. Where it is missing, the next cell says how to
# get it, and the lesson goes on without.)
#
# **Commit to an answer first.** You have carried the course's ResNet-18 to Keras by hand. timm has a `resnet18`, too. What will
# happen to our state dict there, with `strict=True`?
#
# - (a) An error: other names, other shapes.
# - (b) It fits, but the answers are others.
# - (c) It fits, and so do the answers.

# %% covers=["S44"]
from importlib.util import find_spec

if find_spec("timm"):
    import timm

    in_timm = timm.create_model("resnet18", num_classes=len(weights.meta["categories"])).eval()
    print(in_timm.load_state_dict(ours.state_dict()))
    with torch.no_grad():
        print("the same scores:", torch.allclose(in_timm(in_torch[:20]), ours(in_torch[:20]), atol=1e-4))
else:
    print("timm is not installed here. Run `%pip install timm` in a cell of its own, then this one again.")

# %% [markdown] covers=["S44"]
# It is (c): a paper's architecture, written twice with the same names, and the weights do not mind who computes with them.
# Now ask all three libraries for a ResNet-50 with random weights and a new head for three categories:

# %% covers=["S44"]
built = {
    "torchvision": replace_head(models.resnet50(weights=None), 3),
    "Keras": keras.Sequential(
        [keras.applications.ResNet50(weights=None, include_top=False, pooling="avg"), layers.Dense(3)]
    ),
}
if find_spec("timm"):
    built["timm"] = timm.create_model("resnet50", num_classes=3)

for library, network in built.items():
    numbers = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    channels_last = library == "Keras"
    scores = network(torch.rand(2, 64, 64, 3) if channels_last else torch.rand(2, 3, 64, 64))
    print(f"{library:12} {numbers:,} weights that can learn, scores {tuple(scores.shape)}")

# %% [markdown] covers=["S44"]
# One network, three libraries. (Keras gives each convolution a bias as well, hence its few numbers more.) So for the next library, too, you
# know what to look for. Here are timm and `transformers`, the library of the Hugging Face hub, in the same rows:
#
# | | timm | transformers |
# |---|---|---|
# | trained weights | `timm.create_model("resnet50", pretrained=True)` | `AutoModelForImageClassification.from_pretrained("microsoft/resnet-50")` |
# | preprocessing | `timm.data.create_transform(**timm.data.resolve_data_config({}, model=model))` | `AutoImageProcessor.from_pretrained("microsoft/resnet-50")` |
# | output | logits | an object; the logits are its `.logits` |
# | names of the classes | `timm.data.ImageNetInfo().index_to_description(504)` | `model.config.id2label` |
# | a new head | `model.reset_classifier(3)` | `num_labels=3, ignore_mismatched_sizes=True` when loading |
#
# Both fetch their weights from the hub, so these lines need a network.

# %%
ask("what-to-look-for")

# %% [markdown]
# ## One page to take along
#
# | | torchvision | Keras |
# |---|---|---|
# | trained weights | `weights="DEFAULT"`, or a member of the enum | `weights="imagenet"`, the default |
# | random weights | `weights=None`, the default | `weights=None` |
# | a batch | (N, 3, H, W) | (N, H, W, 3) |
# | preprocessing | `weights.transforms()` | `preprocess_input` from the model's own module; resize yourself |
# | output | logits | probabilities; logits with `classifier_activation=None` |
# | names of the classes | `weights.meta["categories"]` | `decode_predictions(scores)`, which downloads a list |
# | predict | `model.eval()`, then `model(x)` under `torch.no_grad()` | `model.predict(x)` |
# | without the head | `nn.Identity()` in its place | `include_top=False, pooling="avg"` |
# | freeze | `requires_grad_(False)` **and** `eval()` | `trainable = False`, then `compile` |
#
# ## What you now know
#
# - Keras is a front; `KERAS_BACKEND=torch` before the first import, and no TensorFlow is needed.
# - Channels last, probabilities, a preprocessing function for each family: three places where habits from torchvision
#   fail, two of them silently.
# - A port is finished when a parity check says so: same pictures, both networks, largest difference.
# - `reshape` is not `permute`, and `preprocess_input` may change your own array.
# - Builder, weights, preprocessing, head: other libraries follow the same pattern under other names.
# - `trainable = False` freezes BatchNorm whole; `training=False` in a functional model does not. You have counted
#   both.
#
# ## Where to practise
#
# - The graded assignment **quiz-5**, which has questions on Keras as well.
# - `ask("keras-training-false")`, and `progress()`, which draws how far you are.
# - Take a Keras example from the web, and go through the table above line by line: which rows does it get wrong?
#
# This was the last lesson. [Lesson 05](05_fine_tuning_the_last_layer.ipynb) with pictures of your own is a good way
# to go on.
