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
# There may be more than two copies, or none. Two hundred images should take a few seconds at most. The images stay as
# they are.

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
    together = len(set(pile.drawings)) - len(set(groups))
    expect(not together, f"There are {len(first)} different drawings, and your list has {len(set(groups))} numbers.")
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
points.check("twenty different stickers", _without_copies)
points.check("ten stickers and their exact copies", _exactly_the_same)
points.check("fifteen of thirty were saved again in some way", _saved_again, worth=2)
### BEGIN HIDDEN TESTS
points.check("most of them are copies", lambda: _finds_the_copies(stickers.stickers(50, copies=40, seed=4)), worth=2)
points.check("two hundred", lambda: _finds_the_copies(stickers.stickers(200, copies=40, seed=5)), worth=2)


def _every_way():
    pile = stickers.stickers(12, copies=0, seed=6)
    for way in stickers.WAYS:
        saved = [way(image) for image in pile.images]
        _finds_the_copies(stickers.Stickers(saved + pile.images, pile.labels * 2, pile.drawings * 2))


points.check("each way of saving", _every_way, worth=2)
points.check("a single sticker", lambda: _finds_the_copies(stickers.stickers(1, copies=0, seed=7)))
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
# - Each part gets its fraction of **each class**: it may be off by a tenth of the class, or by two pictures where that
#   is more. A rare class is as well represented as a common one.
# - It is random. The same seed gives the same parts, another seed gives others.

# %% [markdown] hint="ps3.2"
# **What to shuffle.**
# Not pictures but groups, and for each class by itself. Groups differ in size, but not much.


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
        names = list(members)
        ends = np.round(np.cumsum(fractions) * len(names)).astype(int)
        shuffled = [names[i] for i in rng.permutation(len(names))]
        for part, start, end in zip(parts, [0, *ends[:-1]], ends, strict=True):
            for name in shuffled[start:end]:
                part += members[name]
    return parts
    ### END SOLUTION


# %% [markdown] why="split"
# What is shuffled and cut is the list of groups, class by class. No other order of these two steps keeps both
# promises: a split of pictures tears groups apart, and a split of all groups at once leaves the rare classes to
# chance.

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


