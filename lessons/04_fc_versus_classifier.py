# %% [markdown]
# # `fc` or `classifier`?
#
# To teach a network your own classes you replace its last layer, the **head**. With a ResNet that is one line, found in
# a hundred tutorials: `model.fc = nn.Linear(model.fc.in_features, 2)`. Change the first line of the program from ResNet to
# VGG, and that line stops with an error, or, worse, does not. This lesson looks at every classifier in
# torchvision and ends with a function that replaces the head of any of them.
#
# **After this lesson you can**
#
# - read `'VGG' object has no attribute 'fc'` and its relatives, and say which object was asked,
# - find the head of any torchvision classifier, and replace it with the right number of inputs,
# - notice the replacements that fail without a message, by looking at the shape of the output,
# - say what a shape error on the last layer really means, and freeze the other layers in the right order.
#
# **Time:** 35 minutes. **You need:** lesson [03](03_inference.ipynb). No network, no GPU.

# %%
import copy
import re
import textwrap
from collections import Counter
from unittest.mock import patch

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision import models
from torchvision.models.regnet import BlockParams
from tqdm.auto import tqdm

from course_utils import ask, find_head, freeze_backbone, load_pretrained, replace_head, sample_images
from course_utils.plots import PALETTE, show, show_bars

# %% [markdown]
# ## Models on paper
#
# This lesson is about names and shapes, not about what a model has learned. So most models here are built on PyTorch's
# `meta` device: every layer is there, with its name and its sizes, but no tensor holds any numbers. A network of 500 MB
# takes next to no memory, and a forward pass tells the shape of the result without computing anything.


# %%
def blueprint(name):
    """A torchvision classifier without numbers: the layers and their shapes."""
    with torch.device("meta"):
        return models.get_model(name, weights=None)


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
# Asking for a name that is not there is an error.
#
# **Commit to an answer first.** What about *assigning* to it?
#
# ```python
# vgg.fc = nn.Linear(4096, 10)
# ```
#
# - (a) The same AttributeError.
# - (b) It works, and the model has 10 scores now.
# - (c) It works, and nothing changes.

# %% covers=["S46"]
vgg, vit = blueprint("vgg16"), blueprint("vit_b_16")
with torch.device("meta"):
    vgg.fc = nn.Linear(4096, 10)
    vit.head = nn.Linear(768, 10)  # the real name is vit.heads.head
print("vgg:", output_shape(vgg), "  vit:", output_shape(vit))

# %% [markdown]
# It is (c). In Python, assigning to a new name creates it. The layer hangs on the model, its weights are in
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

# %% [markdown]
# ## All 80 of them
#
# How many ways are there? Instead of believing a list, we ask every classifier in torchvision. On paper that takes a few
# seconds. One family refuses:

# %%
names = models.list_models(module=models)
print(len(names), "classifiers")
try:
    blueprint("regnet_y_400mf")
except NotImplementedError as error:
    print("regnet_y_400mf:", error)

# %% [markdown]
# While a RegNet is being built, it **computes** the widths of its layers with tensors, and on paper there is
# nothing to compute with. So that one computation gets a real device: the innermost `with torch.device` wins. `patch` swaps a
# function for as long as the `with` block lasts.
#
# It also lets us save time. Much of the building goes into random start values, which `meta` tensors cannot
# hold anyway, so we skip drawing them.

# %%
plan_widths = BlockParams.from_init_params


def plan_on_cpu(**settings):
    with torch.device("cpu"):
        return plan_widths(**settings)


def skip(tensor, *args, **kwargs):
    return tensor


def blueprint(name):
    """Any of the 80 classifiers without numbers."""
    asks_for_it = name in ("googlenet", "inception_v3")  # these two want this option to be stated
    options = {"init_weights": False} if asks_for_it else {}
    start_values = patch.multiple(torch.Tensor, normal_=skip, uniform_=skip)
    with torch.device("meta"), patch.object(BlockParams, "from_init_params", plan_on_cpu), start_values:
        return models.get_model(name, weights=None, **options)


# %% tags=["nbval-ignore-output"]
zoo = {name: blueprint(name) for name in tqdm(names, delay=2, leave=False)}
print(f"{len(zoo)} models, {sum(map(count_weights, zoo.values())) / 1e9:.1f} billion weights on paper")

