# %% [markdown]
# # Choosing a model
#
# torchvision has eighty classifiers with weights. It is easy to take the one from the tutorial. This lesson puts all eighty
# into one table without downloading any of them, throws out those that nobody needs, measures six on your own device, and ends with
# a function that picks one for your budget and says why.
#
# **After this lesson you can**
#
# - read accuracy, operations, parameters and file size from the weights' metadata, and say what each leaves out,
# - find the models that no other one beats: the Pareto front,
# - measure latency, throughput and memory so that the numbers mean something,
# - say why a model with a fifth of the operations need not take a fifth of the time,
# - choose a model by name and by number, not by the reputation of its family.
#
# **Time:** 50 minutes. **You need:** lessons [01](01_loading_weights.ipynb) and [05](05_fine_tuning_the_last_layer.ipynb). No
# network, no GPU.

# %%
import time
from operator import attrgetter

import torch
from torch import nn
from torchvision import models

from course_utils import accuracy, ask, describe_device, doodle_pets, extract_features, find_head
from course_utils import fit_head, folder_of_pictures, get_device, load_pretrained, split
from course_utils.metrics import compare_paired, wilson_interval
from course_utils.model_choice import (
    catalogue,
    from_weights,
    measure,
    pareto_front,
    peak_memory,
    pick,
    seconds_per_call,
)
from course_utils.plots import show_bars, show_trade_off

# %% [markdown]
# ## What weights say about themselves
#
# Each set of weights in torchvision carries a dictionary, `meta`. You know its list of categories. It also says what the
# weights cost and how well they did, and reading it downloads nothing.

# %% covers=["S61"]
meta = models.ResNet18_Weights.DEFAULT.meta
print("top-1 accuracy on ImageNet:", meta["_metrics"]["ImageNet-1K"]["acc@1"], "%")
print("operations for one picture:", meta["_ops"], "billion")
print("parameters:                ", f"{meta['num_params']:,}")
print("size of the file:          ", meta["_file_size"], "MiB")

# %% [markdown]
# Three remarks before we trust them:
#
# - An **operation** here is one multiplication with its addition; "GFLOPs" in many tables, though strictly these would be
#   two operations. Compare numbers from one source only.
# - The file is given in **MiB**, units of 1 048 576 bytes.
# - The names with an underscore may change in another version of torchvision. The course keeps them in one place:
#   `catalogue()` in `course_utils/model_choice.py` reads them for every classifier.

# %%
candidates = catalogue()
by_name = {candidate.name: candidate for candidate in candidates}
print(len(candidates), "classifiers, for example")
for name in ("resnet50", "vgg16", "efficientnet_b0"):
    c = by_name[name]
    millions = c.parameters / 1e6
    print(
        f"{name:16} {c.accuracy:.1%}  {c.gflops:6.2f} GFLOPs  {millions:6.1f} million parameters  {c.file_mib:6.1f} MiB"
    )

# %% [markdown]
# VGG-16 has the most of everything, except accuracy.
#
# **Commit to an answer first.** Parameters and file size: do we need both columns?

# %%
bytes_each = {c.name: c.file_mib * 2**20 / c.parameters for c in candidates}
usual = [name for name, size in bytes_each.items() if 3.9 < size < 4.1]
print(f"about 4 bytes for each parameter: {len(usual)} of {len(candidates)}")
print("the others:", {name: round(size, 1) for name, size in bytes_each.items() if name not in usual})

# %% [markdown]
# One column is enough: a parameter is a 32-bit float, and that is four bytes. The exception has a reason. GoogLeNet's file
# also holds two extra heads that were only used in training, and the count of parameters leaves them out.

# %%
ask("where-vgg-is-heavy")

# %% [markdown] covers=["S61"]
# ## Eighty models in one picture
#
# Accuracy upwards, operations to the right. Mind the scale: each number on the lower edge is **ten times** the one
# before.

