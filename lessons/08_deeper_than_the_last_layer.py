# %% [markdown]
# # Deeper than the last layer
#
# A new head on a still backbone is quick, and often good enough. When it is not, the next step is to let more layers
# learn. How many, how fast, what can go wrong without a message, and when is the whole idea of no use? This lesson
# answers with measurements.
#
# **After this lesson you can**
#
# - say *feature extraction* and *fine-tuning* as the field says them, and choose a point in between,
# - unfreeze a network stage by stage, and say what BatchNorm should do meanwhile,
# - choose a depth on validation pictures, and tell a difference from a lucky draw,
# - show by numbers that a "frozen" network moved,
# - load a weights file that fits only in part, and prove what was loaded,
# - find out, instead of believing, whether pre-training helps on pictures that look like nothing it has seen.
#
# **Time:** 75 minutes. **You need:** lesson [05](05_fine_tuning_the_last_layer.ipynb). No network, no GPU.

# %%
import copy
import inspect
import time

import numpy as np
import torch
from PIL import Image
from skimage import data
from sklearn.datasets import load_digits
from torch import nn
from torchvision import models

from course_utils import ask, doodle_pets, extract_features, fit_head, freeze_backbone, install_head
from course_utils import get_device, load_pretrained, Pictures, replace_head
from course_utils.depth import chain, parameter_groups, stages, train_from, unfreeze_from
from course_utils.plots import show_bars, show_draws, show_images, show_lines
from course_utils.results import stored_results, values

# %%
PICTURES, DRAW = 500, 0  # DRAW: which pictures to train on, in which order; take another and compare
SOURCE = "course"  # "imagenet" is better, and on a CPU much slower
device = get_device()
model, weights = load_pretrained("resnet18", SOURCE)
transform = weights.transforms()
size = transform.crop_size[0]

# %% [markdown] covers=["S13", "S25", "S26", "S33"]
# ## Two words, and what lies between
#
# You know the umbrella, transfer learning. The field uses two words for what is under it, and you will meet them in
# PyTorch's transfer-learning tutorial, in Keras' guide and in papers:
#
# - **Feature extraction**: no pre-trained weight changes. Only a new head learns.
# - **Fine-tuning**: some or all of the pre-trained weights learn on, with small steps.
#
# So "fine-tuning" does not tell *how much* is trained. Between "only the head" and "everything" lie the **stages** of the
# network. `stages` is a small function of this course (`course_utils/depth.py`); it lists what belongs together from the
# first layer to the head.

# %% covers=["S24", "S33"]
parts = stages(model)
total = sum(parameter.numel() for parameter in model.parameters())
share = {name: sum(parameter.numel() for parameter in part) / total for name, part in parts.items()}
for name, part in parts.items():
    print(f"{name:8} {len(part):3} tensors {share[name]:6.1%} of all {total:,} weights")

# %%
show_bars(
    share,
    alt="Share of a ResNet-18's weights in each stage: conv1 and layer1 next to nothing, layer2 a few percent, layer3 about "
    "a fifth, layer4 about three quarters, the head fc a few percent or less.",
    label="share of all weights",
)

# %% [markdown]
# From `layer1` to `layer4` the bars grow: each of these stages has twice the channels of the one before, and so about four times
# the weights.
# `layer4` alone holds most of the network. "Only the last block" is a lot.

# %%
ask("which-part-next")

# %% [markdown]
# ## Two worlds of pictures
#
# The pets of lesson 05, twice: **plain**, which the models below are trained on, and **pencil**, the same animals
# drawn with coloured pencils. Nothing below is trained on pencil before the last section. It stands for the day on which
# your pictures begin to look different.
#
# There are three parts, as in lesson 06: from the **training** pictures the network learns, on the **validation** pictures we choose
# how deep to train, and the **test** pictures are asked once, after that.

# %%
train = doodle_pets(PICTURES, seed=10 + DRAW, size=size)
validation = doodle_pets(200, seed=3, size=size)
tests = {
    "plain": doodle_pets(200, seed=1, size=size),
    "pencil": doodle_pets(200, seed=2, size=size, style="shifted"),
}
show_images(
    tests["plain"].images[:5] + tests["pencil"].images[:5],
    ["plain"] * 5 + ["pencil"] * 5,
    alt="Two rows of five drawn pets. Above plain ones, with filled areas of colour; below pencil ones, "
    "drawn with strokes on paper.",
)


# %%
def as_tensors(pictures):
    x = torch.stack([transform(image) for image in pictures.images])
    return x.to(device), torch.tensor(pictures.labels).to(device)


