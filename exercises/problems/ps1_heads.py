# %% [markdown]
# # Problem set 1: whose head is it?
#
# The botanical garden of your town has 600 photos of sick leaves, sorted by its volunteers into a handful of
# diseases. You know what to do with 600 photos: take a pre-trained network, give it a new last layer, train only
# that. You would be done by lunch, if everybody at the garden agreed on the network. They do not. One volunteer
# swears by ResNet, the next has a VGG from her thesis, the phone app wants a SqueezeNet, and next month somebody will
# bring a network that you have never seen.
#
# So you write three functions that do not care whose network it is, and a fourth that proves they did their job:
#
# | | function | points |
# |---|---|--:|
# | 1 | `find_head(model)` says where the last layer is | 6 |
# | 2 | `replace_head(model, num_classes)` exchanges it, and nothing else | 7 |
# | 3 | `freeze_backbone(model)` makes sure that only the head learns | 8 |
# | 4 | `what_moved(model, action)` tells which numbers a piece of code changed | 4 |
#
# **Before you start:** lessons 04 and 05. **Time:** about 60 minutes. No downloads: all networks have random
# weights, because nothing here depends on what they have learned.
#
# **How it is graded.** Below each answer is a test cell. Run it as often as you like: it tells what is not right yet,
# and the number under it counts the checks that you can see. When your work is graded, the same checks run on
# other torchvision classifiers and other numbers of classes, so a list of the two names below will not carry you far.
# Each check is worth a share of the points.
#
# **Write the functions yourself.** `course_utils` has its own, and you are welcome to read them once yours work.
# Importing them would answer the question, but not teach you to.

# %%
import torch
from torch import nn
from torchvision import models

from course_utils.grading import networks

# %% [markdown]
# ## First, a look around
#
# Before you run the next cell, commit to an answer: in how many of these five networks is the last layer called `fc`?

# %%
for name in ["resnet18", "vgg11", "densenet121", "squeezenet1_1", "vit_b_32"]:
    model = networks.outline(name)
    last_name, last_part = list(model.named_children())[-1]
    print(f"{name:15} {last_name:12} {type(last_part).__name__}")

# %% [markdown]
# In one. And three of the five end in a block, a `Sequential`, with the layer that you want somewhere inside.
#
# ## 1. Find the head
#
# Write `find_head(model)`. It returns two things, the **name** of the head and the **layer** itself, such that
# `model.get_submodule(name) is layer`. The head is the layer that turns the features of a picture into one score for
# each class. Your function should work for any of torchvision's classifiers as its builder returns it. Inception v3 and
# GoogLeNet have small extra heads besides, which only speak in train mode; the head is the one that always speaks.
#
# - **Worth 2.5 of 6: it is found in families that name it otherwise.**
# - **Worth 1.5 of 6: a convolution can be a head.**

# %% [markdown] hint="ps1.1"
# **How to look inside.**
# `model.named_modules()` gives every layer with its full name, in the order in which the layers were registered.
# Names such as `classifier.6` are what `get_submodule` understands.

# %% [markdown] hint="ps1.1"
# **The odd one out.**
# Print the `classifier` of `networks.outline("squeezenet1_1")`. Which of its layers has 1000 outputs, and of what kind
# is it? Is it the last one?


