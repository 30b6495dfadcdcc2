# %% [markdown]
# # Inference: from a photo to a name
#
# A classifier does not answer "espresso". It answers with a row of numbers, and somebody has to put a photo in front of
# it in the right shape and turn the numbers into a name afterwards. This lesson walks the whole way, once by hand and
# once with a single call, and looks at the places where the way is slippery.
#
# **After this lesson you can**
#
# - turn logits into probabilities and probabilities into names, and say what each of the three is;
# - recognise a forgotten batch dimension from its error message;
# - say exactly what `eval()`, `no_grad()` and `requires_grad` each do, because you have measured it;
# - say what a "confidence of 98 %" promises, and what it does not;
# - choose a batch size from a measurement, and repair a model and a picture that sit on different devices.
#
# **Time:** 55 minutes. **You need:** lessons [01](01_loading_weights.ipynb) (weights) and
# [02](02_preprocessing.ipynb) (preprocessing). No network, no GPU.

# %%
import copy
import time

import matplotlib.pyplot as plt
import torch
from torch import nn
from torchvision import models

from course_utils import ask, commit, describe_device, get_device, guesses, load_pretrained
from course_utils import open_image, predict, reveal, sample_images
from course_utils.occlusion import occlusion_map
from course_utils.plots import PALETTE, show, show_images, show_lines, show_maps, show_predictions

model, weights = load_pretrained("efficientnet_lite0")
categories = weights.meta["categories"]

# %% [markdown]
# Six free pictures come with the course, so nothing has to be downloaded. You can name each of them in a second.
#
# **Commit to an answer first.** Which of them will the network name as you do?

# %%
photos = sample_images()
squares = [photo.square for photo in photos.values()]
alt = " ".join(photo.description for photo in photos.values())
show_images(squares, titles=list(photos), columns=3, alt=alt)
for photo in photos.values():
    print(f"{photo.source}\n    {photo.licence}")

# %% [markdown] covers=["S21", "S31"]
# ## The way has six steps
#
# | step | from | to | with |
# |---|---|---|---|
# | 1 | photo | tensor | `weights.transforms()`, the preset |
# | 2 | tensor | batch | `unsqueeze(0)` or `torch.stack` |
# | **3** | **batch** | **logits**, one score for each class | **`model(batch)`** |
# | 4 | logits | probabilities, together 1 | `softmax(dim=1)` |
# | 5 | probabilities | the best k and their indices | `topk(k)` |
# | 6 | indices | names | `weights.meta["categories"]` |
#
# Only **one** of these steps is the model, the third. It ends at the scores, called **logits**. Everything before and after
# is your job, and the weights bring two of the tools for it: the preset and the names.
#
# ## Step 1: photo to tensor
#
# Lesson 02 took the preset apart. Here we only use it.

# %%
transform = weights.transforms()
photo = photos["coffee"].square
x = transform(photo)
print("photo: ", photo.size, photo.mode)
print("tensor:", tuple(x.shape), x.dtype, f"from {x.min():.2f} to {x.max():.2f}")

# %% [markdown]
# ## Step 2: tensor to batch
#
# The tensor has three dimensions: channels, height, width.
#
# **Commit to an answer first.** What does `model(x)` do?
#
# - (a) It works and returns one row of scores.
# - (b) It stops in the first layer, a convolution.
# - (c) It stops somewhere else.

# %% covers=["S55"] tags=["raises-exception"]
model(x)

# %% [markdown]
# A traceback is read **from its last line upwards**. The last line says what is wrong: four dimensions (4D) were expected
# and three came. The lines above it say where: not in the first convolution, which takes a single picture without a
# word, but one layer later, in a BatchNorm. The first place that complains is not always the place of the mistake.
#
# A model works on **batches**: (pictures, channels, height, width). `unsqueeze(0)` puts the missing dimension in front.

# %% covers=["S55"]
batch_of_one = x.unsqueeze(0)
with torch.no_grad():
    print(tuple(x.shape), "->", tuple(batch_of_one.shape), "->", tuple(model(batch_of_one).shape))

# %% [markdown]
# `torch.no_grad()` tells PyTorch that nobody is going to train here; we measure below what that saves.
#
# Other networks have other layers to complain, and few of them say "batch". When a model that ran yesterday complains about
# dimensions, channels or matrix shapes, print `x.shape` before you read any further.