train_x, train_y = as_tensors(train)
validation_tensors = as_tensors(validation)
test_tensors = {name: as_tensors(pictures) for name, pictures in tests.items()}
print("train:", tuple(train_x.shape), " test:", {name: tuple(x.shape) for name, (x, _) in test_tensors.items()})

# %% [markdown] covers=["S37"]
# ## What is left to chance
#
# People ask which *initialisation* suits a pre-trained network. None does: every pre-trained number comes out of the file.
# Only what you add is drawn at random. Let us look: the same model, built twice, with two seeds.


# %% covers=["S37"]
def with_new_head(seed):
    torch.manual_seed(seed)
    network, _ = load_pretrained("resnet18", SOURCE, quiet=True)
    return replace_head(network, 2)


first, second = with_new_head(0).state_dict(), with_new_head(1).state_dict()
print("different:", [name for name in first if not torch.equal(first[name], second[name])])

# %% [markdown]
# The head, and nothing else. Two more things hang on the seed, the order of the pictures and, where it is used, random
# augmentation. Here is how much a new head's luck is worth before it has learned anything:

# %% tags=["nbval-ignore-output"]
features, labels = extract_features(model, transform, train, device=device)
validation_features, validation_labels = extract_features(model, transform, validation, device=device)


def luck(seed):
    torch.manual_seed(seed)
    untrained = nn.Linear(features.shape[1], 2)
    return (untrained(validation_features).argmax(dim=1) == validation_labels).float().mean().item()


print("five untrained heads:", *[f"{luck(seed):.0%}" for seed in range(5)])

# %% [markdown]
# A head that knows nothing still has a score. Compare results of different seeds before you believe a difference.

# %%
ask("what-is-random")

# %% [markdown] covers=["S24", "S33"]
# ## Stage by stage
#
# First the head alone learns, on cached features, as in lesson 05. Then we let more learn, from the end: the last stage, `layer4`, or
# everything. Each time the trained head is the start. While a head is still random, its large errors would flow back into layers
# that were fine as they were.
#
# One trick saves much of the time. What lies before the first unfrozen stage stands still, so its output can be computed
# **once**. Lesson 05 did that with the features. It works at every cut, because a ResNet is a chain:

# %%
head, _ = fit_head(features, labels, num_classes=2, seed=DRAW)


def with_trained_head():
    """The pre-trained network with its trained head, as a chain that can be cut."""
    return chain(install_head(copy.deepcopy(model), head)).to(device).eval()


names = [name for name, _ in with_trained_head().named_children()]
print(" -> ".join(names))
cut = names.index("layer4")
with torch.no_grad():
    print("kept for each picture before layer4:", tuple(with_trained_head()[:cut](train_x[:1]).shape[1:]))

# %% [markdown]
# The training loop is the one you know, on what was kept. It is in `course_utils/depth.py`; here is its core:

# %%
loop = inspect.getsource(train_from)
print(loop[loop.index("    rest.train(") :])

# %% [markdown] covers=["S36"]
# One line is new. While training, BatchNorm can work in two ways:
#
# - **`"batch"`**: with mean and deviation of the twenty pictures of each batch, as `train()` has it. Its stored averages follow.
# - **`"stored"`**: with the averages out of the file, as `eval()` has it. They stay; only the weights learn.
#
# **Commit to an answer first.** 500 pictures, 40 steps. Which wins on the plain pictures, and which on the pencil drawings that none of
# them has seen: the head alone, the last stage, everything with `"batch"`, or everything with `"stored"`? (The third we leave to the stored
# runs further down.)


# %%
def accuracy_of(network, x, y):
    with torch.no_grad():
        answers = torch.cat([network(part).argmax(dim=1) for part in x.split(50)])
    return (answers == y).cpu().double().mean().item()  # on the CPU: Apple's GPU has no doubles


ways = {
    "head": None,
    "last stage": ("layer4", "stored"),
    "everything, stored": ("conv1", "stored"),
}

# %% tags=["nbval-ignore-output"]
networks, seconds = {}, {}
for name, way in ways.items():
    networks[name], started = with_trained_head(), time.perf_counter()
    if way:
        train_from(networks[name], way[0], train_x, train_y, batch_norm=way[1], seed=DRAW)
    seconds[name] = time.perf_counter() - started

# %% [markdown]
# ### Choose, then test
#
# How deep shall it be? That is a choice, so it is made on the validation pictures. They are plain, like the training pictures; nobody has
# pencil drawings yet.