# %% answer="find_head"
def find_head(model):
    """Return the name of the model's head and the layer itself."""
    ### BEGIN SOLUTION
    layers = model.named_modules()
    return [(name, layer) for name, layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    ### END SOLUTION


# %% [markdown] why="find_head"
# In each of torchvision's classifiers the head is the last layer with weights that is registered, an `nn.Linear` or a
# 1x1 `nn.Conv2d`. So the kind of the layer is asked for, never a name, and a new family needs no new line. It is a
# habit of torchvision and no law: for networks from elsewhere, watch with forward hooks which layer really runs last.

# %% test="find_head" points=6
from course_utils.grading import Points, each, expect, networks


def _head_is_found(architecture):
    model = networks.outline(architecture)
    found = find_head(model)
    expect(found is not None, "find_head returned None. Does it end with `return name, layer`?")
    expect(
        isinstance(found, tuple | list) and len(found) == 2,
        f"find_head should return two things, a name and a layer. It returned one {type(found).__name__}.",
    )
    name, layer = found
    expect(isinstance(name, str), f"The first thing should be the name, a text. It is a {type(name).__name__}.")
    expect(
        isinstance(layer, nn.Linear | nn.Conv2d),
        f"You found {name!r}, a {type(layer).__name__}. A head multiplies features by weights: it is an nn.Linear, or "
        "an nn.Conv2d with a 1x1 kernel.",
    )
    expect(model.get_submodule(name) is layer, f"model.get_submodule({name!r}) is not the layer that you returned.")
    right = networks.head_name(architecture)
    extra = "It is an extra head, which only speaks in train mode. " if "aux" in name.lower() else ""
    expect(
        name == right,
        f"You found {name!r}, a {type(layer).__name__} with weights of shape {tuple(layer.weight.shape)}. {extra}The "
        f"layer that runs last has weights of shape {tuple(model.get_submodule(right).weight.shape)}.",
    )


points = Points(6)
points.check("finds the head of resnet18", _head_is_found, "resnet18", worth=0.25)
points.check("finds the head of vgg11", _head_is_found, "vgg11", worth=0.25)
### BEGIN HIDDEN TESTS
points.check(
    "it is found in families that name it otherwise",
    each(_head_is_found),
    "alexnet",
    "a small DenseNet",
    "mobilenet_v3_small",
    "vit_b_32",
    "a small Swin",
    "a small ConvNeXt",
    worth=2.5,
)
points.check("a convolution can be a head", each(_head_is_found), "squeezenet1_1", worth=1.5)
points.check("an extra head is not the head", each(_head_is_found), "inception_v3", "googlenet", worth=1.5)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 2. Exchange it, and nothing else
#
# Write `replace_head(model, num_classes)`. It puts a new head with `num_classes` scores in the place of the old one,
# in the model that it is given, and returns that model. The garden asks for a few things:
#
# - Every other layer stays, also the dropout and the hidden layers that stand in the same block as the head; so do the
#   modes (train or eval) and what may learn. The new head begins anew: no row of the old one is in it.
# - Running the cell twice, or again with another number of classes, is no accident but everyday life in a notebook. It
#   must work.
# - The new head lives where the model lives: same device, same dtype.
# - Inception v3 and GoogLeNet have small extra heads that only speak in train mode: `AuxLogits.fc` in the first,
#   `aux1.fc2` and `aux2.fc2` in the second. They are trained with the same labels, so they need the same number of
#   classes.
#
# Two of these are easily forgotten:
#
# - **Worth 1.75 of 7: the new head lives where the model lives.**
# - **Worth 1.75 of 7: the extra heads follow.**

# %% [markdown] hint="ps1.2"
# **How to put a layer in its place.**
# `model.set_submodule("classifier.6", layer)` works for names with and without dots. So does
# `setattr(model.get_submodule("classifier"), "6", layer)`.

# %% [markdown] hint="ps1.2"
# **No error, and still 1000 scores?**
# PyTorch lets you write `model.fc = nn.Linear(...)` on a model that has no `fc`. You get a new layer that nobody calls.


# %% answer="replace_head"
def replace_head(model, num_classes):
    """Give the model a new head with num_classes scores; return the same model."""
    ### BEGIN SOLUTION
    modules = dict(model.named_modules())
    names = [name for name in ("AuxLogits.fc", "aux1.fc2", "aux2.fc2") if name in modules]
    for name in [*names, find_head(model)[0]]:
        old = modules[name]
        place = {"device": old.weight.device, "dtype": old.weight.dtype}
        if isinstance(old, nn.Conv2d):
            new = nn.Conv2d(old.in_channels, num_classes, kernel_size=1, **place)
        else:
            new = nn.Linear(old.in_features, num_classes, **place)
        model.set_submodule(name, new)
    return model
    ### END SOLUTION


# %% [markdown] why="replace_head"
# The old layer says all that the new one needs: how many features come in, on which device, in which dtype.
# `set_submodule` puts it exactly where the old one was, so dropout and hidden layers around it stay. Because the head
# is looked up again at each call, a second run finds the new head and exchanges that one. The extra heads of Inception
# and GoogLeNet have fixed places and are named.

# %% test="replace_head" points=7 earlier="find_head"
from course_utils.grading import Points, each, expect, networks


def _with_new_head(model, num_classes):
    returned = replace_head(model, num_classes)
    expect(returned is not None, "replace_head returned None. Does it end with `return model`?")
    expect(isinstance(returned, nn.Module), f"replace_head should return the model, not a {type(returned).__name__}.")
    return returned


def _has_scores(model, architecture, num_classes):
    # The meta device knows shapes and does no arithmetic, so that even a VGG takes no time.
    run = networks.forward(model.to("meta"), networks.pictures(architecture).to("meta", next(model.parameters()).dtype))
    shape = tuple(run.scores.shape)
    expect(
        shape == (2, num_classes),
        f"Two pictures and {num_classes} classes should give scores of shape (2, {num_classes}), not {shape}. "
        "Did you exchange the layer that really runs last?",
    )
    old = networks.shapes_of(architecture).head.weight.shape
    left, had = (
        [name for name, parameter in network.named_parameters() if parameter.shape == old]
        for network in (model, networks.on_meta(architecture))
    )
    expect(len(left) < len(had), f"The old head is still there: {left[:1]} has the shape {tuple(old)}.")
    return run


def _only_the_head_is_new(architecture, num_classes):
    model = _with_new_head(networks.outline(architecture), num_classes)
    after = _has_scores(model, architecture, num_classes)
    kernel = getattr(after.head, "kernel_size", (1, 1))
    expect(kernel == (1, 1), f"The kernel of the new head is {kernel}; that of the old one was 1x1.")
    lost = networks.lost_layers(networks.shapes_of(architecture), after)
    expect(
        not lost,
        f"These layers ran before and do not run any more: {', '.join(lost)}. Exchange only the head, "
        "not the block around it.",
    )
    expect(
        all(parameter.requires_grad for parameter in after.head.parameters()),
        "The new head cannot learn: its parameters have requires_grad=False.",
    )


def _twice_is_fine(architecture):
    model = networks.outline(architecture)
    for num_classes in (7, 7, 3):
        model = _with_new_head(model, num_classes)
    _has_scores(model, architecture, 3)


points = Points(7)
points.check("resnet18 for 4 diseases", _only_the_head_is_new, "resnet18", 4, worth=0.25)
points.check("vgg11 for 7 diseases", _only_the_head_is_new, "vgg11", 7, worth=0.5)
points.check("running the cell again", _twice_is_fine, "vgg11", worth=0.75)
### BEGIN HIDDEN TESTS
points.check(
    "only the head is new, in other networks",
    each(_only_the_head_is_new),
    ("alexnet", 2),
    ("mobilenet_v3_small", 5),
    ("squeezenet1_1", 37),
    ("a small Swin", 10),
    ("a small ViT", 12),
    ("a small DenseNet", 1),
)


def _extra_heads_follow(architecture):
    model = _with_new_head(networks.outline(architecture), 6).to("meta").train()
    outputs = model(networks.pictures(architecture).to("meta"))
    shapes = sorted({tuple(scores.shape) for scores in outputs})
    expect(
        shapes == [(2, 6)],
        f"In train mode, with 6 classes, all heads should give scores of shape (2, 6). Here they give {shapes}. "
        "Did the extra heads get the new number of classes?",
    )
    left = [name for name, parameter in model.named_parameters() if parameter.shape[:1] == (1000,)]
    expect(not left, f"Heads for 1000 classes are still there, {left[:1]} for example.")


def _lives_where_the_model_lives():
    # The meta device behaves like any second device, and everybody has it.
    for architecture in ("mobilenet_v3_small", "squeezenet1_1", "googlenet", "a small ViT"):
        model = _with_new_head(networks.on_meta(architecture).double(), 3)
        devices = sorted({str(parameter.device) for parameter in model.parameters()})
        expect(devices == ["meta"], f"After replace_head a model on one device is spread over {' and '.join(devices)}.")
        dtypes = sorted({str(parameter.dtype) for parameter in model.parameters()})
        expect(dtypes == ["torch.float64"], f"After replace_head a float64 model has {' and '.join(dtypes)}.")
        _has_scores(model, architecture, 3)


def _everything_else_stays(architecture, train):
    model = networks.build(architecture).train(train)
    next(model.parameters()).requires_grad_(False)  # somebody has frozen a part of it
    head_name = networks.head_name(architecture)
    old = model.get_submodule(head_name)
    modes = {module: module.training for module in model.modules()}
    learning = {parameter: parameter.requires_grad for parameter in model.parameters()}
    old_rows, before = old.weight.detach().clone(), networks.snapshot(model)
    returned = _with_new_head(model, 9)
    expect(returned is model, "replace_head should change the model that it gets and return it, not a copy.")
    changed = [name for name in networks.moved(before, networks.snapshot(model)) if not name.startswith(head_name)]
    expect(not changed, f"{len(changed)} tensors outside the head changed, {changed[:1]} for example.")
    stirred = [name for name, module in model.named_modules() if module.training != modes.get(module, module.training)]
    expect(not stirred, f"The model was in {'train' if train else 'eval'} mode, and a part of it is not any more.")
    others = [
        name
        for name, parameter in model.named_parameters()
        if learning.get(parameter, parameter.requires_grad) != parameter.requires_grad
    ]
    expect(
        not others,
        f"What may learn has changed outside the head: requires_grad of {others[:1]} is another. Freezing is step 3.",
    )
    rows = networks.forward(model, networks.pictures(architecture)).head.weight.detach()
    expect(rows.isfinite().all(), "The new head has weights that are no numbers.")
    expect(
        not any(torch.equal(row, other) for row, other in zip(rows, old_rows, strict=False)),
        "The new head holds rows of the old one. The new classes have nothing to do with the first of the old ones.",
    )


points.check("the extra heads follow", each(_extra_heads_follow), "inception_v3", "googlenet", worth=1.75)
points.check("the new head lives where the model lives", _lives_where_the_model_lives, worth=1.75)
points.check(
    "everything else stays: numbers, modes, what may learn",
    each(_everything_else_stays),
    ("shufflenet_v2_x0_5", True),
    ("shufflenet_v2_x0_5", False),
)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 3. Let only the head learn
#
# Write `freeze_backbone(model)`. After it, and however often somebody calls `model.train()` later, training the model
# changes the head and **not one other number**. Only the head's parameters keep `requires_grad=True`. Return the model.
#
# Two things move the numbers of a network. Gradients are one. The other needs none: in train mode every BatchNorm layer
# updates its running mean and variance whenever a picture passes through, and it normalises each picture by its
# neighbours in the batch. A frozen BatchNorm does neither; it uses the statistics that it came with.
#
# Dropout may stay as it is, because it changes no number. Whatever stands between the backbone and the head, such as
# the hidden layers of a VGG, is no head and does not learn. The number of classes may be anything when your function
# is called, and the network may be anybody's: with BatchNorm, with LayerNorm, with attention.
#
# - **Worth 3 of 8: nothing but the head moves.**
# - **Worth 3 of 8: in train mode the backbone says what it says in eval mode.**

# %% [markdown] hint="ps1.3"
# **Which order?**
# Freeze everything, then wake up the head. A spelling mistake such as `parameter.require_grad = False` is no error in
# Python: it makes a new attribute that nobody reads.

# %% [markdown] hint="ps1.3"
# **`model.eval()` is undone by `model.train()`.**
# So you need something that happens later, each time. A layer's own `train` method can be replaced:
# `layer.train = lambda mode=True: layer`. Or let the model call a function of yours before each forward pass:
# `model.register_forward_pre_hook(lambda model, inputs: ...)`. In a loop, mind which `layer` a lambda remembers.


# %% answer="freeze_backbone"
def freeze_backbone(model):
    """Make sure that training changes nothing but the head; return the model."""
    ### BEGIN SOLUTION
    _, head = find_head(model)
    model.requires_grad_(False)
    head.requires_grad_(True)

    def keep_statistics(model, _inputs):
        for layer in model.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.eval()

    model.register_forward_pre_hook(keep_statistics)
    return model
    ### END SOLUTION


# %% [markdown] why="freeze_backbone"
# Two things move numbers, so two things are done. `requires_grad` stops the gradients: everything off, then the head
# on. The BatchNorm statistics move in train mode, and `model.eval()` would be undone by the next `model.train()`; a
# hook that runs before each forward pass sets these layers back, whoever changed the mode in between. Weight decay and
# momentum do no harm either, because an optimiser leaves a parameter without a gradient alone.

# %% test="freeze_backbone" points=8 earlier="find_head"
from course_utils.grading import Points, each, expect, networks


def _frozen(architecture):
    """A network for 2 classes with a frozen backbone, pictures for it, and the names of its head's parameters."""
    model = networks.build(architecture, num_classes=2).eval()
    images = networks.pictures(architecture, count=4)
    returned = freeze_backbone(model)
    expect(returned is not None, "freeze_backbone returned None. Does it end with `return model`?")
    expect(isinstance(returned, nn.Module), f"It should return the model, not a {type(returned).__name__}.")
    is_same = set(model.parameters()) <= set(returned.parameters())
    expect(is_same, "freeze_backbone should return the model that it gets. Yours returns another network.")
    own = set(networks.forward(returned, images).head.parameters())
    head_parameters = {name for name, parameter in returned.named_parameters() if parameter in own}
    return returned, images, head_parameters


def _only_the_head_may_learn(architecture):
    model, _, head_parameters = _frozen(architecture)
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    expect(head_parameters <= learning, "The head is frozen too, so nothing can learn.")
    expect(
        learning == head_parameters,
        f"{len(learning - head_parameters)} tensors that are not the head's still have requires_grad=True, "
        f"{min(learning - head_parameters, default='')} for example.",
    )


def _weights_stay(architecture):
    model, images, head_parameters = _frozen(architecture)
    before = networks.snapshot(model)
    networks.train(model, images)
    changed = networks.moved(before, networks.snapshot(model))
    expect(head_parameters <= set(changed), "Training did not change the head: it is frozen too.")
    buffers = {name for name, _ in model.named_buffers()}
    weights = [name for name in changed if name not in buffers and name not in head_parameters]
    expect(not weights, f"Training changed {len(weights)} weights of the backbone, {weights[:1]} for example.")


def _statistics_stay(architecture):
    model, images, _ = _frozen(architecture)
    before = networks.snapshot(model)
    networks.train(model, images)
    networks.train(model, images)  # a second epoch calls model.train() again
    # num_batches_tracked only counts; the statistics are the mean and the variance.
    moved = [
        name
        for name in networks.moved(before, networks.snapshot(model))
        if name in dict(model.named_buffers()) and not name.endswith("num_batches_tracked")
    ]
    expect(
        not moved,
        f"Training moved {len(moved)} BatchNorm statistics, {moved[:1]} for example. No gradient did that: the layers "
        "were in train mode.",
    )


points = Points(8)
points.check("resnet18: only the head has requires_grad=True", _only_the_head_may_learn, "resnet18", worth=0.25)
points.check("resnet18: the weights stay while it trains", _weights_stay, "resnet18", worth=0.25)
points.check("resnet18: the BatchNorm statistics stay", _statistics_stay, "resnet18", worth=0.5)
### BEGIN HIDDEN TESTS


def _nothing_else_moves(architecture):
    _only_the_head_may_learn(architecture)
    _weights_stay(architecture)


def _backbone_says_the_same(architecture):
    untouched = networks.build(architecture, num_classes=2).eval()
    model, images, _ = _frozen(architecture)
    expected = networks.features(untouched, images)

    def compare(when):
        found = networks.features(model, images)
        close = found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-3, atol=1e-4)
        expect(close, f"{when} the features that the head is given are others than those of the network as it came.")

    compare("In eval mode, right after freezing,")
    model.train()
    awake = [name for name, layer in model.named_modules() if isinstance(layer, nn.BatchNorm2d) and layer.momentum == 0]
    expect(
        not awake,
        "Momentum 0 keeps the statistics, but a picture is still normalised by its neighbours in the batch: the layers "
        "are in train mode.",
    )
    compare("After model.train()")
    for _ in range(2):
        networks.train(model, images)
    compare("After some training, in train mode,")