# %%
ask("one-picture-batch")

# %% [markdown] covers=["S31"]
# ## Step 3: batch to logits
#
# Several pictures of one size become a batch with `torch.stack`. From here on we take all six at once.

# %%
batch = torch.stack([transform(square) for square in squares])
with torch.no_grad():
    logits = model(batch)
print(tuple(batch.shape), "->", tuple(logits.shape))

# %% [markdown]
# Each row belongs to a photo, each column to a class. Look at the range of the numbers.

# %%
for name, row in zip(photos, logits, strict=True):
    print(f"{name:13} lowest {row.min():6.1f}   highest {row.max():5.1f}")

# %% [markdown]
# Probabilities lie between 0 and 1. Logits do not: they may be negative or large, and they need not add up to anything.
# A higher logit means "rather this class", no more.
#
# ## Step 4: logits to probabilities
#
# **Softmax** turns a row of logits into a row of probabilities in two moves. First the picture, for the four highest
# scores of the cat photo.

# %% covers=["S21", "S57"]
best, indices = logits[0].topk(4)
names = [categories[index] for index in indices]
panels = {
    "logit": best,
    "exp(logit)": best.exp(),
    "probability = exp / sum of all exp": best.exp() / logits[0].exp().sum(),
}
fig, axes = plt.subplots(1, 3, figsize=(10, 2.5), sharey=True, layout="constrained")
for ax, (title, numbers) in zip(axes, panels.items(), strict=True):
    bars = ax.barh(names, numbers, color=PALETTE[0])
    ax.bar_label(bars, [f"{number:.3g}" for number in numbers.tolist()], padding=3)
    ax.set(title=title, xlim=(0, 1.3 * float(numbers.max())), xticks=[])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
axes[0].invert_yaxis()
show(
    fig,
    alt="Three bar charts for the four best classes of the cat photo. The logits differ little, their "
    "exponentials differ by factors, and the probabilities have the proportions of the exponentials. "
    f"In each chart the best is {names[0]}.",
)

# %% [markdown]
# 1. **exp** makes every number positive and turns differences into factors: one logit more means 2.7 times as much.
# 2. **Dividing by the sum over all classes** makes the shares add up to 1.
#
# As a formula, for the logits $z_1 \dots z_C$ of one photo:
#
# $$p_i = \frac{e^{z_i}}{e^{z_1} + \dots + e^{z_C}}$$
#
# By hand it is one line, and PyTorch's own `softmax` agrees.

# %% covers=["S57"]
by_hand = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
probabilities = logits.softmax(dim=1)
print("same as torch:", torch.allclose(by_hand, probabilities))
print("sum of each row:", [round(total, 3) for total in probabilities.sum(dim=1).tolist()])

# %% [markdown]
# Use torch's version all the same: `exp(1000)` is too large for a float. torch first subtracts the row's largest
# logit, which changes nothing in the result, because only differences of logits count.

# %%
large = torch.tensor([1000.0, 998.0])
print("by hand:", (large.exp() / large.exp().sum()).tolist())
print("torch:  ", [round(p, 3) for p in large.softmax(dim=0).tolist()], "as for the logits 2 and 0")

# %%
ask("softmax-by-hand")

# %% [markdown]
# ### Along which dimension?
#
# `dim=1` is the dimension of the classes. In much sample code you see `softmax(output[0], dim=0)`, which is right too:
# `output[0]` is a single row, and its only dimension holds the classes.
#
# **Commit to an answer first.** What comes out when you mix the two, `softmax(dim=0)` on a batch of one photo?
#
# - (a) An error.
# - (b) The same probabilities.
# - (c) Something else, without an error.

# %% covers=["S57"]
mixed_up = logits[:1].softmax(dim=0)
lowest, highest = mixed_up.min().item(), mixed_up.max().item()
print("shape:", tuple(mixed_up.shape), "  lowest:", lowest, "  highest:", highest)

# %% [markdown]
# Every class has 100 %. Along `dim=0` there is only one picture, so each class is compared with nobody and gets
# everything. No error tells you; the sum of a row does. If a row of probabilities does not add up to 1, look at `dim`.
#
# ## Steps 5 and 6: the best k, and their names
#
# `topk` returns the largest values and where they are. The names are part of the weights, in the order of the columns.