# %% tags=["nbval-ignore-output"]
on_validation = {name: accuracy_of(network, *validation_tensors) for name, network in networks.items()}
chosen = max(on_validation, key=on_validation.get)
for name, score in on_validation.items():
    print(f"{name:19} validation {score:6.1%}   {seconds[name]:5.1f} s more than the head")
print("chosen:", chosen)

# %% tags=["nbval-ignore-output"]
measured = {name: {s: accuracy_of(network, *test_tensors[s]) for s in tests} for name, network in networks.items()}
print(
    f"the chosen one on the test pictures: plain {measured[chosen]['plain']:.1%}, pencil {measured[chosen]['pencil']:.1%}"
)

# %% [markdown] covers=["S24", "S33"]
# ### One run among many
#
# You have just made **one draw**: one set of training pictures, one order. To see what holds and what is luck, the course has made
# several, each with training pictures of its own, and stored the results. **Stored**, not measured just now; this command makes them
# again, and it takes about half an hour:

# %%
grid = stored_results("depth")
print(grid["command"])
print(len(values(grid["runs"], "plain", pictures=500, trained="head")), "draws with 500 pictures")
print({name: grid["recipe"][name] for name in ("steps", "batch_size", "learning_rate", "test_pictures")})

# %% tags=["nbval-ignore-output"]
entries = {
    "head": {"trained": "head"},
    "last stage": {"trained": "last stage", "batch_norm": "stored"},
    "everything, batch": {"trained": "everything", "batch_norm": "batch"},
    "everything, stored": {"trained": "everything", "batch_norm": "stored"},
}
stored = {
    style: {name: values(grid["runs"], style, pictures=500, **entry) for name, entry in entries.items()}
    for style in tests
}
yours = {style: {name: scores[style] for name, scores in measured.items()} for style in tests}
print(f"{'500 pictures':19}   plain: mean, from to        pencil: mean, from to")
for name in entries:
    cells = [f"{np.mean(v):6.1%} {min(v):6.1%} {max(v):6.1%}" for v in (stored["plain"][name], stored["pencil"][name])]
    print(f"{name:19}   {cells[0]}        {cells[1]}")

# %% tags=["nbval-ignore-output"]
show_draws(
    {f"{style} test pictures": stored[style] for style in tests},
    yours={f"{style} test pictures": yours[style] for style in tests} if PICTURES == 500 else None,
    alt="Accuracy of every stored draw for four ways to train, on plain and on pencil pictures, with the run just made as a ring. Means: "
    + " ".join(
        f"{n}: plain {np.mean(stored['plain'][n]):.0%}, pencil {np.mean(stored['pencil'][n]):.0%}." for n in entries
    ),
)

# %% [markdown]
# Small marks are the stored draws, short lines their means, rings your run. Compare draw by draw: each draw trained all four ways on the
# **same** pictures, so we may count who wins (lesson 06).

# %% tags=["nbval-ignore-output"]
for style in tests:
    best = np.array(stored[style]["everything, stored"])
    for other in ("head", "last stage", "everything, batch"):
        gap = best - np.array(stored[style][other])
        print(
            f"{style:6}: everything, stored is above {other:17} in {int((gap > 0).sum())} of {len(gap)} draws, {100 * gap.mean():+5.1f} points"
        )

# %% [markdown] covers=["S33", "S36"]
# Read the counts, not the highest mark:
#
# - Training **everything with stored averages** beats the head alone by a little on the plain drawings, and by far on the pencil drawings,
#   although it never saw one.
# - The same training with `"batch"` loses much of that. Averages of twenty pictures are noisy, and what BatchNorm then stores belongs to the
#   plain pictures alone.
# - Within one way the draws differ by several points, on the pencil drawings by many more. A single comparison of two ways can come out the
#   other way round.
#
# "With few pictures train the head only" is a rule that you will read. Here it does not hold, with careful steps and stored averages. A
# study of when deeper training hurts on other kinds of pictures is Kumar and others, "Fine-Tuning can Distort Pretrained Features" (2022,
# arXiv 2202.10054); it found the head-first order that you have just used to help.
#
# ### And with fewer pictures, or more?
#
# **Commit to an answer first.** With 50 training pictures instead of 500: does training everything still pay?

