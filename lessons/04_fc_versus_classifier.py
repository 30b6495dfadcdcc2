# %% [markdown]
# # `fc` or `classifier`?
#
# To teach a network your own classes you replace its last layer, the **head**. With a ResNet that is one line, found in
# a hundred tutorials: `model.fc = nn.Linear(model.fc.in_features, 2)`. Change the first line of the program from ResNet to
# VGG, and that line stops with an error, or, worse, does not. This lesson ends with a function that
# replaces the head of any classifier in torchvision.
#
# **After this lesson you can**
#
# - read `'VGG' object has no attribute 'fc'` and its relatives, and say which object was asked,
# - find the head of any torchvision classifier, and replace it with the right number of inputs,
# - notice the replacements that fail without a message, by looking at the shape of the output,
# - say what a shape error on the last layer really means, and freeze the other layers in the right order.
#
# **Time:** 45 minutes. **You need:** lesson [03](03_inference.ipynb). No network, no GPU.

# %%
import copy
import re
import textwrap

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision import models

from course_utils import ask, commit, find_head, freeze_backbone, guesses, load_pretrained, replace_head
from course_utils import reveal, sample_images
from course_utils.plots import PALETTE, show

# %% [markdown]
# ## Models on paper
#
# This lesson is about names and shapes, not about what a model has learned. So most models here are built on PyTorch's
# `meta` device: every layer is there, with its name and its sizes, but no tensor holds any numbers. A network of 500 MB
# takes next to no memory, and a forward pass tells the shape of the result without computing anything.


# %%
def blueprint(name):
    """A torchvision classifier without numbers: the layers and their shapes."""
    options = {"init_weights": False} if name == "inception_v3" else {}  # it wants this to be stated
    with torch.device("meta"):
        return models.get_model(name, weights=None, **options)


def output_shape(model, side=224):
    """The shape of the scores that a model in eval mode gives for two pictures."""
    return tuple(model.eval()(torch.empty(2, 3, side, side, device="meta")).shape)


def count_weights(module):
    return sum(parameter.numel() for parameter in module.parameters())


vgg = blueprint("vgg16")
print(f"{count_weights(vgg):,} weights on paper, scores of shape", output_shape(vgg))

# %% [markdown] covers=["S46", "S75"]
# ## The error
#
# Two pictures, 1000 scores each. Now the line from the tutorial: what is the head's number of inputs?

# %% covers=["S46", "S75"] tags=["raises-exception"]
vgg.fc.in_features

# %% [markdown]
# The last line of the traceback has three parts: **what** happened (`AttributeError`), **who** was asked (an object of
# the class `VGG`), and **for what** (`fc`). Nothing is broken, no weights are missing, no shape is wrong: a VGG has no
# part of that name.
#
# **Commit to an answer first.** A search for this error mostly finds another message, `'Sequential' object has no
# attribute 'fc'`. Which of these lines gives it?
#
# - (a) `vgg16().fc`
# - (b) `vgg16().classifier.fc`
# - (c) `resnet18().fc`

# %% covers=["S75"]
resnet, mobilenet = blueprint("resnet18"), blueprint("mobilenet_v2")
vit, squeezenet = blueprint("vit_b_16"), blueprint("squeezenet1_1")
lines = [
    "vgg.fc",
    "mobilenet.fc",
    "vit.fc",
    "resnet.classifier",
    "vgg.classifier.fc",
    "nn.Sequential(*list(resnet.children())[:-1]).fc",
    "vgg.classifier.in_features",
    "squeezenet.classifier[1].in_features",
]
for line in lines:
    try:
        eval(line)  # runs the text as code, so that we can print it beside its message
    except AttributeError as error:
        print(f"{line:48} {error}")

# %% [markdown]
# It is (b), and there is a second way to it: a model that somebody rebuilt from its `children()`, which is a plain
# `Sequential` without any of the old names. Each message names **the object that was asked**, so `'Sequential'` says that
# the question went to a part of a model, or to a rebuilt one, and not to the model itself.

# %%
ask("classifier-in-features")

# %% [markdown]
# ## Where the head sits
#
# Let us draw the models. First a small function: it cuts a model into its top-level parts and opens the last one.
# `find_head` is the course's function that says where the head is; further down you will write it yourself.


