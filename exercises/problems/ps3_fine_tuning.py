# %% [markdown]
# # Problem set 3: cat or dog, and an honest number
#
# Your school's messenger lets everybody draw stickers. There are 500 now, all cats and dogs, and people want to search
# for "dog". Last year somebody built a sorter, announced that it was right for 97 of 100 stickers, and everybody could
# see that it was not. Nobody had lied. But whoever likes a sticker uploads it again, as JPEG, enlarged, a little
# lighter, and so the test was full of stickers that the sorter had learned by heart.
#
# This year it is you, with a pre-trained network, 500 pictures, and a number that will be on the notice board:
#
# | | function | points |
# |---|---|--:|
# | 1 | `group_copies(images)` finds stickers that show the same drawing | 4 |
# | 2 | `split(labels, groups, fractions, seed)` divides them, and nothing leaks | 4 |
# | 3 | `extract_features(backbone, images, batch_size)` looks at each sticker once | 5 |
# | 4 | `train_head(...)` learns from some, and lets others choose | 5 |
# | 5 | `accuracy(model, batches)` counts | 3 |
# | 6 | `experiment(features, labels, parts, num_classes, seed)` does it all, with an honest end | 4 |
#
# **Before you start:** lesson 05. **Time:** about 90 minutes. No downloads: the network is the one that comes with the
# course.
#
# **How it is graded.** Below each answer is a test cell. Run it as often as you like: it tells what is not right yet,
# and the number under it counts the checks that you can see. When your work is graded, the same checks run with other
# pictures, other seeds, other networks and other numbers of classes. A check has ten seconds; each is worth a share of
# the points.
#
# **Write the functions yourself**, in any way that does what the text says. `course_utils` has functions like these;
# importing them would answer the question, but not teach you to.

# %%
import numpy as np
import torch
from PIL import Image
from torch import nn

from course_utils import load_pretrained
from course_utils.grading import stickers
from course_utils.plots import show_images

pile = stickers.stickers(500, copies=200)
images, labels = pile.images, torch.tensor(pile.labels)  # 0 is a cat, 1 is a dog
show_images(
    images[:10],
    [("cat", "dog")[label] for label in pile.labels[:10]],
    alt="Ten stickers, each a small drawing of a cat or a dog with its name above.",
)

# %% [markdown]
# ## 1. Who is here twice?
#
# Write `group_copies(images)`. It takes a list of PIL images of mode RGB and returns a list with one whole number for
# each:
# **two images get the same number exactly if they show the same drawing.** Which numbers you take is up to you.
#
# A sticker that is uploaded again may have been saved as JPEG, enlarged, or made a little lighter; the pixels are then
# not the same any more. Shrink two images to 8 x 8 pixels (with Pillow's `BOX` filter), and the mean difference of all
# their values is below 10 (of 255) if they show the same drawing, and above 14 if they do not. No sticker is mirrored,
# turned or cut.
#
# There may be more than two copies, or none. Two hundred images should take three seconds at most. The images stay as
# they are.
#
# - **Worth 1.5 of 4: a copy is found however it was saved.**
# - **Worth 1 of 4: two hundred images, in three seconds.**

# %% [markdown] hint="ps3.1"
# **Shrink once, not in every comparison.** `np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=float)` is an
# array (8, 8, 3). Make all of them first, then compare. With dtype uint8, 3 - 5 would be 254.

# %% [markdown] hint="ps3.1"
# **From pairs to groups.** Go through the images one by one, and keep one example of each drawing that you have met.
# If the new image is near one of them, it gets that number, otherwise a new one.


# %% answer="group_copies"
def group_copies(images):
    """Return a whole number for each image, the same for images that show the same drawing."""
    ### BEGIN SOLUTION
    examples, groups = [], []
    for image in images:
        small = np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=float)
        near = [number for number, example in enumerate(examples) if np.abs(small - example).mean() < 12]
        if not near:
            examples.append(small)
        groups.append(near[0] if near else len(examples) - 1)
    return groups
    ### END SOLUTION


# %% [markdown] why="group_copies"
# The pictures are shrunk once and compared often, so the slow part is done 500 times and not 125,000 times. The
# threshold lies in the middle of the gap. Comparing with one example of each drawing is enough, because all copies lie
# close together; where they form long chains, you would join neighbours instead. A hash of the pixels finds only what
# is equal to the last bit.

# %% test="group_copies" points=4
import numbers
import time

from course_utils.grading import Points, expect, stickers


def _grouped(images):
    groups = group_copies(images)
    expect(groups is not None, "group_copies returned None. Does it end with a `return`?")
    groups = groups.tolist() if hasattr(groups, "tolist") else groups
    expect(isinstance(groups, list | tuple), f"It should return a list, not a {type(groups).__name__}.")
    expect(
        len(groups) == len(images),
        f"There are {len(images)} images, so the list should have {len(images)} numbers. Yours has {len(groups)}.",
    )
    odd = [number for number in groups if not isinstance(number, numbers.Integral)]
    expect(not odd, f"The list should hold whole numbers. Yours holds a {type(odd[0]).__name__}." if odd else "")
    return [int(number) for number in groups]


def _finds_the_copies(pile):
    before = [image.tobytes() for image in pile.images]
    groups = _grouped(pile.images)
    first = {}
    for position, (drawing, group) in enumerate(zip(pile.drawings, groups, strict=True)):
        known = first.setdefault(drawing, position)
        expect(
            group == groups[known],
            f"Images {known} and {position} show the same drawing and got different numbers. They are "
            f"{pile.images[known].width} and {pile.images[position].width} pixels wide.",
        )
    owner = {}
    for position, (drawing, group) in enumerate(zip(pile.drawings, groups, strict=True)):
        known = owner.setdefault(group, position)
        expect(
            pile.drawings[known] == drawing,
            f"Images {known} and {position} show different drawings and got the same number. There are {len(first)} "
            f"different drawings, and your list has {len(set(groups))} numbers.",
        )
    expect(before == [image.tobytes() for image in pile.images], "The images are not the same any more.")


def _without_copies():
    _finds_the_copies(stickers.stickers(20, copies=0, seed=1))