# %% [markdown]
# **Commit to an answer first.** In how many of the 80 is the head called `model.fc`?
#
# - (a) nearly all
# - (b) fewer than half
# - (c) only in the ResNets


# %% covers=["S20", "S61"]
def way_to(head):
    """How to reach a head: its path, with [-1] for the last layer of a block."""
    if isinstance(head.layer, nn.Conv2d):
        return as_code(head.name) + " (conv)"
    return re.sub(r"\[\d+\]", "[-1]", as_code(head.name))


ways = {name: way_to(find_head(model)) for name, model in zoo.items()}
counts = dict(Counter(ways.values()).most_common())
for way, count in counts.items():
    classes = {type(zoo[name]).__name__ for name in names if ways[name] == way}
    print(f"{count:2}  {way:26} {', '.join(sorted(classes))}")

# %%
show_bars(
    counts,
    alt="Number of torchvision classifiers by the way to their head: "
    + ", ".join(f"{way} {count}" for way, count in counts.items())
    + ".",
    label="number of models",
    percent=False,
)

# %% [markdown]
# Two ways cover most models, and neither of them half. Six ways cover all. (The class `ResNet` stands for ten models: ResNeXt
# and Wide ResNet are built from it. `inception_v3` is of the class `Inception3`.)

# %%
ask("who-has-fc")

# %% [markdown]
# ## One rule instead of six names
#
# A function should not know names. What do all heads have in common? Here are four candidates for a rule, each a short
# search through `named_modules()`, which lists every layer in the order in which the model's author wrote it down.


# %%
def layer_names(model, kinds, outputs=None):
    """The paths of all layers of these kinds, in order, or only of those with so many outputs."""
    return [
        name
        for name, layer in model.named_modules()
        if isinstance(layer, kinds) and outputs in (None, layer.weight.shape[0])
    ] or ["nothing"]


both = (nn.Linear, nn.Conv2d)
rules = {
    "the layer called fc": lambda model: "fc" if hasattr(model, "fc") else "nothing",
    "the last nn.Linear": lambda model: layer_names(model, nn.Linear)[-1],
    "the first layer with 1000 outputs": lambda model: layer_names(model, both, 1000)[0],
    "the last nn.Linear or nn.Conv2d": lambda model: layer_names(model, both)[-1],
}
found = {rule: {name: search(model) for name, model in zoo.items()} for rule, search in rules.items()}

# %% [markdown]
# To judge a rule we need the truth, and the truth is what happens in a forward pass. A **hook** is a function that PyTorch
# calls whenever a layer has run. The last layer with weights that reports is the head.


# %%
def last_layer_that_runs(model, side=224):
    """The path of the last linear or convolution layer that a forward pass really uses."""
    reports = []
    for name, layer in model.named_modules():
        if isinstance(layer, both):
            layer.register_forward_hook(lambda *_, name=name: reports.append(name))
    output_shape(model, side)
    return reports[-1]


by_rule = list(found.values())[1:]  # all but the first, which finds nothing in most models
doubtful = [name for name in names if len({answers[name] for answers in by_rule}) > 1]
truth = by_rule[-1] | {name: last_layer_that_runs(blueprint(name)) for name in doubtful}
print("The last three rules disagree about", ", ".join(doubtful))

# %% [markdown]
# We let only those models run about which the rules disagree; that saves time. (The tests of this course run
# all 80, see `tests/test_heads.py`.)
#
# **Commit to an answer first.** Which of the four rules is right for all 80?

# %%
for rule, answers in found.items():
    wrong = [name for name in names if answers[name] != truth[name]]
    example = f"for example {wrong[0]}: {answers[wrong[0]]} instead of {truth[wrong[0]]}" if wrong else ""
    print(f"{len(names) - len(wrong):2} of {len(names)}  {rule:34} {example}")

# %% [markdown]
# - The last `nn.Linear` misses the SqueezeNets, which have none.
# - The first layer with 1000 outputs misses GoogLeNet and Inception: they have *two or three* heads, and an auxiliary one
#   comes first.
# - The last layer that is linear or a convolution is the head in all 80.
#
# It is a rule about torchvision's models as they come, not a law of nature. It reads what the author wrote down, and a layer
# that was attached later comes last in that order. Remember the silent `vgg.fc`:

# %%
with torch.device("meta"):
    vgg = models.vgg16(weights=None)
    vgg.fc = nn.Linear(4096, 10)