# %%
def as_code(path):
    """The path of a layer the way one types it: 'classifier.6' becomes 'model.classifier[6]'."""
    return "model." + re.sub(r"\.(\d+)", r"[\1]", path)


def anatomy(model):
    """Return the names of all parts but the last, the name of the last, and the layers inside it."""
    *front, (last, part) = model.named_children()
    inside = dict(part.named_children()) or {last: part}
    return [name for name, _ in front], last, inside


for model in (resnet, vgg):
    front, last, inside = anatomy(model)
    print(f"{type(model).__name__}: {len(front)} parts, then {last} with {list(inside)}")

# %% [markdown]
# In a ResNet-18 nine parts come first, and the last one is a single layer. In a VGG-16 two parts come first, and the last
# one is a block of seven. Now seven models as a picture: in the middle, in grey, the **backbone** that finds features; on
# the right the last part, layer by layer, with the head in bold in a coloured box.


# %%
def box(ax, x, y, width, text, **look):
    ax.add_patch(Rectangle((x, y - 0.4), width, 0.8, **look))
    weight = "bold" if look["linewidth"] > 1 else "normal"
    ax.text(x + width / 2, y, text, ha="center", va="center", fontsize=7.5, weight=weight)


def draw(ax, y, name, model):
    """One row: the name, the backbone in one box, the last part in one box for each layer in it."""
    head = find_head(model)
    front, last, inside = anatomy(model)
    ax.text(0, y, f"{name}\n{as_code(head.name)}", va="center", fontsize=9, family="monospace")
    parts = textwrap.fill(" · ".join(front), 32)
    box(ax, 24, y, 27, parts, facecolor="#E4E4E4", edgecolor="none", linewidth=0)
    for place, (key, layer) in enumerate(inside.items()):
        label = key if key == last else f"{last}\n[{key}]" if key.isdigit() else f"{last}\n.{key}"
        kind = type(layer).__name__.removeprefix("Adaptive")
        color, line = (PALETTE[1], 2) if layer is head.layer else ("white", 1)
        box(
            ax, 53 + 9.4 * place, y, 8.8, f"{label}\n{kind}",
            facecolor=color, edgecolor="black", linewidth=line,
        )  # fmt: skip


# %% covers=["S20", "S61"]
chosen = ["resnet18", "densenet121", "swin_t", "vit_b_16", "mobilenet_v2", "vgg16", "squeezenet1_1"]
seven = {name: blueprint(name) for name in chosen}
fig, ax = plt.subplots(figsize=(10, 5.2))
for y, (name, model) in enumerate(seven.items()):
    draw(ax, y, name, model)
ax.set(xlim=(0, 119), ylim=(len(seven) - 0.5, -1))
for x, title in {0: "model and its head", 24: "backbone", 53: "last part"}.items():
    ax.text(x, -0.75, title, fontsize=10)
ax.axis("off")
show(
    fig,
    alt="Seven models as rows of boxes; the head is marked. It is a part of its own in ResNet (fc), "
    "DenseNet (classifier) and Swin (head), the only layer of heads in ViT, the last layer of the "
    "block classifier in MobileNetV2 (1) and VGG (6), and in SqueezeNet the second of four layers of "
    "classifier, a convolution.",
)

# %% [markdown]
# Every model has the same plan, features first and then a decision, and every team of authors chose its own names. Read
# the right side from top to bottom: a head on its own (`fc`, `classifier`, `head`), a head as the only layer of a block
# (`heads.head`), as the last one of a block (`classifier[1]`, `classifier[6]`), and once in the middle of a block.
#
# So the right line for ten classes differs from model to model:

# %% covers=["S23", "S46"]
resnet, densenet, swin, vit, mobilenet, vgg, squeezenet = seven.values()
with torch.device("meta"):
    resnet.fc = nn.Linear(resnet.fc.in_features, 10)
    densenet.classifier = nn.Linear(densenet.classifier.in_features, 10)
    swin.head = nn.Linear(swin.head.in_features, 10)
    vit.heads.head = nn.Linear(vit.heads.head.in_features, 10)
    mobilenet.classifier[1] = nn.Linear(mobilenet.classifier[1].in_features, 10)
    vgg.classifier[6] = nn.Linear(vgg.classifier[6].in_features, 10)
    squeezenet.classifier[1] = nn.Conv2d(squeezenet.classifier[1].in_channels, 10, kernel_size=1)
for name, model in seven.items():
    print(f"{name:14} {output_shape(model)}")

