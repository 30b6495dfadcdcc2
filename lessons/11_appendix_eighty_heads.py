# %% [markdown]
# # Appendix: the heads of all 80
#
# Lesson [04](04_fc_versus_classifier.ipynb) found a rule for the head of a network on seven models. Here all of torchvision's
# classifiers are asked, on paper, and four candidates for a rule compete.
#
# **After this lesson you can**
#
# - say how many ways to the head there are in torchvision, because you have counted them,
# - test a rule about models on all of them in seconds, without a single weight,
# - use a forward hook to see which layers a picture really passes.
#
# **Time:** 20 minutes. **You need:** lesson [04](04_fc_versus_classifier.ipynb). No network, no GPU.

# %%
import re
from collections import Counter
from unittest.mock import patch

import torch
from torch import nn
from torchvision import models
from torchvision.models.regnet import BlockParams
from tqdm.auto import tqdm

from course_utils import find_head
from course_utils.plots import show_bars

# %% [markdown]
# Three small helpers from lesson 04, so that this page stands on its own:


# %%
def blueprint(name):
    """A torchvision classifier without numbers: the layers and their shapes."""
    with torch.device("meta"):
        return models.get_model(name, weights=None)


def output_shape(model, side=224):
    """The shape of the scores that a model in eval mode gives for two pictures."""
    return tuple(model.eval()(torch.empty(2, 3, side, side, device="meta")).shape)


def as_code(path):
    """The path of a layer the way one types it: 'classifier.6' becomes 'model.classifier[6]'."""
    return "model." + re.sub(r"\.(\d+)", r"[\1]", path)


# %% [markdown]
# ## All 80 of them
#
# How many ways to the head are there? Instead of believing a list, we ask every classifier in torchvision. On paper that takes
# a few seconds. One family refuses:

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
weights_on_paper = sum(p.numel() for model in zoo.values() for p in model.parameters())
print(f"{len(zoo)} models, {weights_on_paper / 1e9:.1f} billion weights on paper")

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

# %% [markdown]
# ## Four rules compete
#
# A function should not know six names. What do all heads have in common? Here are four candidates for a rule, each a short
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

# %% [markdown]
# The rule is about torchvision's models as they come. A layer that was attached later comes last in the order of
# `named_modules()`, and then only the forward pass tells the truth:

# %%
with torch.device("meta"):
    vgg = models.vgg16(weights=None)
    vgg.fc = nn.Linear(4096, 10)
print("the rule finds:       ", rules["the last nn.Linear or nn.Conv2d"](vgg))
print("the forward pass uses:", last_layer_that_runs(vgg))

# %% [markdown]
# ## What you now know
#
# - Two ways to the head cover most of torchvision's classifiers, and neither of them half. There are six.
# - The last layer that is an `nn.Linear` or an `nn.Conv2d` is the head in all of them. Simpler rules fail for the SqueezeNets, or
#   where there are auxiliary heads.
# - On the `meta` device a question about 80 networks costs seconds, and a forward hook tells which layers really run.
#
# ## Where to practise
#
# Choose a model that you have never heard of from `names`, guess from `print(zoo[name])` where its head is, and ask `ways[name]`.
# The graded assignment **ps1-heads** has you replace heads of models that are not shown in any lesson.
#
# [Back to lesson 04](04_fc_versus_classifier.ipynb)