# %% covers=["S57"]
values, indices = probabilities.topk(3, dim=1)
for name, row_of_values, row_of_indices in zip(photos, values, indices, strict=True):
    answers = [f"{categories[i]} {p:.0%}" for p, i in zip(row_of_values, row_of_indices, strict=True)]
    print(f"{name:13}", ", ".join(answers))

# %% [markdown]
# Compare with your guesses. Cat, espresso and rocket are found, or at least a near relative. And the photographer? The model has no
# name for people; it names the thing that it knows, and is right about that. For the astronaut and the silhouette it finds
# nothing of the kind: it can only choose among the names that it was trained with, and it must choose.

# %%
for word in ("espresso", "Egyptian cat", "rocket", "missile", "astronaut", "photographer", "tripod", "horse"):
    verb = "is" if word in categories else "is not"
    print(f"{word:13} {verb} one of the {len(categories)} categories")

# %% [markdown]
# ### What does an answer need?
#
# Hide a part of the photo behind a grey square and ask again. If the answer's probability falls, the hidden part was needed. Move
# the square over the whole photo, and you have a map. This is called **occlusion**; it treats the network as a closed box, so
# it works with every model. Before you run the cell: which part of each photo will its answer need?

# %%
first_answers = [categories[i] for i in indices[:, 0]]
maps = occlusion_map(model, batch, indices[:, 0].tolist())
show_maps(
    squares,
    maps,
    first_answers,
    alt="Six photos, and below each the same in grey, bright where hiding it costs the answer most.",
)

# %%
for name, answer, lost in zip(photos, first_answers, maps, strict=True):
    print(f"{name:13} {answer:18} most lost in one place: {lost.max():4.0%}, in the mean place: {lost.mean():4.0%}")

# %% [markdown]
# Bright places are those that the answer cannot do without; a minus in the list means that hiding makes the answer surer. The photographer's answer hangs on the tripod, not on the man. Where even
# the brightest place costs little, the answer rests on the whole photo, or the network was never sure. And a map says *where*,
# not *why*: a map on the right place is no proof that the answer is right.

# %% [markdown] covers=["S56"]
# ### Names from a file?
#
# Older samples download a text file with the class names (`imagenet_classes.txt`) and read it line by line. The model and
# the file then come from two places, and nothing checks that they fit. It has gone wrong: that very file once began with
# a header of four lines. Let us add a single line on top of the right list and read the names from it.

# %% covers=["S56"]
from_a_file = ["# class names, one on each line", *categories]
for name, index in zip(photos, indices[:, 0], strict=True):
    print(f"{name:13} weights: {categories[index]:22} file: {from_a_file[index]}")

# %% [markdown]
# Every name is that of a neighbour now, and still looks like an answer. The model is as good as before. There is no error
# message for such a **label shift**. Another accident does give one, far from its cause: if
# the download fails and the program keeps the server's reply, the "list of classes" has one entry.

# %% covers=["S56"]
reply = "404: Not Found"
try:
    reply.splitlines()[indices[0, 0]]
except IndexError as error:
    print("IndexError:", error)

# %% [markdown]
# So take the names from `weights.meta["categories"]`. They travel with the weights and need no network.
#
# torchvision knows them even before any weights file is there. And it has repaired them: in the text file two names stood
# for two classes each, because a crane is a bird and a machine, and a maillot is a swimsuit and another swimsuit.

# %% covers=["S56"]
imagenet_names = models.ResNet18_Weights.DEFAULT.meta["categories"]
print(len(imagenet_names), "classes,", len(set(imagenet_names)), "different names")
print([(i, name) for i, name in enumerate(imagenet_names) if "crane" in name or "maillot" in name])

# %%
ask("names-of-the-classes")

# %% [markdown]
# ## All steps in one call
#
# `predict` does what you have just done: preset, batch, eval mode, no gradients, softmax, top k, names. It is short; open
# `course_utils/inference.py`, or run `predict??` in a cell, and find the six steps in it.

# %% covers=["S21"]
answers = predict(model, weights, squares, k=5)
coffee = answers[1]
print(f"by hand: {categories[indices[1, 0]]} ({values[1, 0]:.1%})   predict: {coffee[0]}")
show_predictions(
    photos["coffee"].square,
    coffee,
    alt=f"The coffee cup, and bars for the five best answers; the longest by far is {coffee[0]}.",
)