# %% [markdown]
# All seven answer with 10 scores. SqueezeNet is the odd one: its head is no linear layer but a **1 x 1 convolution**. It
# gives a small map of scores for each class, and the pooling behind it averages each map into one number.

# %%
ask("squeezenet-head")

# %% [markdown] covers=["S46"]
# ## Worse than an error
#
# Asking for a name that is not there is an error. What about *assigning* to it?
#
# ```python
# vgg.fc = nn.Linear(4096, 10)
# ```

# %%
commit("assigning-to-fc")

# %% covers=["S46"]
vgg, vit = blueprint("vgg16"), blueprint("vit_b_16")
with torch.device("meta"):
    vgg.fc = nn.Linear(4096, 10)
    vit.head = nn.Linear(768, 10)  # the real name is vit.heads.head


def show_shapes():
    print("vgg:", output_shape(vgg), "  vit:", output_shape(vit))
    return "it works, and the model has 10 scores" if output_shape(vgg) == (2, 10) else "it works, and nothing changes"


reveal("assigning-to-fc", show_shapes)

# %% [markdown]
# In Python, assigning to a new name creates it. The layer hangs on the model, its weights are in
# `model.parameters()`, an optimizer would accept them, and `print(vgg)` shows it as the last line. But the model's `forward`
# does not know of it, so no picture ever reaches it.
#
# A second silent one. `out_features` sounds like a setting that can be changed:

# %% covers=["S46"]
resnet = blueprint("resnet18")
resnet.fc.out_features = 10
print("the layer says: ", resnet.fc)
print("the model gives:", output_shape(resnet))

# %% [markdown]
# `out_features` is a note that the layer made when it was built. Changing the note changes what is printed, and not one
# weight.
#
# > **The rule of this lesson: look at the shape of the output, never at the attribute.** One line after each
# > replacement, `print(model(batch).shape)`, catches all of these. The graders of this course do the same.

# %%
ask("assign-fc-to-vgg")

# %% [markdown] covers=["S20", "S61"]
# ## One rule instead of many names
#
# A function should not know names. What do all the heads above have in common?
#
# **Commit to an answer first.** Which rule finds the head of all seven?
#
# - (a) the last `nn.Linear`
# - (b) the last layer that is an `nn.Linear` or an `nn.Conv2d`


# %% covers=["S20"]
def last_of(model, *kinds):
    """The path and the layer of the last one of these kinds, in the order in which the model's author wrote them down."""
    return ([("nothing", None)] + [(n, layer) for n, layer in model.named_modules() if isinstance(layer, kinds)])[-1]


print(f"{'':14} {'really':22} {'last Linear':22} last Linear or Conv2d")
for name in chosen:
    paper = blueprint(name)
    found = [find_head(paper).name, last_of(paper, nn.Linear)[0], last_of(paper, nn.Linear, nn.Conv2d)[0]]
    print(f"{name:14} {found[0]:22} {found[1]:22} {found[2]}")

# %% [markdown]
# It is (b): the SqueezeNet has no `nn.Linear` at all. Seven models are no proof, of course. The
# [appendix](11_appendix_eighty_heads.ipynb) asks all 80 classifiers of torchvision: it counts six ways to the head, and
# shows that this rule, and no simpler one, is right for every one of them.
#
# It is a rule about torchvision's models as they come, not a law of nature. It reads what the author wrote down, and a layer
# that was attached later comes last in that order. Remember the silent `vgg.fc`:

# %%
vgg = blueprint("vgg16")
with torch.device("meta"):
    vgg.fc = nn.Linear(4096, 10)
print("the rule finds:    ", last_of(vgg, nn.Linear, nn.Conv2d)[0])
print("but pictures reach:", find_head(blueprint("vgg16")).name)

# %%
ask("who-has-fc")

# %% [markdown] covers=["S46", "S84"]
# ## Replace it
#
# The new layer must take what the old one took. That number is easy to get wrong.
#
# **Commit to an answer first.** For a ResNet-18 with 1000 classes, what does `model.fc = nn.Linear(1000, 10)` lead to?
#
# - (a) Right: 1000 in, 10 out.
# - (b) An error in this line.
# - (c) An error in the next forward pass.