def _exactly_the_same():
    pile = stickers.stickers(10, copies=0, seed=2)
    twice = [image.copy() for image in pile.images]
    _finds_the_copies(stickers.Stickers(pile.images + twice, pile.labels * 2, pile.drawings * 2))


def _saved_again():
    _finds_the_copies(stickers.stickers(30, copies=15, seed=3))


points = Points(4)
points.check("twenty different stickers", _without_copies, worth=0.25)
points.check("ten stickers and their exact copies", _exactly_the_same, worth=0.25)
points.check("fifteen of thirty were saved again in some way", _saved_again, worth=1)
### BEGIN HIDDEN TESTS


def _every_way():
    pile = stickers.stickers(12, copies=0, seed=6)
    for way in stickers.WAYS:
        saved = [way(image) for image in pile.images]
        _finds_the_copies(stickers.Stickers(saved + pile.images, pile.labels * 2, pile.drawings * 2))
    _finds_the_copies(stickers.stickers(50, copies=40, seed=4))
    _finds_the_copies(stickers.stickers(1, copies=0, seed=7))


def _two_hundred():
    pile = stickers.stickers(200, copies=40, seed=5)
    started = time.thread_time()
    _grouped(pile.images)
    seconds = time.thread_time() - started
    expect(
        seconds < 3,
        f"Two hundred images took {seconds:.1f} seconds. Is each image shrunk once, or in every comparison?",
    )
    _finds_the_copies(pile)


points.check("a copy is found however it was saved", _every_way, worth=1.5)
points.check("two hundred images, in three seconds", _two_hundred, worth=1)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 2. Divide, and nothing leaks
#
# Write `split(labels, groups, fractions, seed)`. `labels` and `groups` are lists of whole numbers, one for each
# picture; `fractions` says how large the parts should be, for example `(0.6, 0.2, 0.2)`. It returns one list of
# positions for each fraction.
#
# - Each position is in exactly one part.
# - **Pictures of the same group are in the same part.** They have the same label.
# - Each part gets its fraction of the **pictures** of each class: it may be off by a tenth of the class, or where that
#   is more, by two pictures or by the largest group of the class. A rare class is as well represented as a common one.
# - It is random. The same seed gives the same parts, another seed gives others.
#
# - **Worth 1.25 of 4: nothing leaks.**
# - **Worth 1.25 of 4: each part has its share of the pictures of each class.**

# %% [markdown] hint="ps3.2"
# **What to shuffle.**
# Not pictures but groups, and for each class by itself. Then give group after group to the part that lacks most of its
# pictures: groups differ in size, so counting groups is not enough. The large ones first, and the small ones even it out.