def _modes_still_work(architecture):
    model, images, _ = _frozen(architecture)
    model.train()
    model.eval()
    training = [name for name, module in model.named_modules() if module.training]
    expect(not training, f"After model.eval() a part of the model is in train mode, {training[:1]} for example.")
    expected = networks.forward(networks.build(architecture, num_classes=2), images).scores
    with torch.no_grad():
        close = torch.allclose(model(images), expected, rtol=1e-3, atol=1e-4)
    expect(close, "After freezing, without any training, the model predicts something else in eval mode.")


points.check(
    "nothing but the head moves",
    each(_nothing_else_moves),
    "squeezenet1_1",
    "shufflenet_v2_x0_5",
    *networks.SMALL,
    worth=3,
)
points.check(
    "in train mode the backbone says what it says in eval mode",
    each(_backbone_says_the_same),
    "shufflenet_v2_x0_5",
    *networks.SMALL,
    worth=3,
)
points.check("model.eval() still works", each(_modes_still_work), "shufflenet_v2_x0_5", "a small VGG")
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 4. Prove it
#
# The worst mistakes in this business are silent: no message, a falling loss, and yet the wrong numbers moved. The cure
# is to compare the model before and after. Write `what_moved(model, action)`: it calls `action()` once and returns the
# names of all tensors in `model.state_dict()` that the call changed, as a set or a list.
#
# Changed means: not the same number any more, however small the difference. `action` adds no tensors and takes none
# away. A number that was NaN and is NaN may be called either.
#
# - **Worth 1.5 of 4: a change counts however small it is, and a NaN is a change.**
# - **Worth 1 of 4: buffers move too.**