# %% covers=["S46"] tags=["nbval-ignore-output"]
network = models.resnet18(weights=None).eval()
features_in = network.fc.in_features
network.fc = nn.Linear(1000, 10)
try:
    network(torch.rand(2, 3, 64, 64))
except RuntimeError as error:
    print(error)
print("what the old head took:", features_in)

# %% [markdown]
# It is (c). Read the message backwards: `1000x10` is the new layer, `2x512` is what reached it, two pictures with 512
# features. The head does not come *after* the 1000 old scores, it takes their *place*, so it gets the features. How
# many these are depends on the model; never write the number yourself, ask the old head.

# %% covers=["S84"]
for name in ("resnet18", "resnet50", "densenet121", "vgg16", "vit_b_16"):
    path, old = find_head(blueprint(name))
    print(f"{name:12} {as_code(path):22} {old.in_features:5} features -> {old.out_features} scores")

# %%
ask("in-features-1000")

# %% [markdown]
# Now you have everything for a function. A first version, tried on six models, one for each way to the head that torchvision
# knows:


# %% tags=["nbval-ignore-output"]
def my_replace_head(model, num_classes):
    """Version 1."""
    name, old = last_of(model, nn.Linear, nn.Conv2d)
    model.set_submodule(name, nn.Linear(old.in_features, num_classes))
    return model


one_of_each = ["resnet18", "densenet121", "mobilenet_v2", "swin_t", "vit_b_16", "squeezenet1_1"]
for name in one_of_each:
    try:
        print(f"{name:14} {output_shape(my_replace_head(blueprint(name), 7))}")
    except (RuntimeError, AttributeError) as error:
        print(f"{name:14} {type(error).__name__}: {str(error)[:80]}")

# %% [markdown]
# Nothing works, for two reasons. SqueezeNet's convolution has `in_channels` and no `in_features`. And all the others: their
# tensors lie on one device (here `meta`), the new layer on another (the CPU). The same happens to people who move a model
# to the GPU and replace the head afterwards. So the new layer has to be built **where the old one is**, and of its kind:


# %% covers=["S23"]
def my_replace_head(model, num_classes):
    """Version 2: the same kind of layer, on the same device, with the same number type."""
    name, old = last_of(model, nn.Linear, nn.Conv2d)
    like_old = {"device": old.weight.device, "dtype": old.weight.dtype}
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, num_classes, **like_old)
    else:
        new = nn.Conv2d(old.in_channels, num_classes, kernel_size=1, **like_old)
    model.set_submodule(name, new)
    return model


for name in one_of_each:
    print(f"{name:14} {output_shape(my_replace_head(blueprint(name), 7))}")

# %% [markdown]
# Seven scores for two pictures, each time.
#
# ### Why not replace the whole block?
#
# `model.classifier = nn.Linear(...)` is often seen, and sometimes it runs. Then it has thrown away everything else in the
# block: trained hidden layers and dropout. And sometimes the block did more than decide.

# %%
widths = {"vgg16": 25088, "mobilenet_v2": 1280, "convnext_tiny": 768, "squeezenet1_1": 512}
print("model         new output     weights lost  the block was")
for name, width in widths.items():
    model = blueprint(name)
    block = [type(layer).__name__ for layer in model.classifier]
    lost = count_weights(model.classifier) - count_weights(find_head(model).layer)
    model.classifier = nn.Linear(width, 2, device="meta")
    try:
        result = str(output_shape(model))
    except RuntimeError:
        result = "RuntimeError"
    print(f"{name:13} {result:13} {lost:13,}  {', '.join(block)}")

# %% [markdown]
# "Weights lost" are those besides the head.
#
# - **VGG-16** runs, without the 120 million weights of its hidden layers. That can be a choice, but it should be yours.
# - **MobileNetV2** only loses its dropout.
# - **ConvNeXt** fails: its block also normalises and *flattens*, and a linear layer cannot take an unflattened map.
#   **SqueezeNet** fails because its block also pools.
#
# Replace the head, and leave its neighbours alone.

# %%
ask("whole-classifier-replaced")

# %% [markdown]
# ### Models with more than one head
#
# GoogLeNet and Inception have **auxiliary heads** that help during training. In train mode they return several sets of
# scores. What has our function done to those?


# %%
def training_shapes(model):
    pictures = torch.empty(2, 3, 299, 299, device="meta")  # in train mode Inception needs 299 pixels
    scores = model.train()(pictures)
    return {name: tuple(tensor.shape) for name, tensor in scores._asdict().items()}