# %%
ask("picture-to-label")

# %% [markdown] covers=["S54"]
# ### Your own photo
#
# `predict` takes file names and web addresses too, and opens them with `open_image` from lesson 02. Put the name of a file, or an address that begins with `https://`, between the quotes and run the cell again.

# %%
my_photo = ""  # for example "holiday.jpg"
if my_photo:
    picture = open_image(my_photo)
    answers = predict(model, weights, picture)[0]
    show_predictions(picture, answers, alt="My photo, and bars for the five best answers.")

# %% [markdown] covers=["S36", "S45"]
# ## The mode: `eval()` or `train()`
#
# Every model has a mode. `load_pretrained` returns it in **eval** mode, for use. A torchvision builder returns it in
# **train** mode, and so `model.eval()` is the line that is forgotten most.
#
# A frequent explanation is "without `eval()` dropout makes the predictions random". Is it right for a ResNet? Here is the course's
# own ResNet-18, with smaller pictures and 200 categories, and the same six photos.

# %%
resnet, resnet_weights = load_pretrained("resnet18", "course")
names = resnet_weights.meta["categories"]
small_batch = torch.stack([resnet_weights.transforms()(square) for square in squares])

# %% [markdown] covers=["S36", "S45"]
# The ResNet-18 is in train mode and sees the same batch twice. What are the two results?

# %%
commit("train-mode-twice")

# %% covers=["S45"]
forgetful = copy.deepcopy(resnet).train()
with torch.no_grad():
    first, second = forgetful(small_batch), forgetful(small_batch)


def show_twice():
    print("the same batch twice, the same scores:", torch.equal(first, second))
    print("dropout layers in a ResNet-18:", sum(isinstance(layer, nn.Dropout) for layer in resnet.modules()))
    return "the same" if torch.equal(first, second) else "different"


reveal("train-mode-twice", show_twice)

# %% [markdown]
# A ResNet has no dropout, so nothing is random. That makes the mistake harder to notice, not
# smaller. What a ResNet does have is **BatchNorm**, and it behaves differently in the two modes:
#
# | | normalises each channel with | changes its stored statistics |
# |---|---|---|
# | `eval()` | the mean and variance that it stored during training | no |
# | `train()` | the mean and variance of **the batch that is there now** | yes, at every forward pass |
#
# So in train mode the answer for the coffee should depend on who else is in the batch. Does it?

# %% covers=["S36", "S45"]
company = {"alone": [1], "and cat": [1, 0], "and rocket": [1, 2], "and all": [1, 0, 2, 3, 4, 5]}
print(f"{'':18} {'eval mode':28} train mode")
for who, rows in company.items():
    with torch.no_grad():
        outputs = [network(small_batch[rows])[0].softmax(dim=0).max(dim=0) for network in (resnet, forgetful)]
    best = [f"{names[index]} ({p:.0%})" for p, index in outputs]
    print(f"coffee {who:11} {best[0]:28} {best[1]}")

# %% [markdown]
# In eval mode the four answers are one and the same. In train mode no two are alike: the name, or its share, changes with the
# company, for the same photo.
#
# The last column of the table with the two modes says that something is also **written**. Compare the state of the network before and
# after one more forward pass, under `no_grad()`:

# %% covers=["S36", "S45"]
before = copy.deepcopy(forgetful.state_dict())
with torch.no_grad():
    forgetful(small_batch)
after = forgetful.state_dict()
changed = [name for name in after if not torch.equal(after[name], before[name])]
weights_changed = [name for name in changed if name in dict(forgetful.named_parameters())]
print(len(changed), "of", len(before), "tensors changed,", len(weights_changed), "of them weights")
print("for example", changed[:3])

# %% [markdown]
# No weight has changed: that takes an optimizer. But every **buffer** of every BatchNorm has: the running mean, the
# running variance and a counter. `no_grad()` did not prevent it, because these averages are not computed with gradients.
#
# So a forgotten `eval()` leaves a mark. Let ten batches pass in train mode, then switch to eval, as one should have
# done from the start. Is all well again?

# %% covers=["S45"]
with torch.no_grad():
    for _ in range(10):
        forgetful(small_batch)