# %% [markdown] hint="ps1.4"
# **Always an empty list?**
# `model.state_dict()` hands out the model's own tensors, not copies. When the model changes, so does your "before".


# %% answer="what_moved"
def what_moved(model, action):
    """Call action() once; return the names of the tensors in the model's state dict that it changed."""
    ### BEGIN SOLUTION
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    action()
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    ### END SOLUTION


# %% [markdown] why="what_moved"
# `clone` is the point: the state dict hands out the model's own tensors, and without a copy "before" would change
# along. `torch.equal` compares every number, so a change in the last digit counts, and the state dict holds the buffers
# too, where BatchNorm keeps what moves without a gradient.

# %% test="what_moved" points=4
from course_utils.grading import Points, expect, networks


def _small_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))


def _tells(model, action, expected):
    calls = []

    def counted():
        calls.append(1)
        with torch.no_grad():
            action()

    names = what_moved(model, counted)
    expect(names is not None, "what_moved returned None. Does it end with a `return`?")
    expect(
        isinstance(names, set | frozenset | list | tuple) and all(isinstance(name, str) for name in names),
        "what_moved should return a set or a list of names.",
    )
    expect(len(calls) == 1, f"action() was called {len(calls)} times instead of once.")
    missed, invented = sorted(set(expected) - set(names)), sorted(set(names) - set(expected))
    some = ", ".join((missed or invented)[:3])
    expect(not missed, f"Your answer leaves out what moved: {some}.")
    expect(not invented, f"Your answer names what did not move: {some}.")