print("ours:  ", training_shapes(my_replace_head(blueprint("inception_v3"), 7)))
print("course:", training_shapes(replace_head(blueprint("inception_v3"), 7)))

# %% [markdown]
# Ours has left the auxiliary head at 1000. That fails silently too: 7 labels fit into 1000 scores, so the loss computes
# without complaint. The course's `replace_head` replaces both. There is more that the two do differently.

# %%
ask("inception-two-outputs")

# %% [markdown]
# ### A cell that is run twice
#
# In a notebook every cell is run twice some day. A well-known line does not survive it:

# %%
densenet = blueprint("densenet121")
for attempt in ("first time:", "second time:"):
    try:
        new_layer = nn.Linear(densenet.classifier.in_features, 2)
        densenet.classifier = nn.Sequential(nn.Dropout(0.2), new_layer)
        print(attempt, "fine")
    except AttributeError as error:
        print(attempt, error)

# %% [markdown]
# That is at least an error. Ours runs twice without one.
#
# **Commit to an answer first.** You have trained the new head for an hour, and by accident you run the cell with
# `my_replace_head(model, 2)` again. What have you got?

# %%
for function in (my_replace_head, replace_head):
    network = function(models.resnet18(weights=None), 2)
    trained = network.fc
    function(network, 2)
    print(f"{function.__name__:16} the trained head is still there:", network.fc is trained)

# %% [markdown]
# A new random head; the hour is lost. The course's function looks first: a head that already has the right number of scores is
# left alone. Functions that can be repeated without harm are called **idempotent**, and in notebooks they are gold.
#
# Open `course_utils/heads.py` (or run `replace_head??`) and compare it with your version. It also refuses what is no
# classifier:

# %%
detector = models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
for no_classifier in (detector, nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())):
    try:
        find_head(no_classifier)
    except ValueError as error:
        print(error)

# %% [markdown] covers=["S30"]
# ## What stays the same
#
# A model with a new head knows nothing about the new classes yet. But the rest is untouched. Check it with trained
# weights: `nn.Identity()` in place of the head passes on what reaches it, so it shows the **features**.

# %%
model, weights = load_pretrained("resnet18")
transform = weights.transforms()
batch = torch.stack([transform(photo.square) for photo in sample_images().values()])


def features(model, images):
    body = copy.deepcopy(model)
    body.fc = nn.Identity()
    with torch.no_grad():
        return body(images)


# %% covers=["S30", "S84"]
renewed = replace_head(copy.deepcopy(model), 3)
before, after = features(model, batch), features(renewed, batch)
print("features:", tuple(before.shape), "  the same before and after:", torch.equal(before, after))
with torch.no_grad():
    print("scores:  ", tuple(model(batch).shape), "before,", tuple(renewed(batch).shape), "after")

# %% [markdown]
# For each of the six photos 512 numbers, bit for bit the same. All that the backbone has learned is in them; only the last step has to be
# learned anew. That architecture and weights are kept apart pays off here: one part is exchanged, the others
# keep their numbers. The output is always **(pictures, classes)**, whatever the model.

# %% [markdown] covers=["S85"]
# ## What a shape error on the last layer means
#
# "The number of outputs does not fit the number of classes, so there will be a shape error", one often reads.
#
# **Commit to an answer first.** You have ten classes, with the labels 0 to 9, and forget to replace the head. What happens in
# training?
#
# - (a) An error about shapes.
# - (b) An error about labels.
# - (c) It trains.

# %% covers=["S85"]
labels = torch.tensor([0, 1, 2, 7, 8, 9])
with torch.no_grad():
    scores = model(batch)
print(f"{scores.shape[1]} scores, labels 0 to 9: loss {cross_entropy(scores, labels):.2f}")

# %% [markdown]
# It is (c): scores 0 to 9 exist, so the loss can be computed. The network even learns never to use the others. It only
# carries many outputs that mean nothing to you, and `argmax` may still pick one. A head that is too *small* is noticed:

# %% covers=["S85"]
too_small = replace_head(copy.deepcopy(model), 10).eval()
try:
    cross_entropy(too_small(batch), torch.tensor([0, 1, 2, 7, 8, 10]))
except IndexError as error:
    print("IndexError:", error)