# %% answer="split"
def split(labels, groups, fractions, seed):
    """Return one list of positions for each fraction: random, stratified, and each group in one part."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    parts = [[] for _ in fractions]
    for label in sorted(set(labels)):
        members = {}
        for position, group in enumerate(groups):
            if labels[position] == label:
                members.setdefault(group, []).append(position)
        bundles = list(members.values())
        bundles = sorted((bundles[i] for i in rng.permutation(len(bundles))), key=len, reverse=True)
        missing = np.array(fractions) * sum(map(len, bundles))
        for bundle in bundles:
            neediest = missing.argmax()
            parts[neediest] += bundle
            missing[neediest] -= len(bundle)
    return parts
    ### END SOLUTION


# %% [markdown] why="split"
# What is shuffled and dealt out are groups, class by class. Nothing else keeps both promises: a split of pictures tears
# groups apart, and a split of all groups at once leaves the rare classes to chance. What is counted are pictures, because
# a part that gets its share of groups may get three large ones.

# %% test="split" points=4
import numpy as np

from course_utils.grading import Points, expect


def _labels_and_groups(sizes, copies, seed=0):
    """Shuffled labels, `sizes[i]` of class i, and groups in which some pictures appear a second or third time."""
    rng = np.random.default_rng(seed)
    pairs = []
    for label, size in enumerate(sizes):
        different = size - int(size * copies)
        pairs += [(label, (label, i if i < different else int(rng.integers(different)))) for i in range(size)]
    pairs = [pairs[i] for i in rng.permutation(len(pairs))]
    numbers = {group: 100 + 7 * i for i, group in enumerate(dict.fromkeys(group for _, group in pairs))}
    return [label for label, _ in pairs], [numbers[group] for _, group in pairs]


def _unequal_groups(seed):
    """Two classes, each with four groups of 12 pictures, six of 4 and 48 of one, in random order."""
    sizes = [12] * 4 + [4] * 6 + [1] * 48
    pairs = [
        (label, 100 * label + number) for label in (0, 1) for number, size in enumerate(sizes) for _ in range(size)
    ]
    pairs = [pairs[i] for i in np.random.default_rng(seed).permutation(len(pairs))]
    return [label for label, _ in pairs], [group for _, group in pairs]


def _parts_of(labels, groups, fractions, seed):
    parts = split(list(labels), list(groups), fractions, seed)
    expect(parts is not None, "split returned None. Does it end with a `return`?")
    expect(
        isinstance(parts, list | tuple) and len(parts) == len(fractions),
        f"For {len(fractions)} fractions split should return {len(fractions)} lists of positions.",
    )
    masks = [
        part for part in parts if len(part) == len(labels) and {bool} >= {type(x) for x in np.asarray(part).tolist()}
    ]
    expect(not masks, "A part is a list of True and False. Positions are asked: 0 for the first picture, and so on.")
    return [[int(position) for position in part] for part in parts]


def _each_position_once(sizes, fractions=(0.6, 0.2, 0.2), seed=0):
    labels, groups = _labels_and_groups(sizes, 0.2, seed)
    together = sorted(position for part in _parts_of(labels, groups, fractions, seed) for position in part)
    expect(len(set(together)) == len(together), "A position is in more than one part, or twice in one.")
    expect(
        together == list(range(len(labels))),
        f"There are {len(labels)} pictures, and your parts hold {len(together)} of them.",
    )


def _nothing_leaks(sizes, fractions=(0.6, 0.2, 0.2), seed=0):
    labels, groups = _labels_and_groups(sizes, 0.3, seed)
    parts = _parts_of(labels, groups, fractions, seed)
    expect(all(parts), "A part is empty. Of course nothing leaks into it.")
    part_of = {}
    for number, part in enumerate(parts):
        for position in part:
            known = part_of.setdefault(groups[position], number)
            expect(
                known == number,
                f"Pictures of group {groups[position]} are in part {known} and in part {number}. "
                "What was learned by heart in the one is asked in the other.",
            )


def _each_class_has_its_share(sizes, fractions=(0.6, 0.2, 0.2), copies=0.2, seeds=(0,)):
    for seed in seeds:
        _shares_are_right(*_labels_and_groups(sizes, copies, seed), fractions, seed)


def _shares_are_right(labels, groups, fractions, seed):
    parts = _parts_of(labels, groups, fractions, seed)
    for label in sorted(set(labels)):
        size = labels.count(label)
        largest = max(groups.count(group) for group in {g for g, y in zip(groups, labels, strict=True) if y == label})
        for part, fraction in zip(parts, fractions, strict=True):
            found = sum(labels[position] == label for position in part)
            expect(
                abs(found - fraction * size) <= max(2, size / 10, largest) + 1e-6,
                f"A part with the fraction {fraction} got {found} of the {size} pictures of class {label}, whose "
                f"largest group has {largest}. {'Do you count pictures, or groups?' if largest > 3 else ''}".strip(),
            )


def _the_seed_decides():
    labels, groups = _labels_and_groups((60, 60), 0.2)
    first, again, other = (
        [sorted(part) for part in _parts_of(labels, groups, (0.6, 0.2, 0.2), seed)] for seed in (1, 1, 2)
    )
    expect(any(first), "All parts are empty.")
    expect(first == again, "The same seed gave two different splits.")
    expect(first != other, "Two seeds gave the same split.")


points = Points(4)
points.check("each position is in one part", _each_position_once, (100, 100), worth=0.25)
points.check("pictures of a group stay together", _nothing_leaks, (100, 100), worth=0.5)
points.check("each part has its share of each class", _each_class_has_its_share, (100, 100), worth=0.25)
points.check("the seed decides", _the_seed_decides, worth=0.5)
### BEGIN HIDDEN TESTS


def _never_a_leak():
    _each_position_once((41, 33, 67), (0.75, 0.25), 3)
    _nothing_leaks((80,) * 4, (0.4, 0.3, 0.2, 0.1), 4)
    _nothing_leaks((30, 150), (0.5, 0.5), 5)


def _shares_of_pictures():
    _each_class_has_its_share((200, 20, 20, 20, 20), copies=0, seeds=range(4))
    _each_class_has_its_share((90, 120, 60), (0.5, 0.1, 0.4))
    for seed in range(8):
        _shares_are_right(*_unequal_groups(seed), (0.6, 0.2, 0.2), seed)


points.check("nothing leaks", _never_a_leak, worth=1.25)
points.check("each part has its share of the pictures of each class", _shares_of_pictures, worth=1.25)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# **What a careless split would have done.** If your two functions work, this cell counts how many of the test stickers
# can also be found among the stickers for training.

# %%
try:
    groups = group_copies(images)
    parts = split(pile.labels, groups, (0.6, 0.2, 0.2), seed=0)
    careless = np.split(np.random.default_rng(0).permutation(500), [300, 400])
    for name, (train, _, test) in {"shuffled pictures": careless, "your split": parts}.items():
        seen = {groups[position] for position in train}
        print(f"{name:18} {sum(groups[position] in seen for position in test)} of {len(test)} test stickers are known")
except Exception as error:
    groups = parts = None
    print(f"Not yet: {type(error).__name__}: {error}")

# %% [markdown]
# ## 3. Look once
#
# Write `extract_features(backbone, images, batch_size)`. `backbone` is a network without its head: it turns a float
# tensor (N, 3, height, width) into features (N, D). Return the features of all images, in their order.
#
# - Give the backbone at most `batch_size` images at a time, and each image **once**: this is the expensive part.
# - In **eval mode**, or dropout and BatchNorm make noise of your features. The backbone is somebody else's: give it
#   back as you got it: in the mode that it had, with the same numbers in it, and what may learn may still learn.
# - **Without gradients.** But a head will be trained on these features, and that must work.
#
# - **Worth 1.25 of 5: the backbone comes back as it was.**
# - **Worth 1.25 of 5: a head can be trained on the features.**

# %% [markdown] hint="ps3.3"
# **Two ways to switch gradients off.** What comes out of `torch.inference_mode()` can never take part in training, not
# even as an input; PyTorch says "Inference tensors cannot be saved for backward". What comes out of `torch.no_grad()`
# can.


# %% answer="extract_features"
def extract_features(backbone, images, batch_size):
    """Return the features (N, D) of images (N, 3, H, W), computed in eval mode and without gradients."""
    ### BEGIN SOLUTION
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    with torch.no_grad():
        features = torch.cat([backbone(batch) for batch in images.split(batch_size)])
    for module, mode in modes.items():
        module.training = mode
    return features
    ### END SOLUTION


# %% [markdown] why="extract_features"
# The modes are noted module by module, because a frozen layer may be in eval mode while its neighbours are not, and
# `backbone.train()` would wake it up. `torch.no_grad()` and not `torch.inference_mode()`, because the features are the
# input of a training. One pass is all that a frozen network can ever tell: every further epoch works on the cached
# numbers.

# %% test="extract_features" points=5
import torch
from torch import nn

from course_utils.grading import Points, expect, networks


def _small_backbone(width=12, seed=0):
    torch.manual_seed(seed)
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, width),
        nn.Dropout(0.5),
    )
    layers[1].running_mean.uniform_(-0.5, 0.5)
    layers[1].running_var.uniform_(0.5, 2.0)
    return layers


def _watched(count, batch_size, side=16, width=12, seed=0, prepare=nn.Module.eval):
    """What extract_features returned, the backbone, its state before, and what each forward pass looked like."""
    backbone = _small_backbone(width, seed)
    prepare(backbone)
    pictures = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
    modes = [module.training for module in backbone.modules()]
    modes += [parameter.requires_grad for parameter in backbone.parameters()]
    before, copy, seen = networks.snapshot(backbone), pictures.clone(), []
    hook = backbone.register_forward_pre_hook(
        lambda module, inputs: seen.append((len(inputs[0]), module.training, torch.is_grad_enabled()))
    )
    features = extract_features(backbone, pictures, batch_size)
    hook.remove()
    expect(features is not None, "extract_features returned None. Does it end with a `return`?")
    expect(isinstance(features, torch.Tensor), f"It should return a tensor, not a {type(features).__name__}.")
    expect(seen, "The backbone was never called.")
    expect(torch.equal(pictures, copy), "The images are not the same any more.")
    with torch.no_grad():
        expected = _small_backbone(width, seed).eval()(pictures)
    return features, expected, backbone, before, modes, seen


def _right_numbers(count, batch_size, **options):
    features, expected, *_ = _watched(count, batch_size, **options)
    shape = tuple(expected.shape)
    expect(tuple(features.shape) == shape, f"The shape should be {shape}. Yours is {tuple(features.shape)}.")
    off = (features - expected).abs().max().item()
    same_rows = all((features - row).abs().amax(dim=1).min() < 1e-4 for row in expected)
    why = "The rows are in another order than the images." if same_rows else "Was every layer in eval mode?"
    expect(off < 1e-4, f"Right shape, but the numbers are off by up to {off:.2g}. {why}")


def _in_train_mode(backbone):
    backbone.train()


def _the_backbone_stays(prepare):
    _, _, backbone, before, modes, _ = _watched(10, 4, prepare=prepare)
    changed = networks.moved(before, networks.snapshot(backbone))
    expect(not changed, f"{len(changed)} tensors of the backbone changed, {changed[:1]} for example.")
    after = [module.training for module in backbone.modules()]
    expect(
        after == modes[: len(after)],
        "The backbone, or a layer of it, came back in another mode (train or eval) than it had before.",
    )
    learning = [parameter.requires_grad for parameter in backbone.parameters()]
    expect(learning == modes[len(after) :], "The backbone came back frozen: its requires_grad is another than before.")


def _each_image_once(count, batch_size):
    *_, seen = _watched(count, batch_size)
    looked_at, largest = sum(size for size, _, _ in seen), max((size for size, _, _ in seen), default=0)
    expect(looked_at == count, f"There are {count} images, and the backbone looked at {looked_at}.")
    expect(largest <= batch_size, f"batch_size is {batch_size}, and the backbone got {largest} images at once.")


def _without_gradients():
    features, *_, seen = _watched(9, 4)
    expect(not features.requires_grad, "The features remember how they were computed: they have requires_grad=True.")
    expect(
        not any(gradients for _, _, gradients in seen),
        "The backbone ran with gradients switched on, so that PyTorch kept every layer's output in memory.",
    )


def _a_head_can_learn():
    _right_numbers(8, 4)
    features, *_ = _watched(8, 4)
    head = nn.Linear(features.shape[1], 2)
    with torch.enable_grad():
        nn.functional.cross_entropy(head(features), torch.arange(8) % 2).backward()
    expect(head.weight.grad is not None, "A head on these features gets no gradient.")


points = Points(5)
points.check("ten images, four at a time: the right numbers", _right_numbers, 10, 4, worth=0.25)
points.check("each image once, at most four at a time", _each_image_once, 10, 4, worth=0.25)
points.check("no gradients", _without_gradients, worth=0.75)
points.check(
    "a backbone in train mode gives the same numbers", lambda: _right_numbers(10, 4, prepare=_in_train_mode), worth=0.25
)
points.check("a backbone in train mode comes back unchanged", _the_backbone_stays, _in_train_mode, worth=0.25)
### BEGIN HIDDEN TESTS


def _half_frozen(backbone):
    backbone.train()
    backbone[1].eval().requires_grad_(False)


def _other_sizes():
    _right_numbers(13, 5, side=21, width=30, seed=1)
    _right_numbers(1, 8)
    _right_numbers(9, 4)
    _each_image_once(7, 1)
    _each_image_once(8, 4)
    _each_image_once(3, 100)


def _comes_back_as_it_was():
    for prepare in (nn.Module.eval, _in_train_mode, _half_frozen):
        _the_backbone_stays(prepare)


points.check("other sizes, one image, a batch of one at the end", _other_sizes, worth=0.75)
points.check("a head can be trained on the features", _a_head_can_learn, worth=1.25)
points.check("the backbone comes back as it was", _comes_back_as_it_was, worth=1.25)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# **Now the real ones.** If your function works, this cell runs all 500 stickers through a ResNet-18 without its head.
# It takes a few seconds. At 32 x 32 pixels a sticker is smaller than anything that this network has seen; it copes.

# %%
try:
    backbone, weights = load_pretrained("resnet18", source="course")
    backbone.fc = nn.Identity()
    normalize = weights.transforms()
    small = [np.asarray(image.resize((32, 32))) for image in images]
    batch = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor(normalize.mean).view(3, 1, 1), torch.tensor(normalize.std).view(3, 1, 1)
    features = extract_features(backbone, (batch - mean) / std, batch_size=50)
    print("features:", tuple(features.shape))
except Exception as error:
    features = None
    print(f"Not yet: {type(error).__name__}: {error}")

# %% [markdown]
# ## 4. Learn from some, let others choose
#
# Write
#
# `train_head(features, labels, validation_features, validation_labels, num_classes, seed)`
#
# Features are float32 tensors (N, D), labels int64 tensors (N,). It trains and returns a head: an `nn.Module`, ready
# for use, that turns features (N, D) into scores (N, num_classes), the highest for the class that it believes in.
#
# - The weights are learned from `features` and `labels`, and **only** from them, also after the choice is made: no second
#   training on both.
# - The validation pictures **choose**: train for many epochs, perhaps with several learning rates, and return the head
#   that did best on them, as it was then. Another validation set may choose another head.
# - The scores of a picture do not depend on the other pictures in its batch.
# - Features of another network may be a thousand times larger, and far from zero. Scale them, with numbers from the
#   training pictures, and mind that your head will get unscaled features later. A feature may be the same in all
#   training pictures and differ a little in others; it must not drown the rest.
# - The same seed gives the same head. The tensors that you are given stay as they are.
#
# How you train is up to you, as long as it takes a few seconds. Whether the scores are logits or probabilities is up to
# you as well.
#
# - **Worth 1.25 of 5: the validation set chooses, and does not teach.**
# - **Worth 1.25 of 5: features are scaled, with numbers of the training pictures.**

# %% [markdown] hint="ps3.4"
# **Scaling inside the head.** `(x - mean) / std` is a linear layer as well. Or make a small module that scales first;
# buffers are the place for mean and std. A feature that never changes in training has a std of 0. Dividing by a tiny
# number instead is no remedy: a new picture in which it does change would get gigantic scores. A floor helps, say a
# tenth of the mean std.

# %% [markdown] hint="ps3.4"
# **The best so far.** `head.state_dict()` hands out the head's own tensors, which go on changing while you train. Keep
# `copy.deepcopy(head)`.


# %% answer="train_head"
def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    """Return a head (D features to num_classes scores), trained on the first set and chosen on the second."""
    ### BEGIN SOLUTION
    mean, std = features.mean(dim=0), features.std(dim=0)
    std = std.clamp(min=std.mean() / 10)  # a feature that hardly ever changes must not be blown up
    scaled, scaled_validation = (features - mean) / std, (validation_features - mean) / std
    best, best_loss = None, float("inf")
    for lr in (0.001, 0.01):
        torch.manual_seed(seed)
        linear = nn.Linear(features.shape[1], num_classes)
        optimizer = torch.optim.AdamW(linear.parameters(), lr=lr, weight_decay=0.1)
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.cross_entropy(linear(scaled), labels).backward()
            optimizer.step()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(linear(scaled_validation), validation_labels).item()
            if loss < best_loss:
                best, best_loss = {name: tensor.clone() for name, tensor in linear.state_dict().items()}, loss
    linear.load_state_dict(best)
    with torch.no_grad():
        linear.weight.div_(std)
        linear.bias.sub_(linear.weight @ mean)
    return linear
    ### END SOLUTION


# %% [markdown] why="train_head"
# Whatever is learned, mean and std included, comes from the training set; the validation set is only asked which of
# the heads is best. At the end the scaling is folded into the layer: `W (x - m) / s + b` is `(W / s) x + b - (W / s)
# m`. A feature that is nearly always zero has a tiny std, and the one picture in which it wakes up would drown all
# others. So no std is taken to be smaller than a tenth of the mean one.

# %% test="train_head" points=5
import math

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from course_utils.grading import Points, expect


def _clouds(num_classes, per_class, width=20, apart=5.0, scale=1.0, offset=0.0, seed=0, part=0):
    """Features (N, width) and labels (N,): one round cloud for each class; `part` draws other points of the same."""
    centers = torch.randn(num_classes, width, generator=torch.Generator().manual_seed(seed))
    centers = apart * centers / centers.norm(dim=1, keepdim=True)
    chance = torch.Generator().manual_seed(1000 * seed + part)
    labels = torch.randperm(num_classes * per_class, generator=chance) % num_classes
    features = centers[labels] + torch.randn(len(labels), width, generator=chance)
    return scale * features + offset, labels


def _trained(train, validation, num_classes, seed=0):
    head = train_head(*train, *validation, num_classes, seed)
    expect(head is not None, "train_head returned None. Does it end with `return head`?")
    expect(isinstance(head, nn.Module), f"It should return an nn.Module, not a {type(head).__name__}.")
    return head


def _scores_of(head, features, num_classes):
    with torch.no_grad():
        scores = head(features)
    expect(isinstance(scores, torch.Tensor), f"The head should give a tensor, not a {type(scores).__name__}.")
    shape = (len(features), num_classes)
    expect(
        tuple(scores.shape) == shape,
        f"{len(features)} pictures and {num_classes} classes should give scores of shape {shape}, not "
        f"{tuple(scores.shape)}.",
    )
    expect(scores.isfinite().all(), "Some scores are not finite numbers (nan or inf).")
    return scores


def _right_of(head, test, num_classes):
    return (_scores_of(head, test[0], num_classes).argmax(dim=1) == test[1]).float().mean().item()


def _learns(num_classes, bar, per_class=40, **options):
    train, validation, test = (_clouds(num_classes, per_class, part=part, **options) for part in range(3))
    right = round(_right_of(_trained(train, validation, num_classes), test, num_classes) * len(test[1]))
    expect(
        right >= bar * len(test[1]),
        f"The head is right for {right} of {len(test[1])} new pictures. {math.ceil(bar * len(test[1]))} can be expected.",
    )


def _tensors_stay():
    sets = [_clouds(2, 30, part=part) for part in range(2)]
    copies = [(features.clone(), labels.clone()) for features, labels in sets]
    head = _trained(*sets, 2)
    _scores_of(head, sets[0][0], 2)
    pairs = [(one[i], other[i]) for one, other in zip(sets, copies, strict=True) for i in (0, 1)]
    same = all(torch.equal(now, before) for now, before in pairs)
    expect(same, "The tensors that train_head was given are not the same any more.")


def _the_seed_decides():
    train, validation, test = (_clouds(3, 20, apart=2.0, part=part) for part in range(3))
    first = _scores_of(_trained(train, validation, 3, seed=5), test[0], 3)
    torch.rand(7)
    again = _scores_of(_trained(train, validation, 3, seed=5), test[0], 3)
    expect(torch.allclose(first, again, atol=1e-4), "The same seed gave two different heads.")


def _validation_chooses():
    # Two validation sets that contradict each other, label by label. Which head is best cannot be the same for both.
    train, validation, test = (_clouds(2, 60, apart=1.5, width=15, part=part) for part in range(3))
    contrary = (validation[0], 1 - validation[1])
    one, other = (_scores_of(_trained(train, chosen_by, 2), test[0], 2) for chosen_by in (validation, contrary))
    expect(
        not torch.allclose(one, other, atol=1e-5),
        "Two validation sets that say opposite things chose the same head. Are they asked at all?",
    )


points = Points(5)
points.check("two classes", _learns, 2, 0.9, worth=0.25)
points.check("five classes", _learns, 5, 0.9, worth=0.25)
points.check("the same seed gives the same head", _the_seed_decides, worth=0.5)
points.check("two validation sets choose two heads", _validation_chooses, worth=0.25)
### BEGIN HIDDEN TESTS


def _validation_does_not_teach():
    train, validation, test = _clouds(2, 20, part=0), _clouds(2, 300, part=1), _clouds(2, 200, part=2)
    contrary, contrary_test = (validation[0], 1 - validation[1]), (test[0], 1 - test[1])
    # A head that has learned next to nothing yet may agree with them by chance, but not with every seed.
    right = min(_right_of(_trained(train, contrary, 2, seed), contrary_test, 2) for seed in range(4))
    expect(
        right < 0.8,
        "All validation labels were exchanged, and the head learned to answer like them. They may choose among heads, "
        "but the weights have to come from the training set.",
    )
    expect(_right_of(_trained(train, validation, 2), test, 2) >= 0.8, "With honest labels it does not learn.")


def _the_best_is_kept():
    # With exchanged labels the best head is an early one, so that the last one is easily told from it.
    train, (features, labels) = _clouds(2, 30, apart=3.0, part=0), _clouds(2, 41, apart=3.0, part=1)
    labels = 1 - labels

    def grade(scores):
        right = (scores.argmax(dim=1) == labels).float().mean().item()
        return right, nn.functional.cross_entropy(scores.float(), labels).item()

    seen = []

    def watch(_module, _inputs, output):
        if isinstance(output, torch.Tensor) and tuple(output.shape) == (len(labels), 2):
            seen.append(grade(output.detach()))

    hook = register_module_forward_hook(watch)
    try:
        head = _trained(train, (features, labels), 2)
    finally:
        hook.remove()
    if not seen:  # the candidates were scored without a module, so nobody can look over the shoulder
        return
    right, loss = grade(_scores_of(head, features, 2))
    most, least = max(right for right, _ in seen), min(loss for _, loss in seen)
    expect(
        right > most - 0.03 or loss < 1.05 * least + 0.02,
        f"Among the heads that you tried was one that is right for {most:.0%} of the validation pictures, and the one "
        f"that came back is right for {right:.0%}. Was the best one copied, or did it go on learning?",
    )


def _chooses_and_does_not_teach():
    _validation_chooses()
    _the_best_is_kept()
    _validation_does_not_teach()


def _first_scores(validation):
    """The first scores from which anything is learned."""
    first = []

    def watch(_module, _inputs, output):
        if not first and isinstance(output, torch.Tensor) and output.requires_grad:
            first.append(output.detach().clone())

    hook = register_module_forward_hook(watch)
    try:
        _trained(_clouds(3, 20, part=0), validation, 3, seed=1)
    finally:
        hook.remove()
    return first


def _numbers_come_from_training():
    features, labels = _clouds(3, 20, part=1)
    one, other = _first_scores((features, labels)), _first_scores((5 * features + 40, labels))
    expect(
        len(one) == len(other) and all(torch.allclose(a, b, atol=1e-4) for a, b in zip(one, other, strict=True)),
        "With other validation pictures the training pictures are scaled in another way. The mean and std have to come "
        "from the training pictures alone.",
    )


def _one_at_a_time():
    train, validation, test = (_clouds(3, 40, part=part) for part in range(3))
    head = _trained(train, validation, 3)
    together = _scores_of(head, test[0][:6], 3)
    alone = torch.cat([_scores_of(head, row[None], 3) for row in test[0][:6]])
    expect(
        torch.allclose(together, alone, atol=1e-3, rtol=1e-3),
        "The scores of a picture are others when it comes alone than when it comes with others.",
    )
    expect(torch.equal(together, _scores_of(head, test[0][:6], 3)), "Asked twice, the head gives two answers.")


def _a_constant_feature(always):
    sets = [_clouds(2, 40, part=part) for part in range(3)]
    # Always the same in training and validation; in the test, a little more or less.
    train, validation = ((torch.cat([f, torch.full((len(f), 1), always)], dim=1), y) for f, y in sets[:2])
    test = torch.cat([sets[2][0], always + torch.linspace(-0.2, 0.2, len(sets[2][0]))[:, None]], dim=1), sets[2][1]
    right = _right_of(_trained(train, validation, 2), test, 2)
    expect(
        right >= 0.9, f"With a feature that was always {always:g} in training the head is right for only {right:.0%}."
    )


def _scaled():
    _learns(3, 0.9, scale=1000.0, seed=4)
    _learns(3, 0.9, scale=0.01, offset=3.0, seed=5)
    _a_constant_feature(7.0)
    _a_constant_feature(-7.0)
    _numbers_come_from_training()


points.check("the validation set chooses, and does not teach", _chooses_and_does_not_teach, worth=1.25)
points.check("features are scaled, with numbers of the training pictures", _scaled, worth=1.25)
points.check("a picture's neighbours do not matter", _one_at_a_time, worth=0.5)
points.check("seven classes, wide features", lambda: _learns(7, 0.85, width=100, seed=3), worth=0.25)
points.check("the tensors stay as they are", _tensors_stay, worth=0.5)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 5. Count
#
# Write `accuracy(model, batches)`. `batches` gives pairs of inputs and labels, as a data loader does; the model turns
# inputs into scores, one row for each picture. Return the share of all pictures that the model gets right, a Python
# `float` from 0 to 1.
#
# - The last batch is often smaller, and a picture in it counts as much as any other.
# - `batches` may be a generator: you can go through it once.
# - The model works in eval mode meanwhile, without gradients, and comes back in the mode that it had.
#
# - **Worth 1 of 3: a picture counts as much in a small batch.**
# - **Worth 0.75 of 3: the model comes back as it was.**

# %% [markdown] hint="ps3.5"
# **Two batches, 10 right of 10, and 0 right of 2.**
# Ten of twelve are right, 83 %. The mean of the two batches would be 50 %.


# %% answer="accuracy"
def accuracy(model, batches):
    """Return the share of all pictures in all batches that the model gets right, 0 to 1."""
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.train(was_training)
    return right / total
    ### END SOLUTION


# %% [markdown] why="accuracy"
# Right answers and pictures are counted, and divided once. `.item()` makes Python numbers, so the result is a float.

# %% test="accuracy" points=3
import torch
from torch import nn

from course_utils.grading import Points, each, expect, networks


def _one_hot(classes, num_classes):
    return 10.0 * nn.functional.one_hot(torch.tensor(classes), num_classes).float()


def _counted(model, batches):
    share = accuracy(model, batches)
    expect(share is not None, "accuracy returned None. Does it end with a `return`?")
    expect(isinstance(share, float), f"It should return a Python float, not a {type(share).__name__}.")
    return share


def _counts(batches, num_classes, expected, as_generator=False):
    # The scores come ready-made, so the model has nothing to do but pass them on.
    pairs = [(_one_hot(guessed, num_classes), torch.tensor(actual)) for guessed, actual in batches]
    share = _counted(nn.Identity(), (pair for pair in pairs) if as_generator else pairs)
    shares = [sum(g == a for g, a in zip(*batch, strict=True)) / len(batch[0]) for batch in batches]
    mean = abs(share - sum(shares) / len(shares)) < 1e-6
    why = "That is the mean of the batches: a picture in a small one counts more." if mean else ""
    told = f"The share of right answers is {expected:.4f}. Yours is {share:.4f}. {why}"
    expect(abs(share - expected) < 1e-6, told.strip())


def _the_model_comes_back(train):
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.9)).train(train)
    before, seen = networks.snapshot(model), []
    model.register_forward_pre_hook(lambda module, _: seen.append((module.training, torch.is_grad_enabled())))
    _counted(model, [(_one_hot([0, 1, 2, 1], 3), torch.tensor([0, 1, 2, 0]))])
    expect(len(seen) == 1, f"The model should see the batch once. It saw it {len(seen)} times.")
    expect(not seen[0][0], "The model was in train mode while it was asked.")
    expect(not seen[0][1], "Gradients were switched on while the model was asked.")
    expect(not networks.moved(before, networks.snapshot(model)), "Counting changed the numbers in the model.")
    expect(model.training == train, "The model came back in another mode than it had before.")


points = Points(3)
points.check("three of four", _counts, [([0, 1, 1, 0], [0, 1, 1, 1])], 2, 0.75, worth=0.25)
points.check("ten of ten, and none of two", _counts, [([1] * 10, [1] * 10), ([0, 1], [1, 0])], 2, 10 / 12, worth=0.5)
points.check("a model in train mode", _the_model_comes_back, True, worth=0.5)
### BEGIN HIDDEN TESTS


def _comes_back():
    _the_model_comes_back(True)
    _the_model_comes_back(False)


points.check(
    "a picture counts as much in a small batch",
    each(_counts),
    ([([8, 3, 0], [8, 3, 1]), ([5], [5]), ([2, 2], [7, 2])], 9, 4 / 6),
    ([([0] * 5, [0, 0, 0, 1, 1]), ([1], [1])], 2, 4 / 6, True),
    ([([0, 0], [1, 1])], 2, 0.0),
)
points.check("the model comes back as it was", _comes_back, worth=0.75)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 6. The number on the notice board
#
# Write `experiment(features, labels, parts, num_classes, seed)`. `parts` are three lists of positions: for training,
# for validation and for the test. It returns two things: the trained head, and its accuracy on the test pictures.
#
# **The test part is opened once, at the very end.** Whatever is in there, other pictures or wrong labels, your head
# would be the same, to the last bit.
#
# The grader also looks at the whole: with your groups, your split and your features, over three seeds, the head must be
# right for at least 60 % of stickers that it has never seen, on average. That is no more than an honest head on a
# frozen network reaches easily; the careless split promises more, and the notice board would find out.
#
# - **Worth 1.25 of 4: whatever is in the test part, the head is the same.**
# - **Worth 1 of 4: training teaches, validation chooses.**

# %% [markdown] hint="ps3.6"
# **What the head may not see.** Write down which of your functions get positions of the test part. Only the very last
# line should: the one that calls `accuracy`.


# %% answer="experiment"
def experiment(features, labels, parts, num_classes, seed):
    """Return a head, trained and chosen without the test part, and its accuracy (0 to 1) on the test part."""
    ### BEGIN SOLUTION
    train, validation, test = parts
    head = train_head(features[train], labels[train], features[validation], labels[validation], num_classes, seed)
    return head, accuracy(head, [(features[test], labels[test])])
    ### END SOLUTION


# %% [markdown] why="experiment"
# The test part appears in the last line and nowhere else. That is the whole idea, and the reason why `train_head` has
# no argument for it: what a function does not get cannot leak.

# %% test="experiment" points=4 earlier="group_copies split extract_features train_head accuracy"
import numpy as np
import torch
from torch import nn

from course_utils.grading import Points, expect, stickers

_BAR = 0.6


def _blobs(num_classes, count, width=16, apart=2.5, seed=0):
    """Features (count, width) and labels (count,) that a head can learn, and three parts of 60, 20 and 20 %."""
    chance = torch.Generator().manual_seed(seed)
    centers = torch.randn(num_classes, width, generator=chance)
    centers = apart * centers / centers.norm(dim=1, keepdim=True)
    labels = torch.arange(count) % num_classes
    features = centers[labels] + torch.randn(count, width, generator=chance)
    order = torch.randperm(count, generator=chance).tolist()
    return features, labels, (order[: count * 3 // 5], order[count * 3 // 5 : count * 4 // 5], order[count * 4 // 5 :])


def _result(features, labels, parts, num_classes, seed=0):
    copies = features.clone(), labels.clone()
    returned = experiment(features, labels, parts, num_classes, seed)
    expect(returned is not None, "experiment returned None. Does it end with a `return`?")
    expect(
        isinstance(returned, tuple | list) and len(returned) == 2,
        f"It should return two things, a head and its accuracy. It returned one {type(returned).__name__}.",
    )
    head, share = returned
    expect(isinstance(head, nn.Module), f"The first thing should be the head, not a {type(head).__name__}.")
    expect(
        isinstance(share, float) and 0 <= share <= 1,
        f"The second thing should be the accuracy, a float from 0 to 1, not {share!r}.",
    )
    expect(torch.equal(features, copies[0]) and torch.equal(labels, copies[1]), "The tensors changed.")
    return head, share


def _share_right(head, features, labels):
    with torch.no_grad():
        return (head(features).argmax(dim=1) == labels).float().mean().item()


def _the_number_is_true(num_classes, count, seed=0):
    features, labels, parts = _blobs(num_classes, count, apart=6.0, seed=seed)
    head, share = _result(features, labels, parts, num_classes)
    really, elsewhere = (_share_right(head, features[part], labels[part]) for part in (parts[2], parts[1]))
    why = "That is its share of the validation pictures." if abs(share - elsewhere) < 1e-4 else ""
    expect(
        abs(share - really) < 1e-4,
        f"You report {share:.1%}. On the test part, the head is right for {really:.1%}. {why}".strip(),
    )
    # These classes lie far apart, so that any head which has learned something is far above this.
    chance = 1 / num_classes
    expect(share > (1 + chance) / 2, f"The head is right for {share:.1%}; guessing would reach {chance:.1%}.")


def _the_head_stays_the_same(change, num_classes=2, seed=0):
    _the_number_is_true(num_classes, 300, seed)  # a head that never learns would be the same for any test part
    features, labels, parts = _blobs(num_classes, 150, apart=1.5, seed=seed)
    other_features, other_labels = features.clone(), labels.clone()
    test = parts[2]
    if change == "labels":
        other_labels[test] = (labels[test] + 1) % num_classes
    else:
        other_features[test] = 1000 * features[test].flip(1) + 500
    one, _ = _result(features, labels, parts, num_classes)
    again, _ = _result(features, labels, parts, num_classes)
    other, _ = _result(other_features, other_labels, parts, num_classes)
    with torch.no_grad():
        expect(
            torch.allclose(one(features), again(features), atol=1e-5),
            "The same pictures and the same seed gave two heads, so nobody can tell what the test part changes. Is every "
            "random number drawn after torch.manual_seed(seed)?",
        )
        expect(
            torch.allclose(one(features), other(features), atol=1e-5),
            f"With other {change} in the test part you got another head. So the test part was used before the end.",
        )


points = Points(4)
points.check("the number is true", _the_number_is_true, 2, 200, worth=0.25)
points.check("other labels in the test part, the same head", _the_head_stays_the_same, "labels", worth=0.5)
### BEGIN HIDDEN TESTS


def _training_teaches_and_validation_chooses():
    features, labels, (train, validation, test) = _blobs(2, 600, apart=3.0, seed=4)
    few, contrary = train[:60], labels.clone()
    validation = validation + train[60:]
    contrary[validation] = 1 - labels[validation]
    honest, _ = _result(features, labels, (few, validation, test), 2)
    misled, _ = _result(features, contrary, (few, validation, test), 2)
    with torch.no_grad():
        expect(
            not torch.allclose(honest(features), misled(features), atol=1e-5),
            "Two validation parts that say opposite things chose the same head. Is the validation part asked at all?",
        )
    taught = min(
        _share_right(_result(features, contrary, (few, validation, test), 2, seed)[0], features[test], 1 - labels[test])
        for seed in range(4)
    )
    expect(
        taught < 0.8,
        "All labels of the validation part were exchanged, and the head learned to answer like them. It may choose, and "
        "not teach.",
    )


def _real_features(pile):
    """The student's own features of the stickers, or where these are not right, ours."""
    small = [np.asarray(image.resize((32, 32))) for image in pile.images]
    batch = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
    backbone, weights = load_pretrained("resnet18", source="course")
    backbone.fc = nn.Identity()
    normalize = weights.transforms()
    mean, std = torch.tensor(normalize.mean).view(3, 1, 1), torch.tensor(normalize.std).view(3, 1, 1)
    with torch.no_grad():
        some = backbone.eval()((batch[:4] - mean) / std)
        own = globals().get("features")
        right = isinstance(own, torch.Tensor) and tuple(own.shape) == (len(small), 512)
        if right and torch.allclose(own[:4].float(), some, atol=1e-2):
            return own
        return torch.cat([backbone((part - mean) / std) for part in batch.split(50)])