# %% covers=["S61"]
families = {
    "ResNet": [name for name in by_name if name.startswith("resnet")],
    "VGG": [name for name in by_name if name.startswith("vgg")],
    "EfficientNet": [name for name in by_name if name.startswith("efficientnet")],
}
points = {c.name: (c.gflops, c.accuracy) for c in candidates}
show_trade_off(
    points,
    xlabel="billions of operations for one picture",
    families=families,
    alt="Top-1 accuracy of the 80 classifiers against operations, from 0.04 to 1000 billion. Accuracy rises with operations and flattens. "
    "EfficientNets lie along the upper left edge, ResNets in the middle, VGGs far below the others of their cost.",
)
for family, names in families.items():
    scores, costs = zip(*(points[name][::-1] for name in names), strict=True)
    print(
        f"{family:13} {len(names):2} models, {min(scores):.1%} to {max(scores):.1%}, {min(costs):.1f} to {max(costs):.1f} GFLOPs"
    )

# %% [markdown]
# What do you see?
#
# - A family is a **range**, not a point. The largest EfficientNet needs about 150 times the operations of the smallest. "EfficientNet is light" is
#   true of some of them.
# - More work brings more accuracy, and less and less of it.
# - The VGGs lie low for their cost. They are from 2014, and good to learn from: a plain chain of layers.
#
# ## Who is beaten by whom?
#
# Look at a VGG: somewhere above it and to its left lies another model, more accurate **and** cheaper. By these two numbers there is
# no reason to take it. Let us ask that for each of the eighty.
#
# **Commit to an answer first.** How many of the 80 remain?
#
# - (a) about 10
# - (b) about 20
# - (c) about 40


# %%
def beaten(one):
    """Is some other candidate at least as accurate and as cheap, and better in one of the two?"""
    return any(
        other.accuracy >= one.accuracy
        and other.gflops <= one.gflops
        and (other.accuracy, other.gflops) != (one.accuracy, one.gflops)
        for other in candidates
    )


remaining = sorted((c for c in candidates if not beaten(c)), key=lambda c: c.gflops)
print(len(remaining), "remain")
print("the same as the course's function:", remaining == pareto_front(candidates, cost="gflops"))

# %%
show_trade_off(
    points,
    xlabel="billions of operations for one picture",
    front=[c.name for c in remaining],
    families=families,
    alt="The same picture with a stepped line through the models that nobody beats. It runs along the upper left edge of all points. "
    "No VGG and no ResNet lies on it; many EfficientNets do.",
)
for c in remaining:
    print(f"{c.name:20} {c.gflops:8.2f} GFLOPs  {c.accuracy:.1%}")

# %% [markdown]
# It is (b). What remains is the **Pareto front**: along it, more accuracy always costs more. To the other models you can answer "why not that one
# instead?".
#
# But "beaten" depends on what you count. Count parameters, which is what a download costs, and the list changes:

# %%
by_size = pareto_front(candidates, cost="parameters")
print("on both fronts:      ", *sorted({c.name for c in by_size} & {c.name for c in remaining}))
print("only by operations:  ", *sorted({c.name for c in remaining} - {c.name for c in by_size}))
print("only by parameters:  ", *sorted({c.name for c in by_size} - {c.name for c in remaining}))

# %% [markdown]
# ## The same model, other weights
#
# Accuracy does not belong to an architecture. It belongs to an architecture **with its weights**. Here is every set that torchvision has
# for two models:

# %%
for name in ("resnet50", "vit_b_16"):
    for weights in models.get_model_weights(name):
        c = from_weights(name, weights)
        print(f"{c.weights:42} {c.accuracy:.1%}  {c.pixels} px  {c.gflops:6.2f} GFLOPs  {c.licence or ''}")

# %% [markdown]
# Three lessons from a few lines:
#
# - **The recipe counts.** V2 of ResNet-50 is the same network, as fast as V1, trained longer and with newer tricks. A fair comparison of
#   *architectures* would need the same recipe for all, and the picture above does not have it.
# - **The pixels count.** The ViT with the larger pictures needs several times the operations: same layers, more places to apply them to.
# - **The licence counts.** The SWAG weights are under CC BY-**NC**: no commercial use.
#
# ### Three licences, not one
#
# A pre-trained model has a licence for its **code**, one for its **weights**, and terms for the **pictures** it was trained on. torchvision's code is BSD. Its
# metadata names a licence of the weights for few sets only:

# %%
bound = [
    c.weights
    for name in by_name
    for c in (from_weights(name, weights) for weights in models.get_model_weights(name))
    if c.licence
]
print(len(bound), "sets of weights name a licence, all of them SWAG:", all("SWAG" in name for name in bound))
print(models.ViT_H_14_Weights.DEFAULT.meta["license"])
print([c.name for c in candidates if c.licence], "have such weights as their default")

# %% [markdown]
# Behind that address is Creative Commons Attribution-NonCommercial 4.0; torchvision's README says the same by name. So `weights="DEFAULT"`
# of the most accurate model of all is nothing for a product. Where the metadata names nothing, torchvision's README warns that the terms of the training data
# may still count: ImageNet gives its pictures for non-commercial research and education, and whether weights learned from them inherit that is not
# settled. For a product, ask somebody who knows the law where you are.

# %%
ask("gain-of-v2")

# %%
ask("pixels-and-operations")

# %% [markdown] covers=["S62", "S81"]
# ## Operations are not seconds
#
# Up to here everything was the same on every computer. Now your own device has its say. Six models, from tiny to large:

# %%
SIX = ["mobilenet_v3_small", "efficientnet_b0", "resnet18", "resnet50", "convnext_tiny", "vgg16"]
device = get_device()
BATCH = 4 if device.type == "cpu" else 64
print(
    f"{by_name['resnet18'].gflops / by_name['efficientnet_b0'].gflops:.1f} times the operations: ResNet-18 against EfficientNet-B0"
)

# %% [markdown]
# **Commit to an answer first.** EfficientNet-B0 does about a fifth of ResNet-18's arithmetic. How long will it take for a picture?
#
# - (a) about a fifth of the time
# - (b) less time, but much more than a fifth
# - (c) as long, or longer
#
# We measure three things, and they are not the same:
#
# - **latency**: how long one picture alone takes. A person waits for it.
# - **throughput**: pictures per second when they come in batches. An archive of a million photos waits for it.
# - **memory**: weights and intermediate results at their highest, for a batch.
#
# The weights may be random for this: multiplying takes as long whatever the numbers are. `measure` calls each model once without a
# clock, because the first call is slower; then several times, and takes the median. On a GPU it waits until the work is really
# done before it looks at the clock.

# %% tags=["nbval-ignore-output"]
print("measured on", describe_device(device))
measured = [measure(by_name[name], device=device, batch_size=BATCH, seconds=0.5) for name in SIX]
print(f"{'':19} GFLOPs  latency   throughput      memory for {BATCH}   speed of the arithmetic")
for c in measured:
    speed = c.gflops / (c.latency_ms / 1000)
    print(
        f"{c.name:19} {c.gflops:6.2f} {c.latency_ms:5.0f} ms  {c.pictures_per_second:6.1f} pictures/s"
        f"  {c.memory_mb:9.0f} MB  {speed:13.0f} GFLOPs per second"
    )

# %% tags=["nbval-ignore-output"]
for title, value in {"operations": "gflops", "latency": "latency_ms"}.items():
    most = max(measured, key=attrgetter(value))
    shares = {c.name: getattr(c, value) / getattr(most, value) for c in measured}
    show_bars(
        shares,
        label=f"{title}, as a share of {most.name}'s",
        alt=f"{title.capitalize()} of six models as a share of {most.name}'s: "
        + ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
        + ".",
    )

# %% tags=["nbval-ignore-output"]
now = {c.name: c for c in measured}
b0, r18 = now["efficientnet_b0"], now["resnet18"]
print(f"EfficientNet-B0 has 1/{r18.gflops / b0.gflops:.1f} of ResNet-18's operations, and here it takes")
print(f"  {b0.latency_ms / r18.latency_ms:.2f} times as long for a single picture,")
print(f"  {r18.pictures_per_second / b0.pictures_per_second:.2f} times as long for each picture of a batch")