# %% tags=["nbval-ignore-output"]
sizes = sorted({run["pictures"] for run in grid["runs"]})
for style in tests:
    groups = {
        str(size): {name: values(grid["runs"], style, pictures=size, **entry) for name, entry in entries.items()}
        for size in sizes
    }
    show_draws(
        groups,
        yours={str(PICTURES): yours[style]} if PICTURES in sizes else None,
        xlabel="training pictures",
        ylabel=f"accuracy, {style} pictures",
        alt=f"Accuracy on {style} test pictures of every stored draw, by the number of training pictures. "
        + " ".join(
            f"{size}: " + ", ".join(f"{name} {np.mean(v):.0%}" for name, v in group.items()) + "."
            for size, group in groups.items()
        ),
    )

# %% [markdown]
# Columns are there for the numbers of pictures that have been run. Every run had the same 40 steps, whatever that number, so they differ in what there was to see, not in how long it was
# looked at. Set `PICTURES` to another of these numbers, or `DRAW` to one that nobody has made, and run the lesson again: your ring moves.

# %%
ask("unfreezing-step-by-step")

# %% [markdown] covers=["S23", "S33"]
# ## Learning rates by depth
#
# Early layers see edges and colours. They are useful as they are, and a careless step can spoil them for everything behind. So
# the earlier a layer, the smaller its steps should be. In PyTorch that is a list of **parameter groups**, each with its
# own learning rate:

# %% covers=["S23"]
optimizer = torch.optim.AdamW(parameter_groups(model, lr=0.01, factor=0.3))
for group in optimizer.param_groups:
    print(f"{group['name']:8} lr {group['lr']:.5f}")

# %% [markdown]
# Going back from the head, each stage gets 0.3 times the rate of the next one. Does it pay? A fair trial has three rivals: a rate that
# is too high, 0.01, for all stages; the same rate for the head, and a tenth for each stage before (a strong fall); and a plain **small rate
# for all**, 0.001. All train from `layer3` on, with `"batch"`.
#
# **Commit to an answer first.** Which of the three ends highest?

# %%
rates = grid["recipe"]["rates"]
curves = {}
for name, rate in rates.items():
    network = with_trained_head()
    curves[name] = train_from(
        network, "layer3", train_x, train_y, lr=rate["head"], factor=rate["factor"], batch_norm="batch", steps=20
    )

# %% tags=["nbval-ignore-output"]
show_lines(
    range(1, 21),
    curves,
    alt="Training loss of the first twenty steps, one draw. "
    + " ".join(f"{name}: at most {max(curve):.1f}." for name, curve in curves.items()),
    xlabel="step",
    ylabel="training loss",
)

# %% [markdown]
# That was one draw, measured just now: the high rate for all throws layers that were good a long way. What is left of it at the end, and in how many draws?
# Again from the stored runs:

# %% tags=["nbval-ignore-output"]
ends = {style: {name: values(grid["runs"], style, rates=name) for name in rates} for style in tests}
show_draws(
    {f"{style} test pictures": ends[style] for style in tests},
    alt="Accuracy after training with three settings of the learning rate, every stored draw. Means: "
    + " ".join(f"{n}: plain {np.mean(ends['plain'][n]):.0%}, pencil {np.mean(ends['pencil'][n]):.0%}." for n in rates),
)
for name in rates:
    plain = np.array(ends["plain"][name])
    print(
        f"{name:15} plain: mean {plain.mean():.1%}, worst {plain.min():.1%}; below the head alone in "
        f"{int((plain < np.array(stored['plain']['head'][: len(plain)])).sum())} of {len(plain)} draws"
    )

# %% [markdown]
# The high rate is a gamble. Rates by depth tame it. But the **plain small rate does that too**, with one number instead of two. So first
# look for a good rate for all; rates by depth are worth a try after that, and they have to beat it, on validation pictures.
#
# In `course_utils`, `unfreeze_from(model, "layer4")` freezes everything before a stage, BatchNorm included, and
# `parameter_groups(model, lr)` leaves out what is frozen. With both, an ordinary training loop is all you need.

# %%
unfreeze_from(model, "layer4")
print([(group["name"], group["lr"]) for group in parameter_groups(model, lr=0.001)])

# %% [markdown] covers=["S36"]
# ## A frozen network that moves
#
# Lessons 03 and 05 counted the tensors that move although nothing is trained. What does it do to the answers? Take the network
# with its trained head, freeze **every** parameter, and let it only *look* at pencil drawings, in train mode and under
# `no_grad`. There is no loss, no optimizer, no gradient.
#
# **Commit to an answer first.** Afterwards, back in eval mode, what does it answer for the plain pictures?
#
# - (a) the same as before, to the last digit, since nothing was trained
# - (b) something else

# %% covers=["S36"]
pencil_x = test_tensors["pencil"][0][:100]