print("the rule finds:       ", rules["the last nn.Linear or nn.Conv2d"](vgg))
print("the forward pass uses:", last_layer_that_runs(vgg))

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
    path, old = find_head(zoo[name])
    print(f"{name:12} {as_code(path):22} {old.in_features:5} features -> {old.out_features} scores")

# %%
ask("in-features-1000")

# %% [markdown]
# Now you have everything for a function. A first version, tried on the smallest model of each way:


# %% tags=["nbval-ignore-output"]
def my_find_head(model):
    """The last linear or convolution layer: its path and the layer."""
    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, both)][-1]


def my_replace_head(model, num_classes):
    """Version 1."""
    name, old = my_find_head(model)
    model.set_submodule(name, nn.Linear(old.in_features, num_classes))
    return model


weights_of = {name: count_weights(model) for name, model in zoo.items()}
one_of_each = {way: min((n for n in names if ways[n] == way), key=weights_of.get) for way in counts}
for name in one_of_each.values():
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
    name, old = my_find_head(model)
    like_old = {"device": old.weight.device, "dtype": old.weight.dtype}
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, num_classes, **like_old)
    else:
        new = nn.Conv2d(old.in_channels, num_classes, kernel_size=1, **like_old)
    model.set_submodule(name, new)
    return model


for way, name in one_of_each.items():
    print(f"{name:14} {output_shape(my_replace_head(blueprint(name), 7))}   {way}")

# %% [markdown]
# Seven scores for two pictures, in every group.
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
# The real **shape** errors of the last layer have two other causes. One you know, the wrong `in_features`. The
# other comes from loading: a file with one number of classes, a model with another.

# %% covers=["S27", "S85"]
checkpoint = model.state_dict()  # what a weights file holds
for strict in (True, False):
    ten_classes = models.resnet18(weights=None, num_classes=10)
    try:
        ten_classes.load_state_dict(checkpoint, strict=strict)
    except RuntimeError as error:
        print(f"strict={strict}:", str(error).splitlines()[1].strip())

# %% [markdown]
# `strict=False` does not help: it forgives names that are missing, not shapes that differ. The cure is the order: **build
# the model with as many classes as the file has, load, then replace the head.** `load_pretrained` and `replace_head`, in this
# order, do just that.

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
# And there is the other thing that moves, BatchNorm's statistics, as you measured in lesson 03. `requires_grad` does not
# stop them. The course's `freeze_backbone` does, and it may come before or after `replace_head`. One forward pass in
# train mode each:


# %%
def buffers_moved(network):
    before = [buffer.clone() for buffer in network.buffers()]
    with torch.no_grad():
        network.train()(batch)
    return sum(not torch.equal(old, new) for old, new in zip(before, network.buffers(), strict=True))


by_hand = replace_head(copy.deepcopy(model).requires_grad_(False), 3)
by_course = freeze_backbone(replace_head(copy.deepcopy(model), 3))
print("requires_grad_(False):", buffers_moved(by_hand), "buffers moved")
print("freeze_backbone:      ", buffers_moved(by_course), "buffers moved")
print("still trained:        ", [name for name, p in by_course.named_parameters() if p.requires_grad])

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
print("builders:", *[name.removeprefix("efficientnet") for name in names if "efficientnet" in name])

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
# - torchvision's 80 classifiers have six ways to the head. One rule finds them all: the last `nn.Linear` or `nn.Conv2d`.
# - The new head has the old one's inputs, kind, device and number type. Replace the head, not the block around it.
# - Assigning to a wrong name, or to `out_features`, fails silently. **Look at the shape of the output.**
# - A head that is too large trains without a word. Shape errors come from a wrong `in_features` or from loading weights of
#   another number of classes, and `strict=False` does not help.
# - Freeze, then replace; and remember that BatchNorm moves without gradients.
#
# ## Where to practise
#
# - `ask("weights-and-num-classes")`, from lesson 01.
# - Choose a model in `names` that you have never heard of. Predict from `print(blueprint(name))` where its head is, then check with
#   `find_head`.
# - The graded assignment **ps1-heads** (in `exercises/release/`, or from your instructor) has you do this for models that were
#   not shown here.
#
# [Next: fine-tuning the last layer](05_fine_tuning_the_last_layer.ipynb)