def _parts_of(labels, groups, fractions, seed):
    parts = split(list(labels), list(groups), fractions, seed)
    expect(parts is not None, "split returned None. Does it end with a `return`?")
    expect(
        isinstance(parts, list | tuple) and len(parts) == len(fractions),
        f"For {len(fractions)} fractions split should return {len(fractions)} lists of positions.",
    )
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
        labels, groups = _labels_and_groups(sizes, copies, seed)
        for part, fraction in zip(_parts_of(labels, groups, fractions, seed), fractions, strict=True):
            for label, size in enumerate(sizes):
                found = sum(labels[position] == label for position in part)
                expect(
                    abs(found - fraction * size) <= max(2, size / 10) + 1e-6,
                    f"A part with the fraction {fraction} got {found} of the {size} pictures of class {label}.",
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
points.check("each position is in one part", _each_position_once, (100, 100))
points.check("pictures of a group stay together", _nothing_leaks, (100, 100), worth=2)
points.check("each part has its share of each class", _each_class_has_its_share, (100, 100))
points.check("the seed decides", _the_seed_decides)
### BEGIN HIDDEN TESTS
points.check("each position, with three classes and two parts", _each_position_once, (41, 33, 67), (0.75, 0.25), 3)
points.check("no leak, with four classes and four parts", _nothing_leaks, (80,) * 4, (0.4, 0.3, 0.2, 0.1), 4, worth=2)
points.check("no leak, with another seed", _nothing_leaks, (30, 150), (0.5, 0.5), 5)
points.check(
    "a rare class has its share",
    lambda: _each_class_has_its_share((200, 20, 20, 20, 20), copies=0, seeds=range(6)),
    worth=2,
)
points.check("shares of other parts", _each_class_has_its_share, (90, 120, 60), (0.5, 0.1, 0.4))
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
#   back as you got it, in the mode that it had, and with the same numbers in it.
# - **Without gradients.** But a head will be trained on these features, and that must work.

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
    expect(off < 1e-4, f"Right shape, but the numbers are off by up to {off:.2g}. Eval mode, and the right order?")


def _in_train_mode(backbone):
    backbone.train()


def _the_backbone_stays(prepare):
    _, _, backbone, before, modes, _ = _watched(10, 4, prepare=prepare)
    changed = networks.moved(before, networks.snapshot(backbone))
    expect(not changed, f"{len(changed)} tensors of the backbone changed, {changed[:1]} for example.")
    after = [module.training for module in backbone.modules()]
    expect(after == modes, "The backbone came back in another mode (train or eval) than it had before.")


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
points.check("ten images, four at a time: the right numbers", _right_numbers, 10, 4)
points.check("each image once, at most four at a time", _each_image_once, 10, 4)
points.check("no gradients", _without_gradients)
points.check("a backbone in train mode gives the same numbers", lambda: _right_numbers(10, 4, prepare=_in_train_mode))
points.check("a backbone in train mode comes back unchanged", _the_backbone_stays, _in_train_mode)
### BEGIN HIDDEN TESTS


def _half_frozen(backbone):
    backbone.train()
    backbone[1].eval()


points.check("other sizes and another network", lambda: _right_numbers(13, 5, side=21, width=30, seed=1), worth=2)
points.check("one image", _right_numbers, 1, 8)
points.check("a batch of one at the end", _right_numbers, 9, 4)
points.check("seven images, one at a time", _each_image_once, 7, 1)
points.check("fewer images than a batch has room for", _each_image_once, 3, 100)
points.check("a head can be trained on the features", _a_head_can_learn, worth=3)
points.check("a backbone in eval mode stays in eval mode", _the_backbone_stays, nn.Module.eval, worth=2)
points.check("a backbone with one layer in eval mode keeps it there", _the_backbone_stays, _half_frozen, worth=0.5)
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
# - The weights are learned from `features` and `labels`, and **only** from them.
# - The validation pictures **choose**: train for many epochs, perhaps with several learning rates, and return the head
#   that did best on them. Another validation set may choose another head.
# - The scores of a picture do not depend on the other pictures in its batch.
# - Features of another network may be a thousand times larger, and far from zero. Scale them, with numbers from the
#   training pictures, and mind that your head will get unscaled features later. A feature may be the same in all
#   training pictures and differ a little in others; it must not drown the rest.
# - The same seed gives the same head. The tensors that you are given stay as they are.
#
# How you train is up to you, as long as it takes a few seconds.

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
import torch
from torch import nn

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
    right = _right_of(_trained(train, validation, num_classes), test, num_classes)
    expect(right >= bar, f"On new pictures the head is right for {right:.0%}. At least {bar:.0%} can be expected here.")


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
points.check("two classes", _learns, 2, 0.9)
points.check("five classes", _learns, 5, 0.9)
points.check("the same seed gives the same head", _the_seed_decides)
points.check("the validation set chooses", _validation_chooses, worth=2)
### BEGIN HIDDEN TESTS


def _validation_does_not_teach():
    train, validation, test = _clouds(2, 20, part=0), _clouds(2, 300, part=1), _clouds(2, 200, part=2)
    contrary, contrary_test = (validation[0], 1 - validation[1]), (test[0], 1 - test[1])
    # A head that has learned next to nothing yet may agree with them by chance, but not with every seed.
    right = min(_right_of(_trained(train, contrary, 2, seed), contrary_test, 2) for seed in range(5))
    expect(
        right < 0.8,
        "All validation labels were exchanged, and the head learned to answer like them. They may choose among heads, "
        "but the weights have to come from the training set.",
    )
    expect(_right_of(_trained(train, validation, 2), test, 2) >= 0.8, "With honest labels it does not learn.")


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


def _a_constant_feature():
    sets = [_clouds(2, 40, part=part) for part in range(3)]
    # Always 7 in training and validation; in the test, a little more or less.
    train, validation = ((torch.cat([f, torch.full((len(f), 1), 7.0)], dim=1), y) for f, y in sets[:2])
    test = torch.cat([sets[2][0], 7 + torch.linspace(-0.2, 0.2, len(sets[2][0]))[:, None]], dim=1), sets[2][1]
    right = _right_of(_trained(train, validation, 2), test, 2)
    expect(right >= 0.9, f"With a feature that was always 7 in training the head is right for only {right:.0%}.")


points.check("the validation set does not teach", _validation_does_not_teach, worth=2)
points.check("a picture's neighbours do not matter", _one_at_a_time)
points.check("seven classes, wide features", lambda: _learns(7, 0.85, width=100, seed=3))
points.check("features that are a thousand times larger", lambda: _learns(3, 0.9, scale=1000.0, seed=4))
points.check("features that are very small and far from zero", lambda: _learns(3, 0.9, scale=0.01, offset=3.0, seed=5))
points.check("a feature that never changes", _a_constant_feature)
points.check("the tensors stay as they are", _tensors_stay)
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

from course_utils.grading import Points, expect, networks


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
    expect(abs(share - expected) < 1e-6, f"The share of right answers is {expected:.4f}. Yours is {share:.4f}.")


def _the_model_comes_back(train):
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.9)).train(train)
    before, seen = networks.snapshot(model), []
    model.register_forward_pre_hook(lambda module, _: seen.append((module.training, torch.is_grad_enabled())))
    _counted(model, [(_one_hot([0, 1, 2, 1], 3), torch.tensor([0, 1, 2, 0]))])
    expect(seen == [(False, False)], "The model should see the batch once, in eval mode and without gradients.")
    expect(not networks.moved(before, networks.snapshot(model)), "Counting changed the numbers in the model.")
    expect(model.training == train, "The model came back in another mode than it had before.")


