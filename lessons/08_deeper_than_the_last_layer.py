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
# - unfreeze a network stage by stage, with smaller steps for earlier layers,
# - show by numbers that a "frozen" network moved,
# - load a weights file that fits only in part, and prove what was loaded,
# - find out, instead of believing, whether pre-training helps on pictures that look like nothing it has seen.
#
# **Time:** 45 minutes. **You need:** lesson [05](05_fine_tuning_the_last_layer.ipynb). No network, no GPU.

# %%
import time
from collections import OrderedDict

import numpy as np
import torch
from PIL import Image
from skimage import color, data
from torch import nn
from torchvision import models

from course_utils import ask, doodle_pets, extract_features, fit_head, freeze_backbone, install_head
from course_utils import get_device, load_pretrained, Pictures, replace_head
from course_utils.depth import parameter_groups, stages, unfreeze_from
from course_utils.plots import show_bar_panels, show_bars, show_images, show_lines

# %%
PICTURES, TEST_PICTURES, EPOCHS = 100, 100, 3  # raise them where you have a GPU or more patience
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

# %%
train = doodle_pets(PICTURES, seed=0, size=size)
tests = {
    "plain": doodle_pets(TEST_PICTURES, seed=1, size=size),
    "pencil": doodle_pets(TEST_PICTURES, seed=2, size=size, style="shifted"),
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
test_features, test_labels = extract_features(model, transform, tests["plain"], device=device)


def luck(seed):
    torch.manual_seed(seed)
    untrained = nn.Linear(features.shape[1], 2)
    return (untrained(test_features).argmax(dim=1) == test_labels).float().mean().item()


print("five untrained heads:", *[f"{luck(seed):.0%}" for seed in range(5)])

# %% [markdown]
# A head that knows nothing still has a score. Compare results of different seeds before you believe a difference.

# %%
ask("what-is-random")

# %% [markdown] covers=["S24", "S33"]
# ## Stage by stage
#
# The plan has three steps. First the head alone learns, on cached features, as in lesson 05. Then we unfreeze from the
# end: `layer4`, then `layer3` and `layer4`, then everything. Each time the trained head is the start. While a head is
# still random, its large errors would flow back into layers that were fine as they were.
#
# One trick saves most of the time. What lies before the first unfrozen stage stands still, so its output can be computed
# **once**. Lesson 05 did that with the features. It works at every cut, because a ResNet is a chain:

# %%
head, _ = fit_head(features, labels, num_classes=2)


def chain():
    """The network with its trained head, as a Sequential that can be cut."""
    network, _ = load_pretrained("resnet18", SOURCE, quiet=True)
    steps = OrderedDict(install_head(network, head).named_children())
    fc = steps.pop("fc")
    # The model's forward() flattens before the head; a chain has to be told.
    return nn.Sequential(OrderedDict(**steps, flatten=nn.Flatten(), fc=fc)).to(device)


names = [name for name, _ in chain().named_children()]
print(" -> ".join(names))
cut = names.index("layer4")
with torch.no_grad():
    print("kept for each picture before layer4:", tuple(chain()[:cut].eval()(train_x[:1]).shape[1:]))

# %% [markdown]
# Now the training loop. It is the one you know, on what was kept, and it trains everything behind the cut.


# %%
def train_from(stage, lr, factor=1.0):
    """Train the network from this stage on; return it, the seconds, and the loss of each step."""
    torch.manual_seed(0)
    network = chain()
    cut = names.index(stage)
    front, rest = network[:cut], network[cut:]
    started, losses = time.perf_counter(), []
    with torch.no_grad():
        kept = front.eval()(train_x)
    optimizer = torch.optim.AdamW(parameter_groups(rest, lr, factor))
    for _ in range(EPOCHS):
        rest.train()
        for batch in torch.randperm(len(kept)).split(20):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(rest(kept[batch]), train_y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return network.eval(), time.perf_counter() - started, losses


def accuracies(network):
    network.eval()
    with torch.no_grad():
        return {name: (network(x).argmax(dim=1) == y).float().mean().item() for name, (x, y) in test_tensors.items()}


# %% [markdown]
# **Commit to an answer first.** With these few pictures, which one wins on the plain test pictures, and which one
# on the pencil drawings that none of them has seen? And does more training also mean more accuracy on both?

# %% tags=["nbval-ignore-output"]
results, seconds = {"head only": accuracies(chain())}, {"head only": 0.0}
for stage in ("layer4", "layer3", "conv1"):
    name = "everything" if stage == "conv1" else f"from {stage}"
    network, seconds[name], _ = train_from(stage, lr=3e-4)
    results[name] = accuracies(network)
    del network

# %% tags=["nbval-ignore-output"]
print(f"{'trained':12} {'plain':>7} {'pencil':>7} {'extra seconds':>14}")
for name, scores in results.items():
    print(f"{name:12} {scores['plain']:7.0%} {scores['pencil']:7.0%} {seconds[name]:14.1f}")

# %% tags=["nbval-ignore-output"]
show_bar_panels(
    {f"{style} test pictures": {name: scores[style] for name, scores in results.items()} for style in tests},
    alt="Accuracy on plain and on pencil test pictures for four depths of training. "
    + " ".join(f"{name}: plain {s['plain']:.0%}, pencil {s['pencil']:.0%}." for name, s in results.items()),
)

# %% [markdown]
# On the left the pictures that the models were trained for, on the right the others. Let the program read it:

# %% tags=["nbval-ignore-output"]
error = 200 * (0.25 / TEST_PICTURES) ** 0.5  # twice the standard error, as in lesson 06
for style in tests:
    best = max(results, key=lambda name: results[name][style])
    gain = 100 * (results[best][style] - results["head only"][style])
    ahead = "" if best == "head only" else f", {gain:.0f} points above the head alone"
    print(f"{style:6}: best is {best!r}{ahead} (chance: ± {error:.0f} points)")

# %% [markdown] covers=["S33"]
# Three things to take along, whatever your numbers are:
#
# - Each stage more costs time, because less can be kept.
# - More trained weights are no promise. With few pictures a deeper training can learn the pictures by heart, and what it
#   unlearns on the way shows on pictures of another kind first. A study of this (Kumar and others, "Fine-Tuning can
#   Distort Pretrained Features", 2022, arXiv 2202.10054) found the head-first order that you have just used to help.
# - Differences smaller than this ± can be luck. With so few test pictures it is a wide band.

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
# Going back from the head, each stage gets 0.3 times the rate of the next one. Does it matter?
#
# **Commit to an answer first.** We train from `layer3` on with a rate that is too high, 0.01, once for all stages
# and once by depth. What will the loss of the first steps look like?

# %% tags=["nbval-ignore-output"]
curves = {}
for name, factor in {"the same for all": 1.0, "by depth": 0.1}.items():
    network, _, curves[name] = train_from("layer3", lr=0.01, factor=factor)
    print(f"{name:17} largest loss {max(curves[name]):5.2f}, plain {accuracies(network)['plain']:.0%}")

# %% tags=["nbval-ignore-output"]
show_lines(
    range(1, len(curves["by depth"]) + 1),
    curves,
    alt=f"Training loss of each step. With one high rate for all stages the loss jumps up to "
    f"{max(curves['the same for all']):.1f}; with rates that fall toward the first layers its highest value is "
    f"{max(curves['by depth']):.1f}.",
    xlabel="step",
    ylabel="training loss",
)

# %% [markdown]
# The two runs differ in nothing but the rates of the stages before the head. The height of the first jump shows how
# far large steps threw layers that were good before. It is a risk and not yet a loss: a run may recover within a few steps, and
# a few points between the two accuracies are luck with so few test pictures. A longer or less lucky run may not
# recover. (Here each stage got a tenth of the next one's rate, a strong fall; 0.3 is milder.)
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
pencil_x = test_tensors["pencil"][0]


def look_at(pictures, network):
    """Forward passes in train mode; return the network's state before."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    with torch.no_grad():
        for part in pictures.split(20):
            network(part)
    network.eval()
    return before


frozen = chain().requires_grad_(False)
before = look_at(pencil_x, frozen)
after = frozen.state_dict()
parameters = {name for name, _ in frozen.named_parameters()}
moved = [name for name in after if not torch.equal(before[name], after[name])]
print(len(moved), "tensors moved,", len(parameters.intersection(moved)), "of them parameters")
print(f"bn1.running_mean before: {before['bn1.running_mean'][:3].cpu().numpy().round(3)}")
print(f"bn1.running_mean after:  {after['bn1.running_mean'][:3].cpu().numpy().round(3)}")

# %% tags=["nbval-ignore-output"]
moved_scores = accuracies(frozen)
for style in tests:
    print(f"{style:6}: {results['head only'][style]:.0%} right before, {moved_scores[style]:.0%} after looking")
with torch.no_grad():
    old, new = (network(test_tensors["plain"][0]).softmax(dim=1)[:, 0] for network in (chain().eval(), frozen))
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
still = freeze_backbone(chain())
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
# - **tissue**: a microscope picture of a colon, stained so that one protein looks brown. The network gets it **in grey** and
#   has to say where there is much of the brown stain. The colours decide what is right.
#
# The pictures are samples of scikit-image: the tissue from the Center for Microscopy and Molecular Imaging (no known
# copyright restrictions), the materials under CC0. They are cut into patches; **the left half is for training,
# the right half for testing**, so that no patch meets its neighbour across the split.


# %%
def patches(picture, half, step):
    """Squares of 64 pixels from the left (0) or the right (1) half of a picture."""
    middle = picture.shape[1] // 2
    rows = range(0, picture.shape[0] - 63, step)
    columns = range(half * middle, half * middle + middle - 63, step)
    return [picture[y : y + 64, x : x + 64] for y in rows for x in columns]


def as_pictures(squares, labels, categories):
    return Pictures([Image.fromarray(square).convert("RGB") for square in squares], labels, categories)


def materials(half):
    names, squares, labels = ("brick", "grass", "gravel"), [], []
    for label, name in enumerate(names):
        found = patches(getattr(data, name)(), half, 64)
        squares += found
        labels += [label] * len(found)
    return as_pictures(squares, labels, names)


# %% [markdown]
# A patch of tissue is *much stain* if it has more of the brown stain than half of the patches on the left. The label comes from the
# colours; the network sees only the grey picture.

# %%
stained = data.immunohistochemistry()
brown = color.rgb2hed(stained)[..., 2]  # how much of the brown stain (DAB) is in each pixel
in_gray = (255 * color.rgb2gray(stained)).astype(np.uint8)
threshold = np.median([patch.mean() for patch in patches(brown, 0, 48)])


def tissue(half):
    labels = [int(patch.mean() > threshold) for patch in patches(brown, half, 48)]
    return as_pictures(patches(in_gray, half, 48), labels, ("little stain", "much stain"))


# %%
tasks = {
    "pencil pets": (doodle_pets(80, seed=3, size=size, style="shifted"), tests["pencil"]),
    "materials": (materials(0), materials(1)),
    "tissue": (tissue(0), tissue(1)),
}
for name, (train_part, test_part) in tasks.items():
    print(f"{name:12} train {train_part.counts()}  test {test_part.counts()}")

# %%
examples = {}
for train_part, _ in tasks.values():
    for label, category in enumerate(train_part.categories):
        examples[category] = train_part.images[train_part.labels.index(label)]
show_images(
    list(examples.values()),
    list(examples),
    alt="One training picture of each category: a cat and a dog in coloured pencil; grey patches of brick, grass and gravel; "
    "two grey patches of tissue, one with little and one with much stain.",
    columns=7,
)

# %% [markdown]
# A fair comparison needs **rivals**, and two cheap ones are enough to keep us honest. Each describes a picture by
# numbers, and on each the same linear head is trained:
#
# - the features of the **pre-trained** network,
# - the features of the **same network with random weights**, which has never learned anything,
# - six **plain numbers**: mean and spread of red, green and blue. No network at all.
#
# **Commit to an answer first.** For each task: by how much does pre-training win, or does it lose?

# %% tags=["nbval-ignore-output"]
pretrained, _ = load_pretrained("resnet18", SOURCE, quiet=True)
torch.manual_seed(0)
random_weights = models.resnet18(weights=None, num_classes=2)


def plain_numbers(pictures):
    pixels = torch.stack([transform(image) for image in pictures.images]).flatten(2)
    return torch.cat([pixels.mean(dim=2), pixels.std(dim=2)], dim=1), torch.tensor(pictures.labels)


describe = {
    "pre-trained": lambda pictures: extract_features(pretrained, transform, pictures, device=device),
    "random weights": lambda pictures: extract_features(random_weights, transform, pictures, device=device),
    "six numbers": plain_numbers,
}
compared = {task: {} for task in tasks}
for task, (train_part, test_part) in tasks.items():
    for name, function in describe.items():
        linear, _ = fit_head(*function(train_part), num_classes=len(train_part.categories))
        x, y = function(test_part)
        compared[task][name] = (linear(x).argmax(dim=1) == y).float().mean().item()

# %% tags=["nbval-ignore-output"]
print(f"{'':12}", *[f"{name:>15}" for name in describe], f"{'always the same':>16}")
for task, scores in compared.items():
    counts = tasks[task][1].counts().values()
    print(f"{task:12}", *[f"{scores[name]:15.0%}" for name in describe], f"{max(counts) / sum(counts):16.0%}")

# %% tags=["nbval-ignore-output"]
show_bar_panels(
    compared,
    alt="Accuracy of a linear head on three descriptions of the pictures, for three tasks. "
    + " ".join(
        f"{task}: " + ", ".join(f"{n} {s:.0%}" for n, s in scores.items()) + "." for task, scores in compared.items()
    ),
)

# %% tags=["nbval-ignore-output"]
for task, scores in compared.items():
    rival = max((name for name in scores if name != "pre-trained"), key=scores.get)
    gain = 100 * (scores["pre-trained"] - scores[rival])
    print(
        f"{task:12} pre-trained is {abs(gain):.0f} points {'above' if gain >= 0 else 'below'} its best rival ({rival})"
    )

# %% [markdown] covers=["S2", "S15", "S39"]
# Read the table from right to left. *Always the same* is what a program gets that names the most frequent category.
# The six numbers say how much of a task is brightness and colour alone. Random weights say how much the architecture
# gives away for free. **What is left is what pre-training brought**, and it differs from task to task. It can be less than nothing:
# where an answer is mostly a matter of how dark a patch is, as with the tissue, a rival may do better. (With 50 test patches,
# 10 points up or down are luck.)
#
# What this shows is small: patches of single pictures, and no diagnosis. Large studies point the same way. For two big
# medical sets, Raghu and others ("Transfusion", 2019, arXiv 1902.07208) found that ImageNet weights brought little
# accuracy in the end, though training was faster. Little gain is not harm, and with *few* pictures pre-training helps
# more often than not. So:
#
# - Neither "far away, so from scratch" nor "pre-trained, so good". **Compare, with a rival that could win.**
# - If there are weights from your own field (tissue, radar, plants), they are the first thing to compare with.
# - When pictures shift later, as from plain to pencil, an old score says nothing. Measure again on the new ones.

# %%
ask("far-from-imagenet")

# %% [markdown]
# ## What you now know
#
# - **Feature extraction** changes no pre-trained weight; **fine-tuning** changes some or all. Between them lie the stages.
# - Head first, then the last block, then earlier ones, with smaller steps the earlier the layer, and only as long as
#   validation rises.
# - What lies before the first unfrozen stage has to be computed only once.
# - `requires_grad_(False)` does not hold BatchNorm still. You have seen how far it moves, and what that does to answers.
# - `strict=False` can load nothing at all and say nothing. Rename the keys, and say which ones may be missing.
# - Whether pre-training helps on far-away pictures is a measurement with fair rivals, not a rule.
#
# ## Where to practise
#
# - `ask("last-batch-of-one")`, from this lesson's part of the bank.
# - Raise `PICTURES` to 500 and see whether the deeper trainings catch up with the head.
# - Replace the tissue by your own pictures (`folder_of_pictures`), keep the rivals, and see what is left.
#
# [Next: Shipping it](09_shipping_it.ipynb)