columns = [predict(network, resnet_weights, squares, k=1) for network in (resnet, forgetful.eval())]
print(f"{'':13} {'untouched':28} after the mistake")
for name, (untouched,), (afterwards,) in zip(photos, *columns, strict=True):
    print(f"{name:13} {untouched!s:28} {afterwards!s}")

# %% [markdown]
# It is not: names and shares have moved. (That one answer may come closer to the truth is chance, not a repair.) `eval()` uses what is stored, and what is
# stored has been overwritten with the statistics of six photos. The
# only repair is to load the weights again. That is why `eval()` belongs right behind the loading, not in front of the
# first strange result.
#
# ### Which models are affected, and how?
#
# Three kinds of layer look at the mode: BatchNorm, dropout, and stochastic depth (it skips whole blocks at random).
# Here are three networks with random weights, for which the mode is the same question.

# %% covers=["S36", "S45"]
torch.manual_seed(0)
others = {
    "AlexNet": models.alexnet(weights=None),
    "MobileNetV3": models.mobilenet_v3_small(weights=None),
    "ViT (a small one)": models.VisionTransformer(
        image_size=224, patch_size=32, num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=128
    ),
}
nn.init.normal_(others["ViT (a small one)"].heads.head.weight)  # torchvision starts this head with zeros
pictures = torch.rand(2, 3, 224, 224)
print(f"{'':18} BatchNorm  dropout   same batch twice   train against eval")
for name, other in others.items():
    norms = sum(isinstance(layer, nn.BatchNorm2d) for layer in other.modules())
    drops = sum(isinstance(layer, nn.Dropout) and layer.p > 0 for layer in other.modules())
    with torch.no_grad():
        once, again, evaluated = other.train()(pictures), other(pictures), other.eval()(pictures)
    same = ["same" if torch.allclose(once, o, atol=1e-4) else "different" for o in (again, evaluated)]
    print(f"{name:18} {norms:9} {drops:8}   {same[0]:16}   {same[1]}")

# %% [markdown]
# - **AlexNet** (and VGG) have dropout: here the frequent explanation is right, the output is random.
# - **MobileNetV3** has both, and both effects.
# - The **ViT** has neither: its LayerNorm looks at one picture at a time, and its dropout is set to 0. For torchvision's
#   ViT the mode makes no difference. Call `eval()` anyway; the next model in the same program will not be a ViT.

# %%
ask("resnet-in-train-mode")

# %%
ask("eval-returns-same-for-vit")

# %% [markdown]
# ## Three switches, three jobs
#
# `eval()`, `no_grad()` and `requires_grad` are often confused, because all three have to do with "not training".
#
# **Commit to an answer first.** Which of them makes a forward pass need less memory?
#
# To find out we count what PyTorch keeps of a forward pass in order to compute gradients later. The helper below listens
# when autograd stores a tensor; the weights themselves do not count, they are there anyway.