points = Points(3)
points.check("three of four", _counts, [([0, 1, 1, 0], [0, 1, 1, 1])], 2, 0.75)
points.check("ten of ten, and none of two", _counts, [([1] * 10, [1] * 10), ([0, 1], [1, 0])], 2, 10 / 12, worth=2)
points.check("a model in train mode", _the_model_comes_back, True)
### BEGIN HIDDEN TESTS
points.check("a model in eval mode", _the_model_comes_back, False)
points.check("nine classes", _counts, [([8, 3, 0], [8, 3, 1]), ([5], [5]), ([2, 2], [7, 2])], 9, 4 / 6, worth=2)
points.check("a generator", _counts, [([0] * 5, [0, 0, 0, 1, 1]), ([1], [1])], 2, 4 / 6, True)
points.check("nothing right", _counts, [([0, 0], [1, 1])], 2, 0.0)
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

# %% test="experiment" points=4
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
    features, labels, parts = _blobs(num_classes, count, seed=seed)
    head, share = _result(features, labels, parts, num_classes)
    really = _share_right(head, features[parts[2]], labels[parts[2]])
    expect(abs(share - really) < 1e-4, f"You report {share:.1%}. On the test part, the head is right for {really:.1%}.")
    chance = 1 / num_classes
    expect(share > 1.5 * chance, f"The head is right for {share:.1%}; guessing would reach {chance:.1%}.")


def _learns_at_all(num_classes, seed):
    # A head that never learns would be the same for any test part.
    features, labels, parts = _blobs(num_classes, 150, seed=seed)
    head, _ = _result(features, labels, parts, num_classes)
    right, chance = _share_right(head, features[parts[2]], labels[parts[2]]), 1 / num_classes
    expect(
        right > 1.5 * chance,
        f"The head has not learned: it is right for {right:.1%}, and guessing reaches {chance:.1%}.",
    )


def _the_head_stays_the_same(change, num_classes=2, seed=0):
    _learns_at_all(num_classes, seed)
    features, labels, parts = _blobs(num_classes, 150, apart=1.5, seed=seed)
    other_features, other_labels = features.clone(), labels.clone()
    test = parts[2]
    if change == "labels":
        other_labels[test] = (labels[test] + 1) % num_classes
    else:
        other_features[test] = 1000 * features[test].flip(1) + 500
    one, _ = _result(features, labels, parts, num_classes)
    other, _ = _result(other_features, other_labels, parts, num_classes)
    with torch.no_grad():
        expect(
            torch.allclose(one(features), other(features), atol=1e-5),
            f"With other {change} in the test part you got another head. So the test part was used before the end.",
        )


points = Points(4)
points.check("the number is true", _the_number_is_true, 2, 200)
points.check("other labels in the test part, the same head", _the_head_stays_the_same, "labels", worth=2)
### BEGIN HIDDEN TESTS
points.check("the number is true for four classes", _the_number_is_true, 4, 320, 1)
points.check("other pictures in the test part, the same head", _the_head_stays_the_same, "pictures", worth=2)
points.check("other labels, three classes", _the_head_stays_the_same, "labels", 3, 2)


_shares = []  # what the head reaches, one for each seed


def _new_stickers(seed):
    for name, value in {"groups": groups, "parts": parts, "features": features}.items():
        expect(value is not None, f"There are no {name} yet: the functions above have to work first.")
    pile = stickers.stickers(500, copies=200)
    labels = torch.tensor(pile.labels)
    hint = "Has another cell taken the name?"
    expect(len(groups) == 500, f"`groups` should have 500 numbers, not {len(groups)}. {hint}")
    expect(tuple(features.shape) == (500, 512), f"`features` should be (500, 512), not {tuple(features.shape)}. {hint}")
    # Whoever shows the same drawing, according to the pile itself, must be in the same part.
    three = [list(part) for part in split(pile.labels, groups, (0.6, 0.2, 0.2), seed)]
    learned = {pile.drawings[i] for i in three[0] + three[1]}
    known = sum(pile.drawings[i] in learned for i in three[2])
    expect(not known, f"{known} of the {len(three[2])} test stickers are known from training or validation.")
    head, share = _result(features, labels, three, 2, seed)
    really = _share_right(head, features[three[2]], labels[three[2]])
    expect(abs(share - really) < 1e-4, f"You report {share:.1%}, and the head is right for {really:.1%}.")
    _shares.append(share)
    return f"{share:.1%} of stickers that the head has never seen."


def _the_bar():
    expect(len(_shares) == 3, "Without three honest numbers there is no mean.")
    mean = float(np.mean(_shares))
    expect(mean >= _BAR, f"Over three seeds the head is right for {mean:.1%} of new stickers. The bar is {_BAR:.0%}.")


for _seed in (1, 2, 3):
    points.check(f"500 stickers with the seed {_seed}: no leak, and a true number", _new_stickers, _seed, worth=0.5)
points.check("500 stickers: above the bar", _the_bar, worth=1.5)
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