# %% [markdown]
# So not (a) here. Whether (b) or (c) depends on the device, and even on whether pictures come singly or in batches.
#
# The last column of the table tells the story: the models do not compute equally **fast**. Two reasons, and neither is counted
# by the operations:
#
# - **Numbers must be fetched and put back.** A thin layer does little arithmetic with each number that it loads, so it waits for memory.
#   EfficientNets and MobileNets consist of thin layers (*depthwise* convolutions).
# - **Each layer has a fixed price** for getting started, and some models have many.
#
# Both can be counted without a clock. To be exact: the numbers that all layers of a model hand on for one picture, and its layers.


# %%
def layers_and_values(name):
    """How many layers run for one picture, and how many numbers they hand on. On the meta device: nothing is computed."""
    with torch.device("meta"):
        model = models.get_model(name, weights=None).eval()
    outputs = []
    for layer in model.modules():
        if not list(layer.children()):
            layer.register_forward_hook(lambda layer, inputs, output: outputs.append(output.numel()))
    model(torch.empty(1, 3, 224, 224, device="meta"))
    return len(outputs), sum(outputs)


print(f"{'':19} GFLOPs  layers  million values  operations for each value")
for name in SIX:
    layers, values = layers_and_values(name)
    print(
        f"{name:19} {by_name[name].gflops:6.2f} {layers:7} {values / 1e6:15.1f} {1e9 * by_name[name].gflops / values:26.0f}"
    )

# %% [markdown]
# EfficientNet-B0 hands on more than twice as many numbers as ResNet-18, through nearly four times as many layers. So use operations to sort
# a long list, and a clock to choose from a short one.
#
# In **training** all those intermediate values have to be kept until the gradients are there, and each is used once more. So here is
# a training step of both, and of a VGG as the third of the famous families. The last columns take it further, to the whole
# training on ImageNet that lesson 00 reckoned with, and to what you do instead.