# %%
def megabytes_kept(network, images):
    """Memory (MB) that a forward pass keeps for a backward pass, the weights not counted."""
    sizes = {}

    def listen(tensor):
        sizes[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(listen, lambda tensor: tensor):
        _logits = network(images)  # kept alive while we count
    own = {parameter.data_ptr() for parameter in network.parameters()}
    return sum(size for address, size in sizes.items() if address not in own) / 1e6


# %%
network = copy.deepcopy(resnet)
print(f"{'mode':6} {'context':16} {'MB kept':>8}   BatchNorm statistics")
for mode in ("train", "eval"):
    for context in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        network.train(mode == "train")
        counter = int(network.bn1.num_batches_tracked)
        with context():
            kept = megabytes_kept(network, small_batch)
        moved = int(network.bn1.num_batches_tracked) > counter
        print(f"{mode:6} {context.__name__:16} {kept:8.1f}   {'move' if moved else 'stay'}")

# %% [markdown]
# Read the table twice. From top to bottom: the **mode** decides about BatchNorm (and dropout), and saves next to nothing.
# Within a mode: the **context** decides about memory, and does nothing for BatchNorm. You want both, always.
#
# And the third switch? Ask the parameters.

# %%
network.eval()
flags = [parameter.requires_grad for parameter in network.parameters()]
print("after eval():", sum(flags), "of", len(flags), "weight tensors may still be trained")
network.requires_grad_(False)
print("after requires_grad_(False):", sum(parameter.requires_grad for parameter in network.parameters()))
print(f"MB kept then, with gradients enabled: {megabytes_kept(network, small_batch):.1f}")

# %% [markdown]
# | switch | what it controls | typical place |
# |---|---|---|
# | `model.eval()` / `model.train()` | how BatchNorm, dropout and stochastic depth behave | once, after loading; again around each validation |
# | `with torch.no_grad():` or `torch.inference_mode():` | whether anything is recorded for gradients | around the forward pass |
# | `parameter.requires_grad` | which tensors training may change | before training, to freeze layers |
#
# The last line of the output shows how they meet: where no weight may be trained, there is nothing to keep either.
#
# `inference_mode` is the stricter of the two contexts, and is meant to be a little cheaper. Its results are for reading only: they cannot
# take part in training, except as a copy (`clone()`).

# %% tags=["nbval-ignore-output"]
with torch.inference_mode():
    features = model(batch)
try:
    nn.Linear(len(categories), 2)(features).sum().backward()
except RuntimeError as error:
    print(error)

# %% [markdown]
# So: `inference_mode` when you only want answers, `no_grad` when the result goes into something that learns, as in lesson
# 05. What do they do for speed? One photo, the three contexts in turn, and of each the fastest of twelve passes.

# %% tags=["nbval-ignore-output"]
fastest = dict.fromkeys((torch.enable_grad, torch.no_grad, torch.inference_mode), float("inf"))
for _ in range(12):
    for context in fastest:
        with context():
            start = time.perf_counter()
            model(batch_of_one)
            fastest[context] = min(fastest[context], time.perf_counter() - start)
for context, seconds in fastest.items():
    print(f"{context.__name__:16} {1000 * seconds:6.1f} ms")

# %% [markdown]
# The layers do the same arithmetic in all three, so the times lie close together on a quiet machine, and on a busy one other
# programs change them more than the context does. The gain is memory.

# %%
ask("what-eval-does")

# %% [markdown]
# ## How many pictures at a time?
#
# In eval mode the company in the batch does not matter for the answer. Check it, then ask what it does to the speed.

# %%
with torch.inference_mode():
    one_by_one = torch.cat([model(picture.unsqueeze(0)) for picture in batch])
    together = model(batch)
print("same scores:", torch.allclose(one_by_one, together, atol=1e-3))

# %% [markdown]
# The same up to rounding: with another batch size the sums may be added up in another order, so the last digits of a
# float can differ. Compare with `torch.allclose`, never with `==`.
#
# **Commit to an answer first.** Going from 1 to 32 pictures at a time, the pictures per second
#
# - (a) stay as they are,
# - (b) grow 32-fold,
# - (c) grow at first and then level off.


# %%
def pictures_per_second(network, images):
    """Time one forward pass. ``.cpu()`` waits for a GPU to finish."""
    start = time.perf_counter()
    network(images).cpu()
    return len(images) / (time.perf_counter() - start)


# %% tags=["nbval-ignore-output"]
device = get_device()
print("measured on", describe_device(device))
sizes = [1, 2, 4, 8, 16, 32]  # with a GPU go on: 64, 128, 256
many = small_batch.repeat(max(sizes) // len(small_batch) + 1, 1, 1, 1).to(device)
resnet.to(device)
with torch.inference_mode():
    # The sizes take turns, so that another program disturbs none of them more than the others. The best of ten rounds counts.
    rounds = [[pictures_per_second(resnet, many[:size]) for size in sizes] for _ in range(10)]
rates = [max(measured) for measured in zip(*rounds, strict=True)]
show_lines(
    sizes,
    {"ResNet-18": rates},
    xlabel="batch size",
    ylabel="pictures per second",
    log_x=True,
    alt=f"Pictures per second over the batch size: {rates[0]:.0f} for one at a time, "
    f"{max(rates):.0f} at best, with batches of {sizes[rates.index(max(rates))]}.",
)

# %% [markdown]
# Usually it is (c). Each call has a fixed cost, for Python and for starting each layer, and a batch shares it; once all cores,
# or the GPU, are busy, more pictures only take more memory. Where the curve levels off depends on your machine and on what
# else it is doing, so measure it there. On a GPU the gain is usually far larger than on a CPU. If memory runs out, halve the
# batch: `predict` does it by itself.
#
# ## Model and picture must meet
#
# A tensor lives on a **device**: the CPU, or a GPU (`cuda`, or `mps` on a Mac). A model can only work on a picture on its
# own device. The error can be had without any GPU: PyTorch has a device called `meta` whose tensors have a shape and
# no content. Move a copy of the model there and leave the picture where it is.

# %% tags=["nbval-ignore-output"]
elsewhere = copy.deepcopy(model).to("meta")
try:
    elsewhere(batch)
except RuntimeError as error:
    print(error)

# %% [markdown]
# With a GPU it reads `Expected all tensors to be on the same device, but found at least two devices, cpu and cuda:0!` or
# `Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the same`, depending on the layer and
# on your version of PyTorch. All of them mean: one of the two has not moved. The cure is `.to(device)`, and it has a trap. Which of these two lines does what it says?

# %%
picture, layer = torch.zeros(3), nn.Linear(3, 2)
picture.to("meta")
layer.to("meta")
print("picture:", picture.device, "  layer:", layer.weight.device)

# %% [markdown]
# A module moves **itself**. A tensor stays where it is and returns a **copy** on the other device, which was thrown away
# here. So write `picture = picture.to(device)`, and for a model `model.to(device)` is enough. The whole pattern:

# %%
model.to(device)
with torch.inference_mode():
    logits = model(batch.to(device)).cpu()  # back to the CPU, where the rest of the program works
model.to("cpu")  # only because the next cells keep their pictures on the CPU
print(tuple(logits.shape), logits.device)

# %% [markdown]
# ## How sure is "98 %"?
#
# The astronaut, the photographer and the horse got answers, although the network has no name for them. Let us go
# further and show it a picture of nothing: each pixel a random colour.
#
# **Commit to an answer first.** The highest probability for it will be
#
# - (a) about 1 divided by the number of classes, since no class fits,
# - (b) clearly higher than that, although no class fits,
# - (c) not there: the network will refuse to answer.

# %%
torch.manual_seed(0)
side = transform.crop_size[0]
noise = torch.randint(0, 256, (3, side, side), dtype=torch.uint8)
answers = predict(model, weights, noise)[0]
print(f"1 / number of classes: {1 / len(categories):.1%}   highest: {answers[0]}")
show_predictions(noise, answers, alt=f"Coloured noise, and bars; the longest is {answers[0]}.")

# %% [markdown]
# It is (b). Noise, too, gives some classes a higher score than others, and softmax makes shares of the differences. The
# network has no answer "none of these". Softmax shares out exactly 100 % among the names that it has, whatever
# the picture. It compares classes with each other; it does not ask whether the picture looks like any of them.
#
# Nor is the size of the number a measured chance. Multiply all logits by the same factor: the order of the answers, and
# so every decision of the network, stays the same.

# %%
with torch.no_grad():
    scores = model(batch[:1])[0]
for factor in (0.5, 1, 2):
    p, index = (factor * scores).softmax(dim=0).max(dim=0)
    print(f"logits x {factor:<3}  {categories[index]:18} {p:.0%}")

# %% [markdown]
# Three networks that are right equally often, and three "confidences" for the same photo. A network is called
# **calibrated** if, of all the answers that it gives with 80 %, eight in ten are right. Training for accuracy does not
# ensure that. So read the number as a *score*: good for ranking the classes of one photo, not a promise. If you need a
# promise, measure it on labelled pictures of your own.

# %%
ask("how-sure-is-98-per-cent")

# %% [markdown]
# ## A look inside
#
# We have treated the model as one box. Inside, a picture goes through layer after layer, and each gives **maps**: one for each
# thing it looks for, bright where it found it. Here are the four liveliest maps of the cat at three depths.
#
# What will the deepest maps look like?

# %%
commit("deepest-maps")

# %% covers=["S29"]
depths = {"early": 1, "middle": 5, "deep": 8}
x, maps_at = batch, {}
with torch.no_grad():
    for depth, block in enumerate(model.features):
        x = block(x)
        maps_at[depth] = x

pictures, titles = [], []
for words, depth in depths.items():
    of_the_cat = maps_at[depth][0]
    liveliest = (of_the_cat.amax(dim=(1, 2)) - of_the_cat.mean(dim=(1, 2))).topk(4).indices
    for number in liveliest:
        one = of_the_cat[number]
        pictures.append(((one - one.min()) / (one.max() - one.min())).expand(3, -1, -1))
        titles.append(f"{words}: {one.shape[0]} x {one.shape[1]}")


# %%
def show_depths():
    show_images(
        pictures,
        titles,
        alt="Three rows of four maps of the cat. The early ones look like drawings of fur, eyes and whiskers. The middle "
        "ones are coarse, and several light up at the two eyes. The deep ones are black but for a spot or two.",
        columns=4,
    )
    dark = (pictures[-1] < 0.1).float().mean().item()  # the share of a deep map that is nearly black
    return "like a few bright spots" if dark > 0.5 else "like the cat, only smaller"


reveal("deepest-maps", show_depths)

# %% [markdown] covers=["S29"]
# The early maps still draw the cat: edges, fur, whiskers. In the middle some light up at the eyes and at little else. The deep
# ones say only "here is something that I am looking for". So do deep layers look for rarer things? Count it: of all that a map
# answers to the six photos, how large is the share of the photo that it answers most?

# %%
for depth, block_maps in maps_at.items():
    answers = block_maps.relu().mean(dim=(2, 3))  # photos, maps
    alive = answers.sum(dim=0) > 1e-3
    share = (answers.max(dim=0).values / answers.sum(dim=0))[alive].mean()
    print(
        f"block {depth}: {block_maps.shape[1]:5} maps of {block_maps.shape[2]:3} x {block_maps.shape[3]:3}   {share:.0%}"
    )

# %% [markdown]
# A map that answers to everything alike would have 1/6, that is 17 %. The early blocks are not far from that. In the last one a map
# answers mostly to a single one of the six photos, and the decision behind it has an easy task.
#
# Many models show this plan in their own structure. Ours, and VGG-16 (on the `meta` device, because we need its plan and not
# its 138 million numbers):

# %% covers=["S29", "S79"]
with torch.device("meta"):
    vgg = models.vgg16(weights=None)
print("EfficientNet-Lite0:", [name for name, _ in model.named_children()])
print("VGG-16:            ", [name for name, _ in vgg.named_children()])
print(type(vgg.features), "of", len(vgg.features), "layers")
print("ResNet-18:         ", [name for name, _ in resnet.named_children()])

# %% [markdown] covers=["S29", "S79"]
# `features` is an `nn.Sequential`: a chain of layers in which each takes the output of the one before. `features` finds,
# `classifier` decides. The ResNet has neither name. Its last layer is called `fc`. There is no rule for these names in
# torchvision, and the next lesson is about what follows from that.
#
# Before you go there, one question from the middle of this lesson, without scrolling back:

# %%
ask("softmax-over-the-batch")

# %% [markdown] covers=["S48"]
# ## What you now know
#
# - The model is one step of six. Preset and names come with the weights: `weights.transforms()` and
#   `weights.meta["categories"]`.
# - Models take batches: `unsqueeze(0)` for one picture, `torch.stack` for several.
# - Logits are scores. `softmax(dim=1)` turns each row into shares of 1. `topk` picks the best, the list names them.
# - `eval()` decides how BatchNorm and dropout behave, `no_grad()` whether anything is kept for gradients,
#   `requires_grad` what training may change. For answers you need the first two.
# - A ResNet without `eval()` gives the same answer twice, and still not its own: it depends on the rest of the batch, and each
#   pass overwrites stored statistics.
# - A softmax score ranks the classes it knows. It cannot say "none of these", and it is no calibrated probability.
# - Larger batches are faster up to a point that you can measure. Model and batch must be on the same device.
#
# Your guesses, and what was measured:

# %%
guesses("03")

# %% [markdown]
# ## Where to practise
#
# - Run the cell "Your own photo" with three pictures: one of a category in `categories`, one of something that is not there,
#   and one drawing. Predict the answers first.
# - More questions on this lesson wait in the bank: `ask("vgg-and-25088")`,
#   `ask("picture-from-the-web")` and `ask("head-on-another-device")`.
# - The graded assignment **quiz-2** (in `exercises/release/`, or from your instructor) is on lessons 02 and 03.
#
# [Next: `fc` or `classifier`?](04_fc_versus_classifier.ipynb)