def look_at(pictures, network):
    """Forward passes in train mode; return the network's state before."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    with torch.no_grad():
        for part in pictures.split(20):
            network(part)
    network.eval()
    return before


frozen = with_trained_head().requires_grad_(False)
before = look_at(pencil_x, frozen)
after = frozen.state_dict()
parameters = {name for name, _ in frozen.named_parameters()}
moved = [name for name in after if not torch.equal(before[name], after[name])]
print(len(moved), "tensors moved,", len(parameters.intersection(moved)), "of them parameters")
print(f"bn1.running_mean before: {before['bn1.running_mean'][:3].cpu().numpy().round(3)}")
print(f"bn1.running_mean after:  {after['bn1.running_mean'][:3].cpu().numpy().round(3)}")

# %% tags=["nbval-ignore-output"]
moved_scores = {style: accuracy_of(frozen, *test_tensors[style]) for style in tests}
for style in tests:
    print(f"{style:6}: {measured['head'][style]:.0%} right before, {moved_scores[style]:.0%} after looking")
with torch.no_grad():
    old, new = (network(test_tensors["plain"][0]).softmax(dim=1)[:, 0] for network in (networks["head"], frozen))
changed = int(((old > 0.5) != (new > 0.5)).sum())
print(f"plain : {changed} of {len(old)} answers changed, probabilities by up to {(new - old).abs().max():.0%}")

# %% [markdown]
# It is (b). The accuracy may hide it, since some answers change for the better and some for the worse; the probabilities show it.
# Five batches move an average 41 % of the way to what they see (1 - 0.9⁵); more would move it further. How far did the
# statistics move? We measure it in standard deviations of each channel, and take the
# mean over a layer's channels:

# %% covers=["S36"]
shift = [
    ((after[name] - before[name]).abs() / before[name.replace("mean", "var")].sqrt()).mean().item()
    for name in before
    if name.endswith("running_mean")
]
print(f"{len(shift)} BatchNorm layers moved by {min(shift):.2f} to {max(shift):.2f} standard deviations")

# %%
show_lines(
    range(1, len(shift) + 1),
    {"shift of the mean": shift},
    alt="How far the running mean of each BatchNorm layer moved, from the first to the last layer, in standard "
    f"deviations: between {min(shift):.2f} and {max(shift):.2f}, although every parameter was frozen.",
    xlabel="BatchNorm layer, from the first to the last",
    ylabel="shift in standard deviations",
)

# %% [markdown]
# Every layer has moved. Now the same with the course's `freeze_backbone`, which puts frozen layers back into eval mode at each
# forward pass:

# %% covers=["S36"]
still = freeze_backbone(with_trained_head())
before = look_at(pencil_x, still)
print(sum(not torch.equal(before[name], tensor) for name, tensor in still.state_dict().items()), "tensors moved")

# %%
ask("frozen-batchnorm-moves")

# %% [markdown] covers=["S27", "S28", "S38"]
# ## Loading what fits only in part
#
# The weights for your start come from a file, and the file rarely fits exactly: other classes, other names. `strict=False`
# is the famous way to make the error go away. Let us see what it makes go away with it. Somebody trained on several GPUs
# with `DataParallel`, which puts `module.` before every name:

# %% covers=["S27", "S28", "S38"]
file = {
    f"module.{name}": tensor for name, tensor in load_pretrained("resnet18", SOURCE, quiet=True)[0].state_dict().items()
}
torch.manual_seed(0)
network = models.resnet18(weights=None, num_classes=2)
before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
report = network.load_state_dict(file, strict=False)
loaded = sum(not torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
print(f"no error; {loaded} of {len(before)} tensors changed")

# %% [markdown]
# Nothing has been loaded, and nobody has complained. The network is as random as before, it will train, and its accuracy
# will be a puzzle. The only trace is what `load_state_dict` returns and nearly nobody reads:

# %% covers=["S38"]
print(len(report.missing_keys), "missing, for example   ", report.missing_keys[:2])
print(len(report.unexpected_keys), "unexpected, for example", report.unexpected_keys[:2])

# %% [markdown]
# (The missing ones are fewer: the counters of BatchNorm are not demanded from a file that does not say its version.)

# %% [markdown] covers=["S27", "S38"]
# ### Key surgery
#
# The cure is to change the names, and to leave `strict` alone as long as you can. Here the old head has to go as well: it
# has another number of classes, and `strict=False` forgives names, never shapes.

# %% covers=["S27", "S38"]
renamed = {name.removeprefix("module."): tensor for name, tensor in file.items()}
try:
    network.load_state_dict(renamed, strict=False)
except RuntimeError as error:
    print(str(error).splitlines()[1].strip())

# %%
body = {name: tensor for name, tensor in renamed.items() if not name.startswith("fc.")}
report = network.load_state_dict(body, strict=False)
print("missing:", report.missing_keys, " unexpected:", report.unexpected_keys)
assert set(report.missing_keys) == {"fc.weight", "fc.bias"} and not report.unexpected_keys

# %% [markdown]
# The last line is the important one. `strict=False` is fine when you **say which names may be missing**, and let the
# program stop when it is any other.

# %%
ask("module-prefix")

# %% [markdown]
# ### A real file with other names
#
# `module.` is the easy case: one rule for all names. Here is the file that the course's EfficientNet-Lite0 comes from. Its authors
# wrote the network in TensorFlow, somebody carried the weights over to PyTorch, and neither had torchvision's class in mind. The same
# layers, in the same order and with the same shapes, under names of their own:

# %%
from course_utils.checkpoint import read_weights
from course_utils.efficientnet_lite import efficientnet_lite0, pad_alike, torchvision_names
from course_utils.shipped import SHIPPED

published = read_weights(SHIPPED["efficientnet_lite0"].checked_file())
lite = efficientnet_lite0()
wanted = lite.state_dict()
common = published.keys() & wanted.keys()
print(f"{len(published)} tensors in the file, {len(wanted)} in the network")
print(f"{len(common)} names in common\n")
for theirs, ours in list(zip(published, wanted, strict=True))[6:13]:
    print(f"{theirs:42} {ours}")

# %% [markdown]
# One could walk through both lists in step, as the cell above does. That works until one list is in another order, and nobody is told. A
# **name map** says which layer is which, and `strict=True` checks that none is left over. `torchvision_names` is such a map. It
# counts: the file numbers all 16 blocks in a row, torchvision numbers the blocks of each stage.

# %%
report = lite.load_state_dict(torchvision_names(published), strict=True)
lite = lite.eval()
print(report)

# %% [markdown]
# Every key matches, every shape fits. Is the network right? Not before it has answered on pictures. What a state dict cannot hold is
# what has no numbers: the size of a stride, the kind of an activation, **where the zeros go** around a picture. With stride 2 and an even
# side, TensorFlow pads one row more below and right, torch the same everywhere. `pad_alike` gives the network torch's padding. The
# state dict does not change by a bit:

# %%
from course_utils import predict, sample_images
from course_utils.weights import EfficientNet_Lite0_Weights

lite_weights = EfficientNet_Lite0_Weights.DEFAULT
wrong = pad_alike(copy.deepcopy(lite))
print(wrong.load_state_dict(lite.state_dict(), strict=True), "\n")
photos = sample_images()
squares = [photo.square for photo in photos.values()]
answers = predict(lite, lite_weights, squares, k=1)
other_answers = predict(wrong, lite_weights, squares, k=1)
for photo, (answer,), (other,) in zip(photos, answers, other_answers, strict=True):
    print(f"{photo:12} {answer!s:32} {other}")

# %% [markdown]
# Not an error, not a warning, and answers that look like answers. Six photos show no more than that, so the same thousand real pictures
# as in lesson 02 are counted (they are not shipped; the numbers are stored with the command that measures them):

# %%
costs = stored_results("preprocessing")
lines = {line["recipe"]: line for line in costs["runs"] if line["model"] == "efficientnet_lite0"}
right, wrong = lines["as trained"], lines["padded alike"]
for line in (right, wrong):
    print(f"{line['recipe']:13} first answer right {line['top1']:6.1%}   confidence {line['confidence']:6.1%}")
lost = right["top1"] - wrong["top1"]
print(f"lost {100 * lost:.1f} points of {100 * right['top1']:.1f}; measured by:")
print(costs["command"])

# %% [markdown]
# So after any surgery the last step is always the same: pictures whose answers you know, through both, and the numbers compared. For
# this network the tests of the course do that against the code of those who carried it over, to the last digit of float32.
#
# ### Surgery on a tensor
#
# X-rays and microscope pictures often have a single channel. The first layer wants three. Instead of copying each picture three
# times, add up the first layer's weights over its input channels. It is the same sum in another order, as long as the three
# channels are equal, as here. (The preset's mean and deviation differ from channel to channel. So normalise a grey picture with a
# single mean and deviation, in training and afterwards.)

# %%
gray_model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
one_channel = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
one_channel.weight.data = gray_model.conv1.weight.data.sum(dim=1, keepdim=True)
gray = torch.rand(4, 1, size, size, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    three = gray_model(gray.repeat(1, 3, 1, 1))
    gray_model.conv1 = one_channel
    print("the same scores from one channel:", torch.allclose(gray_model(gray), three, atol=1e-3))

# %% [markdown] covers=["S39"]
# ## When not to use it
#
# "Not for medical pictures, not for satellites", one reads, "they are too different". Others say that pre-training always helps.
# Both are claims about a measurement, so let us make it. Three tasks, each of another kind:
#
# - **pencil pets**: cat or dog, trained on pencil drawings this time,
# - **materials**: brick, grass or gravel, in grey,
# - **handwriting**: digits that people wrote on forms, 8 x 8 grey pixels from a scanner. No photo, no object, no colour.
#
# The materials are samples of scikit-image, under CC0, cut into patches; **the left half is for training, the right half for
# testing**, so that no patch meets its neighbour across the split. The digits are in scikit-learn (Alpaydin and Kaynak, UCI, 1998, CC BY
# 4.0), in the order in which they were collected; we learn from the first 300 and test on the next 400, so that few writers are in both.


# %%
def patches(picture, half):
    """Squares of 64 pixels from the left (0) or the right (1) half of a picture."""
    middle = picture.shape[1] // 2
    rows = range(0, picture.shape[0] - 63, 64)
    columns = range(half * middle, half * middle + middle - 63, 64)
    return [picture[y : y + 64, x : x + 64] for y in rows for x in columns]


def as_pictures(arrays, labels, categories):
    return Pictures([Image.fromarray(array).convert("RGB") for array in arrays], labels, categories)


def materials(half):
    names, squares, labels = ("brick", "grass", "gravel"), [], []
    for label, name in enumerate(names):
        found = patches(getattr(data, name)(), half)
        squares += found
        labels += [label] * len(found)
    return as_pictures(squares, labels, names)


def handwriting(first, last):
    digits = load_digits()
    sheets = np.uint8(255 - 15 * digits.images[first:last])  # dark ink on white paper
    return as_pictures(sheets, digits.target[first:last], [str(digit) for digit in range(10)])


# %%
tasks = {
    "pencil pets": (doodle_pets(80, seed=4, size=size, style="shifted"), tests["pencil"]),
    "materials": (materials(0), materials(1)),
    "handwriting": (handwriting(0, 300), handwriting(300, 700)),
}
for name, (train_part, test_part) in tasks.items():
    print(f"{name:12} train {len(train_part)}  test {len(test_part)}  in {len(test_part.categories)} categories")

# %%
examples = {}
for train_part, _ in tasks.values():
    for label, category in enumerate(train_part.categories[:4]):
        examples[category] = train_part.images[train_part.labels.index(label)]
show_images(
    list(examples.values()),
    list(examples),
    alt="Training pictures: a cat and a dog in coloured pencil; grey patches of brick, grass and gravel; four blurred handwritten "
    "digits of a few pixels.",
    columns=9,
)

# %% [markdown]
# A fair comparison needs **rivals** that could win. Each describes a picture by numbers, and on each the same linear head is trained:
#
# - the features of the **pre-trained** network,
# - the features of the **same network with random weights**, which has never learned anything (three draws),
# - the **picture itself**, shrunk to 8 x 8 grey pixels: 64 numbers. No network at all.
#
# **Commit to an answer first.** For each task: by how much does pre-training win, or does it lose?

# %%
far_transform = weights.transforms(crop_size=32, resize_size=32)  # as sharp as the digits allow, and quick


def random_network(seed):
    torch.manual_seed(seed)
    return models.resnet18(weights=None, num_classes=2)


def small_pixels(pictures):
    small = [np.asarray(image.convert("L").resize((8, 8), Image.Resampling.BOX)) for image in pictures.images]
    return torch.tensor(np.stack(small).reshape(len(small), 64) / 255.0).float(), torch.tensor(pictures.labels)


def score(describe, task):
    """Train a linear head on what ``describe`` makes of the training pictures; return the share of right test answers."""
    train_part, test_part = tasks[task]
    linear, _ = fit_head(*describe(train_part), num_classes=len(train_part.categories))
    x, y = describe(test_part)
    return (linear(x).argmax(dim=1) == y).cpu().double().mean().item()


# %% tags=["nbval-ignore-output"]
def seen_by(network, task):
    use = far_transform if task == "handwriting" else transform
    return lambda pictures: extract_features(network, use, pictures, device=device)


compared = {
    task: {
        "pre-trained": [score(seen_by(model, task), task)],
        "random weights": [score(seen_by(random_network(seed), task), task) for seed in range(3)],
        "8 x 8 pixels": [score(small_pixels, task)],
    }
    for task in tasks
}
print(f"{'':12} pre-trained  random weights: mean, from to  8 x 8 pixels  always the same")
for task, scores in compared.items():
    counts = tasks[task][1].counts().values()
    draws = scores["random weights"]
    print(
        f"{task:12} {scores['pre-trained'][0]:11.1%}  {np.mean(draws):14.1%} {min(draws):6.1%} {max(draws):6.1%}"
        f"  {scores['8 x 8 pixels'][0]:14.1%}  {max(counts) / sum(counts):15.1%}"
    )

# %% tags=["nbval-ignore-output"]
show_draws(
    compared,
    alt="Accuracy of a linear head on three descriptions of the pictures, for three tasks. "
    + " ".join(
        f"{task}: " + ", ".join(f"{n} {np.mean(s):.0%}" for n, s in scores.items()) + "."
        for task, scores in compared.items()
    ),
)

# %% [markdown] covers=["S15", "S39"]
# Read the table from right to left. *Always the same* is what a program gets that names the most frequent category. The 64 pixels say how
# much of a task needs no network. Random weights say how much the architecture gives away for free. **What is left is what
# pre-training brought**: much for the pets, and for the handwriting nothing, or less. What the network learned to see in photos, fur,
# wheels, textures, does not help to tell a 3 from an 8.
#
# ### Bad features, and still a good start?
#
# The features stood still. What if everything may learn? **Commit to an answer first:** on the same 300 digits, 60 steps from pre-trained
# weights against 60 steps from scratch.


# %% tags=["nbval-ignore-output"]
def digits_as_tensors(part):
    return torch.stack([far_transform(image) for image in part.images]).to(device), torch.tensor(part.labels).to(device)


learn, examine = (digits_as_tensors(part) for part in tasks["handwriting"])
started_from = {}
for name, network, options in (
    ("pre-trained", copy.deepcopy(model), {"lr": 3e-4, "batch_norm": "stored"}),
    ("from scratch", random_network(0), {"lr": 1e-3, "batch_norm": "batch"}),
):
    linear, _ = fit_head(*seen_by(network, "handwriting")(tasks["handwriting"][0]), num_classes=10)
    network = chain(install_head(network, linear)).to(device).eval()
    train_from(network, "conv1", *learn, steps=60, **options)
    started_from[name] = accuracy_of(network, *examine)
    print(f"{name:13} {started_from[name]:.1%} of {len(examine[1])} digits")

# %% [markdown] covers=["S2", "S15", "S39"]
# The same weights that were poor *features* are a better *start* than none, in this one draw. (With 400 test pictures, four points up or down are luck.) Large
# studies point the same way. For two big medical sets, Raghu and others ("Transfusion", 2019, arXiv 1902.07208) found that ImageNet
# weights brought little accuracy in the end, though training was faster. Little gain is not harm. So:
#
# - Neither "far away, so from scratch" nor "pre-trained, so good". **Compare, with a rival that could win.**
# - If there are weights from your own field (tissue, radar, handwriting), they are the first thing to compare with.
# - When pictures shift later, as from plain to pencil, an old score says nothing. Measure again on the new ones.

# %%
ask("far-from-imagenet")

# %% [markdown]
# ## What you now know
#
# - **Feature extraction** changes no pre-trained weight; **fine-tuning** changes some or all. Between them lie the stages.
# - Head first, then deeper with small steps, as long as **validation** rises. The test pictures are asked once, after the choice.
# - While fine-tuning on few pictures, keep BatchNorm at its **stored** averages. Of all choices here it mattered most.
# - One run is one draw. A small rate for all stages is the rival that rates by depth have to beat.
# - What lies before the first unfrozen stage has to be computed only once.
# - `requires_grad_(False)` does not hold BatchNorm still. You have seen how far it moves, and what that does to answers.
# - `strict=False` can load nothing at all and say nothing. Rename the keys, and say which ones may be missing.
# - Whether pre-training helps on far-away pictures is a measurement with fair rivals, not a rule.
#
# ## Where to practise
#
# - `ask("last-batch-of-one")`, from this lesson's part of the bank.
# - Set `DRAW` to 8 and see where your rings fall among the stored draws.
# - Replace the handwriting by your own pictures (`folder_of_pictures`), keep the rivals, and see what is left.
#
# [Next: Shipping it](09_shipping_it.ipynb)