def _one_weight():
    model = _small_network()
    _tells(model, lambda: model[0].weight[2, 1].add_(1.0), ["0.weight"])


def _batch_norm():
    model = _small_network()
    _tells(model, lambda: model(torch.rand(8, 4)), ["1.running_mean", "1.running_var", "1.num_batches_tracked"])


points = Points(4)
points.check("one number of one weight changed", _one_weight, worth=0.5)
points.check("buffers move too", _batch_norm)


### BEGIN HIDDEN TESTS
def _nothing():
    model = _small_network().eval()
    _tells(model, lambda: model(torch.rand(8, 4)), [])
    _one_weight()  # an answer that never names anything is no answer


def _very_little():
    model = _small_network()
    _tells(model, lambda: model[2].bias[0].mul_(1 + 2e-7), ["2.bias"])
    exact = _small_network().double()
    _tells(exact, lambda: exact[0].weight[0, 0].mul_(1 + 1e-12), ["0.weight"])
    tiny = _small_network()
    tiny[2].bias.data.fill_(1e-30)
    _tells(tiny, lambda: tiny[2].bias[1].mul_(2), ["2.bias"])
    broken = _small_network()
    _tells(broken, lambda: broken[0].weight[0, 0].fill_(float("nan")), ["0.weight"])


def _the_sum_stays():
    model = _small_network()
    _tells(model, lambda: model[0].bias.copy_(model[0].bias.flip(0)), ["0.bias"])