# %% tags=["nbval-ignore-output"]
def training_seconds(name, pictures=BATCH // 2):
    model = models.get_model(name, weights=None).train().to(device)
    batch = torch.rand(pictures, 3, 224, 224, device=device)
    labels = torch.zeros(pictures, dtype=torch.long, device=device)

    def step():
        model.zero_grad()
        nn.functional.cross_entropy(model(batch), labels).backward()

    return seconds_per_call(step, device, seconds=0.5) / pictures


print(f"{'':16} a training step  1,281,167 pictures, 90 times  or load a file of")
for name in ("resnet18", "efficientnet_b0", "vgg11"):
    seconds = training_seconds(name)
    days = seconds * 1_281_167 * 90 / (60 * 60 * 24)
    print(f"{name:16} {1000 * seconds:6.0f} ms/picture {days:22,.0f} days {by_name[name].file_mib:16.0f} MiB")

# %%
ask("operations-are-not-seconds")

# %% [markdown] covers=["S77"]
# Read the last two columns. On a plain processor, each of the three would take it months or years, and comes as a file instead. That is the main advantage
# that ResNet, VGG and EfficientNet **have in common**: their weights spare you the first training, whichever family you take.
# They differ in everything else that you have measured here. And nothing else is taken off your hands: your photo is brought to the right
# size by the preset (lesson 02), and the last layer fits your classes when you have replaced it (lesson 04).

# %%
ask("days-in-a-file")

# %% [markdown]
# ### What fills the memory?
#
# For one picture it is mostly the weights; with the batch the intermediate results grow, and the weights do not. `peak_memory` counts
# them, also on the meta device, where a batch of 256 costs nothing:

# %%
print("megabytes:          batch of 1   batch of 32   batch of 256")
for name in SIX:
    with torch.device("meta"):
        model = models.get_model(name, weights=None).eval()
        sizes = [peak_memory(model, torch.empty(size, 3, 224, 224)) / 1e6 for size in (1, 32, 256)]
    print(f"{name:19} {sizes[0]:10.0f} {sizes[1]:13.0f} {sizes[2]:14.0f}")

# %% [markdown]
# What a library sets aside for its own work comes on top. The order tells what to expect: VGG-16 starts with its half gigabyte of
# weights; for large batches the sizes of the first maps decide.
#
# ## A front of your own
#
# The same question as before, with your seconds in place of operations: who is beaten **here**?

# %% tags=["nbval-ignore-output"]
front = pareto_front(measured, cost="latency_ms")
show_trade_off(
    {c.name: (c.latency_ms, c.accuracy) for c in measured},
    xlabel="milliseconds for one picture, on this device",
    families={c.name: [c.name] for c in measured},
    front=[c.name for c in front],
    alt="Accuracy of six models against their latency on this device. On the Pareto front: "
    + ", ".join(f"{c.name} ({c.latency_ms:.0f} ms, {c.accuracy:.1%})" for c in front)
    + ".",
)

# %% [markdown]
# The stepped line goes through the models that are worth a thought on this device. The accuracy is that of torchvision's weights on
# ImageNet; the milliseconds are yours.
#
# ## Pick under a budget, and say why
#
# A choice needs two sentences: what must hold, and what counts among those that are left. The core fits into one line:

# %%
affordable = [c for c in candidates if c.gflops <= 1 and c.file_mib <= 30]
best = max(affordable, key=lambda c: c.accuracy)
print(len(affordable), "fit; the most accurate:", best.name)

# %% [markdown]
# `pick` does that for any limits and gives its reason, so that somebody else can disagree with it.

# %%
budgets = {
    "an app that must be small": {"file_mib": 10},
    "a phone": {"gflops": 1, "file_mib": 30},
    "a laptop, no hurry": {"gflops": 5},
    "money is no object": {},
}
for who, limits in budgets.items():
    print(f"{who}:\n    {pick(candidates, at_most=limits).reason}")
print(f"... but it is for sale:\n    {pick(candidates, licence='commercial').reason}")

# %% [markdown]
# With measured candidates the limit can be in seconds. Half the latency of the slowest of the six, and the most accurate model for it:

# %% tags=["nbval-ignore-output"]
slowest = max(measured, key=lambda c: c.latency_ms)
print(pick(measured, at_most={"latency_ms": round(slowest.latency_ms / 2, 1)}).reason)

# %% [markdown]
# And when nobody can fulfil the wishes, it is better to hear which wish is the problem than to get a silent compromise:

# %%
try:
    pick(candidates, at_most={"gflops": 0.5}, at_least={"accuracy": 0.8})
except ValueError as error:
    print(error)

# %% [markdown] covers=["S81"]
# ## "Little data, a small computer: take EfficientNet"
#
# A question as tests put it: *small data set, little computing power; EfficientNet, VGG16, ResNet50, or from
# scratch?* The expected answer is EfficientNet, "because it balances speed and accuracy".
#
# **Commit to an answer first.** What is wrong with the question?

# %% covers=["S81"]
print(f"{'':16} GFLOPs   millions   pixels   accuracy   numbers that reach the head")
for name in ("efficientnet_b0", "efficientnet_b7", "resnet50", "vgg16"):
    c = by_name[name]
    with torch.device("meta"):
        features = find_head(models.get_model(name, weights=None)).in_features
    print(f"{name:16} {c.gflops:6.2f} {c.parameters / 1e6:10.1f} {c.pixels:8} {c.accuracy:10.1%} {features:8}")

# %% [markdown]
# - **It names a family where it needs a model.** B0 is the lightest of the four, as the answer says. B7 has more than twice the
#   operations of VGG-16. "EfficientNet" is both.
# - **Light on paper is not fast on your device.** You have just measured how much of the advantage is left.
# - **"Little data" is in no column.** No model was made for little data. What helps then is *how* you train: start from pre-trained
#   weights, keep the backbone still, train a small head (lesson 05). All three families can do that; "from scratch" is the one
#   answer that is clearly wrong.
#
# A better question has numbers in it: *at most 1 GFLOP and 30 MiB, at least 75 % on ImageNet, as accurate as possible.* To that the answer
# follows, and it may be a name that the question did not even offer:

# %% covers=["S81"]
print(pick(candidates, at_most={"gflops": 1, "file_mib": 30}, at_least={"accuracy": 0.75}).reason)

# %% [markdown]
# ## The last word: your own pictures
#
# Every accuracy above was measured on ImageNet's validation photos. Models that are better there tend to be better starting points
# elsewhere too (Kornblith et al. 2019, [Do Better ImageNet Models Transfer Better?](https://arxiv.org/abs/1805.08974)); it is a tendency, with
# exceptions. With features kept, as in lesson 05, asking your own pictures is cheap. Two models need no network: the course's ResNet-18, trained on
# 200 classes at 64 pixels, and EfficientNet-Lite0, trained on ImageNet's 1000 classes at 224 pixels.
#
# **Commit to an answer first.** For cats and dogs in *your* pictures, which gives the better head, and is the difference luck?
#
# Put the path of a folder with one sub-folder for each class into `YOURS`. As long as it is `None`, drawings stand in.

# %% tags=["nbval-ignore-output"]
YOURS = None  # for example "my_photos", with my_photos/cat and my_photos/dog
pictures = folder_of_pictures(YOURS) if YOURS else doodle_pets(240, seed=0, size=128)
train, test = split(pictures, (0.5, 0.5))
answers, labels, seconds = {}, None, {}
for name in ("resnet18", "efficientnet_lite0"):
    model, weights = load_pretrained(name, "course", quiet=True)
    started = time.perf_counter()
    x, y = extract_features(model, weights.transforms(), train, device=device)
    x_test, labels = extract_features(model, weights.transforms(), test, device=device)
    seconds[name] = (time.perf_counter() - started) / len(pictures)
    head, _ = fit_head(x, y, num_classes=len(pictures.categories))
    answers[name] = head(x_test).argmax(dim=1)
    low, high = wilson_interval(int((answers[name] == labels).sum()), len(test))
    print(
        f"{name:19} {accuracy(labels, answers[name]):.1%} of {len(test)} pictures ({low:.0%} to {high:.0%}), "
        f"{1000 * seconds[name]:.0f} ms a picture"
    )

# %% tags=["nbval-ignore-output"]
paired = compare_paired(labels, *answers.values())
first, second = answers
print(f"pictures that only {first} gets right: {paired.only_first}, only {second}: {paired.only_second}")
print(f"two equally good models are as uneven as that in {paired.p_value:.1%} of all tests")

# %% [markdown]
# That is the whole method: your pictures, each model with its own preprocessing, the same head, and a comparison **where they differ** (lesson 06). A
# catalogue can only tell you which models to try. With a network, `load_pretrained` takes any name of the table above in place of these two.

# %% [markdown]
# ## What you now know
#
# - `weights.meta` tells accuracy, operations, parameters and file size of all eighty, without a download. The file is four bytes
#   times the parameters.
# - On the **Pareto front** nobody is both cheaper and better. Which models lie there depends on what you count.
# - Accuracy belongs to the **weights**: recipe and pixels move it, and a licence may limit what you use them for.
# - Code, weights and pictures each have terms of their own. `pick(..., licence="commercial")` leaves out what is known to forbid a sale.
# - **Operations sort, a clock decides.** Thin layers do little arithmetic and wait for memory. Warm up, wait for the GPU, take the median; and
#   say whether it is latency or throughput.
# - A choice has limits with numbers, one thing to maximise, and a reason that can be checked.
#
# ## Where to practise
#
# - Put a model of your choice into `SIX`. Predict its latency from the table before you run it.
# - With a second device, run the lesson on both (`COURSE_DEVICE=cpu`): does the order of the six stay?
# - Your photo app may take 40 MiB and should answer 20 pictures per second on this computer. Which of the six? Which of the eighty would you try
#   next?
# - Two graded assignments (in `exercises/release/`, or from your instructor) are about this lesson and the next ones: **ps5-choose-and-ship**
#   fits after lesson 09, **quiz-5** after lesson 10.
#
# [Next: deeper than the last layer](08_deeper_than_the_last_layer.ipynb)