# %% [markdown]
# Ten scores are numbered 0 to 9. Labels that start at 1 are the usual cause.
#
# The real **shape** errors of the last layer have two other causes: the wrong `in_features`, which you have seen, and a file with
# another number of classes than the model, which lesson 01 repaired. `load_pretrained` and then `replace_head`, in this
# order, avoid both.

# %% [markdown]
# ## Freeze in the right order
#
# To train only the new head, the rest is **frozen**: its weights get `requires_grad=False`. So there are two lines, one that
# freezes everything and one that replaces the head.
#
# **Commit to an answer first.** Which of the two has to come first?


# %% covers=["S23"]
def learn(network):
    """Say which tensors would be trained, and try a backward pass."""
    trainable = [name for name, p in network.named_parameters() if p.requires_grad]
    try:
        cross_entropy(network(batch), torch.tensor([0, 1, 2, 0, 1, 2])).backward()
        print("trains", trainable)
    except RuntimeError as error:
        print("trains", trainable, "RuntimeError:", error)


learn(replace_head(copy.deepcopy(model).requires_grad_(False), 3))  # freeze, then replace
learn(replace_head(copy.deepcopy(model), 3).requires_grad_(False))  # replace, then freeze

# %% [markdown]
# Freeze first: a new layer is trainable when it is born. The other way round freezes the new head with the rest, and the
# error says that nothing is left to learn: the loss depends on no tensor that requires a gradient.
#
# Gradients are not all that has to stand still: lesson 03 showed BatchNorm's statistics moving without any. `freeze_backbone`
# takes care of both, before or after `replace_head`; lesson 05 looks at what it does.

# %%
by_course = freeze_backbone(replace_head(copy.deepcopy(model), 3))
print("trained:", [name for name, p in by_course.named_parameters() if p.requires_grad])

# %%
ask("head-parameters")

# %% [markdown] covers=["S80"]
# ## One more name trap
#
# Names of *models* can mislead as well. Which of these builds an EfficientNet?

# %% covers=["S80"]
for line in ("models.efficientnet()", "models.efficientnet_b8()", "models.EfficientNet()"):
    try:
        eval(line)
    except (AttributeError, TypeError) as error:
        message = str(error).split(":")[0]  # the rest of the last one is a long list
        print(f"{line:26} {type(error).__name__}: {message}")
builders = [name for name in models.list_models(module=models) if "efficientnet" in name]
print("builders:", *[name.removeprefix("efficientnet") for name in builders])

# %% [markdown]
# None of them. `models.efficientnet` does exist, but it is the **module** (the file) in which the builders live, so there is
# no `AttributeError`; calling it is a `TypeError`. The same goes for `models.resnet`, `models.vgg` and `models.densenet`.
# torchvision has no `efficientnet_b8`. With capital letters it is the **class**, which wants every layer spelled out. The
# **builders** have lower-case names with a size, and `models.list_models()` knows them all.
#
# If a builder that a tutorial uses is not in that list, your torchvision is older than the model: EfficientNet, for
# example, came with version 0.11.

# %% [markdown]
# ## What you now know
#
# - `'X' object has no attribute 'fc'` says that the object that was asked, of class X, has no part called `fc`. Look at the model
#   and use its own name.
# - The way to the head differs from family to family. One rule finds it in all of torchvision's classifiers: the last
#   `nn.Linear` or `nn.Conv2d`.
# - The new head has the old one's inputs, kind, device and number type. Replace the head, not the block around it.
# - Assigning to a wrong name, or to `out_features`, fails silently. **Look at the shape of the output.**
# - A head that is too large trains without a word. Shape errors come from a wrong `in_features`, or from loading weights of
#   another number of classes.
# - Freeze, then replace; and remember that BatchNorm moves without gradients.
#
# Your guess, and what was measured:

# %%
guesses("04")

# %% [markdown]
# ## Where to practise
#
# - The [appendix](11_appendix_eighty_heads.ipynb) puts the rule to all 80 classifiers.
# - `ask("weights-and-num-classes")`, from lesson 01.
# - Choose a model in `models.list_models(module=models)` that you have never heard of. Predict from `print(blueprint(name))` where its head is, then check with
#   `find_head`.
# - The graded assignment **ps1-heads** (in `exercises/release/`, or from your instructor) has you do this for models that were
#   not shown here.
#
# [Next: fine-tuning the last layer](05_fine_tuning_the_last_layer.ipynb)