def _stickers():
    pile = stickers.stickers(500, copies=200)
    features, labels = _real_features(pile), torch.tensor(pile.labels)
    groups, shares = list(group_copies(pile.images)), []
    for seed in (1, 2, 3):
        three = [[int(i) for i in part] for part in split(list(pile.labels), groups, (0.6, 0.2, 0.2), seed)]
        # Whoever shows the same drawing, according to the pile itself, must be in the same part.
        learned = {pile.drawings[i] for i in three[0] + three[1]}
        known = sum(pile.drawings[i] in learned for i in three[2])
        expect(not known, f"{known} of the {len(three[2])} test stickers are known from training or validation.")
        head, share = _result(features, labels, three, 2, seed)
        really = _share_right(head, features[three[2]], labels[three[2]])
        expect(abs(share - really) < 1e-4, f"You report {share:.1%}, and the head is right for {really:.1%}.")
        shares.append(share)
    mean = float(np.mean(shares))
    expect(mean >= _BAR, f"Over three seeds the head is right for {mean:.1%} of new stickers. The bar is {_BAR:.0%}.")
    return f"{mean:.1%} of stickers that the head has never seen."


def _the_test_part_stays_closed():
    _the_head_stays_the_same("labels")
    _the_head_stays_the_same("pictures")
    _the_head_stays_the_same("labels", 3, 2)


points.check("whatever is in the test part, the head is the same", _the_test_part_stays_closed, worth=1.25)
points.check("training teaches, validation chooses", _training_teaches_and_validation_chooses)
points.check("500 stickers: no leak, true numbers, above the bar", _stickers)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## The notice board
#
# No points here. If your functions work, the first line is the number for the notice board, the mean of five seeds.
# The second is what a careless split would have promised: the same features, the same head, but copies on both sides.

# %%
try:
    for name, known in {"stickers never seen before": groups, "what a careless split says": range(500)}.items():
        runs = [split(pile.labels, list(known), (0.6, 0.2, 0.2), seed) for seed in range(5)]
        shares = [experiment(features, labels, parts, 2, seed)[1] for seed, parts in enumerate(runs)]
        print(f"{name}: {np.mean(shares):.1%}")
except Exception as error:
    print(f"Not yet: {type(error).__name__}: {error}")

# %% [markdown]
# ## Before you hand in
#
# Choose **Restart Kernel and Run All Cells**, and read what the test cells say. Then hand in this one file, under the
# name that it has.