def _a_new_tensor():
    model = _small_network()
    _tells(model, lambda: setattr(model[2], "weight", nn.Parameter(torch.ones(2, 6))), ["2.weight"])


def _a_checkpoint():
    model, other = _small_network(), _small_network()
    other[0].weight.zero_()
    other[1].running_var.fill_(3.0)
    _tells(model, lambda: model.load_state_dict(other.state_dict()), ["0.weight", "1.running_var"])


def _a_real_network():
    model = networks.build("shufflenet_v2_x0_5", num_classes=2)
    statistics = [name for name, _ in model.named_buffers()]
    _tells(model, lambda: model(networks.pictures("shufflenet_v2_x0_5", count=4)), statistics)


def _many_kinds():
    _nothing()
    _the_sum_stays()
    _a_new_tensor()
    _a_checkpoint()
    _a_real_network()


with torch.no_grad():
    points.check("a change counts however small it is, and a NaN is a change", _very_little, worth=1.5)
    points.check("nothing, a swap, a new tensor, a checkpoint, a real network", _many_kinds)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## All four together
#
# No points here, only the pleasure. If your functions work, the last line names the head's two tensors and nothing
# else, whichever network you put in the first line.

# %%
name = "mobilenet_v2"
try:
    model = freeze_backbone(replace_head(networks.build(name), 4))
    print(sorted(what_moved(model, lambda: networks.train(model, networks.pictures(name, count=4)))))
except Exception as error:
    print(f"Not yet: {type(error).__name__}: {error}")

# %% [markdown]
# ## Before you hand in
#
# Choose **Restart Kernel and Run All Cells**, and read what the test cells say. Then hand in this one file, under the
# name that it has.
