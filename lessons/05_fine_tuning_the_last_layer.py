# %% [markdown]
# # Fine-tuning the last layer: 500 pictures, three ways
#
# **After this lesson you can**
#
# - give a pre-trained network a new head, and freeze everything else so that it really stays still,
# - train that head in seconds, by looking at each picture only once,
# - write the training loop yourself, with a `Dataset` and a `DataLoader`,
# - compare head only, fine-tuning and training from scratch fairly: same network, as many epochs as each needs, several seeds,
# - put your own folder of pictures in the place of the drawings,
# - recognise the training mistakes that produce no error message.
#
# **Time:** 60 minutes, of which the cells run for two or three on a plain processor. **You need:** lessons
# [01](01_loading_weights.ipynb) and [04](04_fc_versus_classifier.ipynb).

# %% [markdown]
# ## Five hundred pictures, a laptop: is that enough?
#
# You are about to train an image classifier in three ways, time each of them, and let the measurements decide. These
# settings say what the lesson works on.

# %%
import time

import torch
from torch import nn
from torchvision import models

from course_utils import accuracy, ask, describe_device, doodle_pets, evaluate, folder_of_pictures, get_device
from course_utils import extract_features, find_head, fit_head, freeze_backbone, install_head, replace_head
from course_utils import commit, fine_tune, guesses, load_pretrained, reveal, split
from course_utils.depth import unfreeze_from
from course_utils.occlusion import occlusion_map
from course_utils.plots import accuracy_by_seconds, show_bars, show_history, show_images, show_maps
from course_utils.results import stored_results, values

# %%
PICTURES, TEST_PICTURES = 500, 400
SOURCE = "course"  # "imagenet" is better, and on a CPU much slower: its pictures have 12 times the pixels
MY_PICTURES = ""  # or a folder of yours that holds a folder for each category: "my_pictures"
device = get_device()
print("Training on", describe_device(device))

# %% [markdown] covers=["S10", "S76"]
# ## The task
#
# A publisher of picture books wants its drawings of pets sorted: cat or dog? The drawings come from a small program in this
# course, so they are the same for everybody and need no download. They vary in fur, pose, size, light and
# background, like the pictures of a real small project would.

# %%
model, weights = load_pretrained("resnet18", SOURCE)
size = weights.transforms().crop_size[0]
if MY_PICTURES:
    train, test = split(folder_of_pictures(MY_PICTURES), (0.6, 0.4))
else:
    train = doodle_pets(PICTURES, seed=0, size=size)
    test = doodle_pets(TEST_PICTURES, seed=1000, size=size)
classes = len(train.categories)
print("train:", train.counts(), " test:", test.counts())

# %%
show_images(
    train.images[:10],
    [train.categories[label] for label in train.labels[:10]],
    alt="Ten drawn pets, cats and dogs in turn, each with its name above: different fur, poses, sizes and backgrounds.",
)

# %% [markdown]
# Ten of the training pictures, each with its category. The test pictures come from another seed: no picture is in both sets.
#
# **Your own pictures?** Make a folder with one folder in it for each category, put some dozen pictures into each, write its name
# between the quotes of `MY_PICTURES` above, and run the lesson again from the top: everything below works on them. (For 7,349
# photos of real cats and dogs there is `oxford_pets`, a download of 0.8 GB.)

# %% [markdown] covers=["S13", "S23", "S24", "S25", "S26", "S33", "S42"]
# ## Three words that are often mixed up
#
# - **Transfer learning** is the umbrella: use on one task what a network learned on another.
# - **Feature extraction** is one way to do it: freeze the backbone, train only a new head. The pre-trained weights do
#   not change at all.
# - **Fine-tuning** is the other way: some or all of the pre-trained weights learn on, in small steps.
#
# You will also hear "fine-tune the last layer" for training only a new head, and this lesson bears that name because
# you will search for it. By the definitions above that is feature extraction. Say *train only the new head*, and
# everybody understands you.

# %%
ask("umbrella-term")

# %% [markdown] covers=["S60"]
# ## One training step under the microscope
#
# Replace the head, take a small batch, make one step. Here is the loss before the step, and the loss of the same batch
# after it. (The model stays in eval mode for this look, so that BatchNorm stands still and only the step makes a difference.)

# %%
torch.manual_seed(0)  # a new head starts with random numbers; with a seed, you and this page get the same ones
replace_head(model, num_classes=classes)
transform = weights.transforms()
batch = torch.stack([transform(picture) for picture in train.images[:8]])
labels = torch.tensor(train.labels[:8])

criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

loss_before = criterion(model(batch), labels)
loss_before.backward()
optimizer.step()
print(f"loss before the step: {loss_before.item():.3f}")
print(f"loss after the step:  {criterion(model(batch), labels).item():.3f}")

# %% [markdown]
# Many examples print the first number and call it "loss after one step". It was computed before `step()` changed
# anything.
#
# We replaced only the head. How many of the network's parameters did this step change? (*Parameters* are the tensors that
# training may change; this network has 62.)

# %%
commit("changed-by-one-step")

# %%
with_gradient = [name for name, p in model.named_parameters() if p.grad is not None]


def count_changed():
    print(len(with_gradient), "of", len(list(model.parameters())), "parameters got a gradient and were changed")
    return "all 62" if len(with_gradient) == len(list(model.parameters())) else "the 2 of the head"


reveal("changed-by-one-step", count_changed)

# %% [markdown]
# Replacing the head decides what the network answers; it does not decide what learns.
#
# One more thing happens silently. Gradients **add up** until somebody clears them:

# %%
optimizer.zero_grad()
criterion(model(batch), labels).backward()
print(f"size of the head's gradient:  {model.fc.weight.grad.norm():.3f}")
criterion(model(batch), labels).backward()
print(f"without zero_grad in between: {model.fc.weight.grad.norm():.3f}")

# %% [markdown]
# Exactly twice as much, and no message. Call `optimizer.zero_grad()` before every `backward()`.

# %%
ask("loss-before-the-step")

# %% [markdown] covers=["S40", "S60"]
# ## The loop, written out once
#
# Everything that trains a network in PyTorch is a version of the next three cells. First the pictures: a folder for each category,
# a `Dataset` that opens them one by one, a `DataLoader` that shuffles them and makes batches. We write a hundred of our drawings
# into such folders, to have some that `ImageFolder` of torchvision can read.

# %%
import tempfile
from pathlib import Path

from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

folder = tempfile.TemporaryDirectory()
for number in range(100):
    place = Path(folder.name, train.categories[train.labels[number]])
    place.mkdir(exist_ok=True)
    train.images[number].save(place / f"{number}.png")

dataset = ImageFolder(folder.name, transform)
loader = DataLoader(dataset, batch_size=32, shuffle=True, generator=torch.Generator().manual_seed(0))
print(len(dataset), "pictures of", dataset.classes, "in", len(loader), "batches")

# %% [markdown]
# Then the model with its new head, and who may change: here the head alone.

# %%
torch.manual_seed(0)
model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
freeze_backbone(replace_head(model, len(dataset.classes)))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)

# %% [markdown]
# And the loop. An **epoch** is one pass over all pictures.

# %%
for epoch in range(5):
    model.train()
    right, total_loss = 0, 0.0
    for images, targets in loader:
        optimizer.zero_grad()  # forget the gradients of the batch before
        scores = model(images)
        loss = criterion(scores, targets)
        loss.backward()  # how should each parameter change?
        optimizer.step()  # change it
        total_loss += loss.item() * len(targets)
        right += (scores.argmax(dim=1) == targets).sum().item()
    print(f"epoch {epoch + 1}: loss {total_loss / len(dataset):.3f}, right {right / len(dataset):.0%}")
model.eval()
folder.cleanup()

# %% [markdown]
# These are the pictures that it learned from, so the last number says nothing about new ones. `fine_tune` of this course, further
# down, is the same loop with what keeps it honest: validation, a learning rate that rises and falls, checkpoints. But first
# the line that looks harmless, `freeze_backbone`.

# %% [markdown] covers=["S36"]
# ## Freezing, and two ways to get it wrong
#
# To train only the head, the rest must stand still. Lesson 04 showed the right order. Here is a mistake of one letter:

# %%
model, weights = load_pretrained("resnet18", SOURCE, quiet=True)
for parameter in model.parameters():
    parameter.require_grad = False  # one letter is missing
print(sum(p.requires_grad for p in model.parameters()), "of 62 parameters are still trainable")

# %% [markdown]
# Python lets you invent attributes, so nothing complains. A method cannot be misspelt silently: `model.requires_grad_(False)`.
#
# The second mistake is a quiet one. Now only the head is trainable. We train three steps and compare every tensor of
# the network with what it was before.


# %%
def changed_by_training(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01)
    model.train()
    for _ in range(3):
        optimizer.zero_grad()
        criterion(model(batch), labels).backward()
        optimizer.step()
    return [name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])]


# %% [markdown]
# How many tensors of the state dict will have changed?

# %%
commit("changed-though-frozen")

# %%
model.requires_grad_(False)
replace_head(model, num_classes=classes)
changed = changed_by_training(model)


def show_changed():
    print(len(changed), "of", len(model.state_dict()), "tensors changed, for example:")
    print(*changed[:3], *changed[-2:], sep="\n")
    return {0: "none", 2: "the 2 of the head"}.get(len(changed), "more")


reveal("changed-though-frozen", show_changed)

# %% [markdown]
# The averages inside BatchNorm (`running_mean`, `running_var`) are no parameters: they follow the data at every forward
# pass in train mode, gradients or not. The backbone drifts away although it is "frozen".
#
# `freeze_backbone` of this course does both: gradients off, and every frozen layer back into eval mode at each forward pass.

# %%
model, weights = load_pretrained("resnet18", SOURCE, quiet=True)
freeze_backbone(replace_head(model, num_classes=classes))
print(changed_by_training(model))

# %%
ask("frozen-with-a-typo")

# %% [markdown] covers=["S33", "S42"]
# ### Does fine-tuning mean training everything?
#
# The last of the four sayings of lesson 00 was: *fine-tuning means training the whole network again.* Here is a network of which
# only the last stage and the head may learn, trained for three steps:

# %%
model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
unfreeze_from(replace_head(model, num_classes=classes), "layer4")
changed = changed_by_training(model)
parts = sorted({name.split(".")[0] for name in changed})
print("changed:", parts, "  unchanged:", [name for name, _ in model.named_children() if name not in parts])

# %% [markdown]
# The saying is **false**. This is fine-tuning too: pre-trained weights learn on, but only those of `layer4`. The rest kept every bit. How
# many layers should learn is a choice, and lesson 08 measures it.

# %% [markdown] covers=["S40"]
# ## Way 1: only the head, with every picture seen once
#
# Here is the idea that makes it fast. A frozen backbone gives the same features for the same picture, today and in a
# hundred epochs. So compute them once, keep them, and train the head on the kept numbers.

# %%
started = time.perf_counter()
model, weights = load_pretrained("resnet18", SOURCE, quiet=True)
features, labels = extract_features(model, transform, train, device=device)
print("one row a picture:", tuple(features.shape))

# %%
head, history = fit_head(features, labels, num_classes=classes, epochs=100)
install_head(model, head)
seconds_head = time.perf_counter() - started
print(f"{history.epochs} epochs; the last one was right for {history.train_accuracy[-1]:.0%} of the training pictures")


# %% tags=["nbval-ignore-output"]
def accuracy_on(model, pictures):
    logits, labels = evaluate(model, transform, pictures, device=device)
    return (logits.argmax(dim=1) == labels).float().mean().item()


print(f"head only: {accuracy_on(model, test):.1%} of the test pictures, {seconds_head:.1f} seconds of training")

# %% [markdown]
# A hundred epochs for the price of one pass over the pictures. That only works as long as the backbone stands still and
# each picture looks the same every time, so there are no random flips or crops here.

# %%
ask("passes-with-cached-features")

# %% [markdown] covers=["S2", "S11"]
# ## Ways 2 and 3: everything
#
# **Fine-tune everything**: start from the pre-trained weights and let all of them learn. **From scratch**: the same network,
# random weights, no transfer at all. `fine_tune` is the loop from above; open `course_utils/training.py` and find the steps in
# it. It also flips and crops each picture at random, another way in every epoch (`augment=True`), which a head on kept
# features cannot have; that is part of the comparison.
#
# How long should each way train? Whoever stops training from scratch early makes the head look good. So each way gets a small,
# a middle and a large number of epochs, and the learning rate that was the best of three for it. All of it takes most of an hour, so it
# has been run once by a program, with several seeds, each with training pictures of its own. What an epoch costs **on your
# computer** we measure now.

# %%
stored = stored_results("three_ways")
runs = stored["runs"]
SEEDS = sorted({run["seed"] for run in runs})
print("stored by:", stored["command"], "  seeds:", len(SEEDS))


# %% tags=["nbval-ignore-output"]
def new_model(way):
    if way == "from scratch":
        return models.resnet18(weights=None, num_classes=classes)
    model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
    return replace_head(model, num_classes=classes)


torch.manual_seed(0)
seconds_an_epoch, histories = {}, {}
for way, rate in (("fine-tune everything", 1e-3), ("from scratch", 3e-3)):
    histories[way] = fine_tune(new_model(way), transform, train, epochs=2, lr=rate, device=device)
    seconds_an_epoch[way] = histories[way].total_seconds / 2
    print(f"{way}: {seconds_an_epoch[way]:.1f} seconds an epoch")

# %% [markdown]
# **Commit before you look.** By how many points will the head alone be ahead of training from scratch, when that may train
# for 30 epochs? (A negative number if it is behind.)

# %%
commit("head-ahead-of-scratch")

# %% [markdown]
# ## The result
#
# Accuracy on 400 test pictures that no way has seen, against seconds of training on your computer. Each point is the mean of the
# seeds, and its bar goes from the worst to the best. To the left is fast, up is good.

# %% tags=["nbval-ignore-output"]
curves = {}
for way in ("head only", "fine-tune everything", "from scratch"):
    points = []
    for epochs in sorted({run["epochs"] for run in runs if run["way"] == way}):
        seconds = seconds_head if way == "head only" else epochs * seconds_an_epoch[way]
        points.append((seconds, values(runs, "accuracy", way=way, epochs=epochs)))
    curves[way] = points


def mean(numbers):
    return sum(numbers) / len(numbers)


# %% tags=["nbval-ignore-output"]
def show_result():
    told = [
        f"{way}: {mean(found):.0%} in {seconds:.0f} s" for way, points in curves.items() for seconds, found in points
    ]
    accuracy_by_seconds(curves, alt="Accuracy against seconds of training. " + ", ".join(told) + ".")
    print(f"{'way':22} {'seconds here':>12} {'accuracy':>9}   worst to best (stored)")
    for way, points in curves.items():
        for seconds, found in points:
            print(f"{way:22} {seconds:12.1f} {mean(found):9.1%}   {min(found):.1%} to {max(found):.1%}")
    return round(100 * (mean(curves["head only"][-1][1]) - mean(curves["from scratch"][-1][1])), 1)


reveal("head-ahead-of-scratch", show_result)

# %% [markdown]
# What follows from it? Let the program read it, so that the sentences are true on your machine too:

# %% tags=["nbval-ignore-output"]
head_seconds, head_found = curves["head only"][0]
caught_up = [seconds for seconds, found in curves["from scratch"] if mean(found) >= mean(head_found)]
last_seconds, last_found = curves["from scratch"][-1]
if caught_up:
    print(f"From scratch catches up with the head after {caught_up[0] / head_seconds:.0f} times its seconds.")
else:
    print(
        f"From scratch has not caught up with the head after {last_seconds / head_seconds:.0f} times its seconds:",
        end=" ",
    )
    print(f"{mean(last_found):.1%} against {mean(head_found):.1%}.")
best = max(curves, key=lambda way: max(mean(found) for _, found in curves[way]))
print(f"Most accurate of all: {best}, {max(mean(found) for _, found in curves[best]):.1%}.")

# %% [markdown]
# So pre-training did not make something possible here that is impossible without: 500 drawings are enough to learn cats and dogs from
# nothing, if one has the time. It made it cheap. And fine-tuning, which starts where the head starts, ends above both.
#
# One more way has been stored: the head alone once more, but on **EfficientNet-Lite0**, the ImageNet network of lesson 00, with the same drawings
# at 224 pixels.

# %%
for way in ("head only", "head only, EfficientNet-Lite0"):
    found = values(runs, "accuracy", way=way)
    print(f"{way:32} {mean(found):.1%}   ({min(found):.1%} to {max(found):.1%})")

# %% [markdown]
# Nothing was changed but the network whose features are kept. Which pre-trained model you start from can matter more than how long
# you train; lesson 07 is about that choice.
#
# And what does your new head look at? Occlusion, from lesson 03, for six test pictures. Above each stands its answer, and behind
# it the truth:

# %% tags=["nbval-ignore-output"]
model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
install_head(model, head)
looked_at = test.images[:6]
six = torch.stack([transform(image) for image in looked_at])
with torch.no_grad():
    its_answers = model(six).argmax(dim=1).tolist()
maps = occlusion_map(model, six, its_answers)
titles = [
    f"{test.categories[a]} ({test.categories[label]})" for a, label in zip(its_answers, test.labels, strict=False)
]
show_maps(
    looked_at,
    maps,
    titles,
    alt="Six pictures with the head's answer and the truth, and below each the same in grey, bright where hiding it costs the answer.",
)

# %% [markdown]
# Bright is what the answer cannot do without. Look whether that is the animal or the wall behind it, above all where the answer is
# wrong: a head that judges by the wall is right only as long as the walls stay the same.

# %% [markdown] covers=["S8", "S12"]
# Three things to take along, whatever your numbers are:
#
# - A bar from the worst to the best of a few seeds is a rough measure. With 400 test pictures chance alone moves a result by
#   a point or two.
# - Time is a **cost**, accuracy is a **quality**. No way wins on both by law; you choose what you can afford.
# - Accuracies were stored, seconds were measured here. On a computer that does other things meanwhile, the seconds grow.
#
# The first two epochs of each, as you have just run them, show the head start:

# %% tags=["nbval-ignore-output"]
show_history(
    histories,
    alt="Training loss and accuracy in two epochs. The pre-trained network starts with a lower loss and a higher accuracy "
    "than the one with random weights.",
)

# %%
ask("price-of-the-cache")

# %% [markdown]
# ## How many pictures does the head need?
#
# Training a head is so cheap that you can ask this question before you collect *more* pictures.

# %% tags=["nbval-ignore-output"]
model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
features, labels = extract_features(model, transform, train, device=device)
test_features, test_labels = extract_features(model, transform, test, device=device)

scores = {}
for count in (20, 50, 100, 200, len(train.images)):
    scores[f"{count} pictures"] = []
    for draw in range(5):
        chosen = torch.randperm(len(labels), generator=torch.Generator().manual_seed(draw))[:count]
        head, _ = fit_head(features[chosen], labels[chosen], num_classes=classes, epochs=100, seed=draw)
        scores[f"{count} pictures"].append(accuracy(test_labels, head(test_features).argmax(dim=1)))

# %% tags=["nbval-ignore-output"]
show_bars(
    scores,
    alt="Test accuracy of the head alone for more and more training pictures, five draws each: the mean rises, most "
    "steeply at the beginning, and the draws come closer together.",
)

# %% [markdown]
# Each dot is one draw of that many pictures. Look how far apart the dots of few pictures lie: with 20 pictures, which ones you happen to have
# matters more than anything else. Look also where the bars stop growing.

# %% [markdown] covers=["S76"]
# ## Did we need training at all?
#
# For cats and dogs there is an even cheaper way. The network already knows breeds of dogs and kinds of cats; add up
# their probabilities, and compare.

# %%
CATS = {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}
DOGS = {
    "Chihuahua",
    "Yorkshire terrier",
    "golden retriever",
    "Labrador retriever",
    "German shepherd",
    "standard poodle",
}
names = weights.meta["categories"]
cats = [index for index, name in enumerate(names) if name in CATS]
dogs = [index for index, name in enumerate(names) if name in DOGS]
print(len(cats), "kinds of cat and", len(dogs), "breeds of dog among", len(names), "categories")

# %% tags=["nbval-ignore-output"]
model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
logits, labels = evaluate(model, transform, test, device=device)
probabilities = logits.softmax(dim=1)
dog_score = probabilities[:, dogs].sum(dim=1) - probabilities[:, cats].sum(dim=1)
says_dog = dog_score > 0
print(f"no training at all: {accuracy(labels, says_dog.long()):.1%} right")

# %% [markdown]
# Hardly more than guessing. **Commit to an answer first.** Does the network know nothing about drawn cats and dogs?
#
# - (a) It knows nothing; a drawing is no photo.
# - (b) It knows something, but the number hides it.

# %% tags=["nbval-ignore-output"]
from sklearn.metrics import roc_auc_score

middle = dog_score.median()
print(f"it says dog for {says_dog.float().mean():.1%} of the pictures; dogs are {labels.float().mean():.1%}")
print(f"a dog gets a higher score than a cat in {roc_auc_score(labels, dog_score):.0%} of all pairs")
print(f"with the threshold at the middle score: {accuracy(labels, (dog_score > middle).long()):.1%} right")

# %% [markdown]
# It is (b). The network calls nearly every drawing a dog: there are more breeds of dog than kinds of cat among its names, and their
# probabilities add up. So the *threshold* is in the wrong place. But the *order* is not random: take a dog and a cat, and the dog has
# the higher score clearly more often than not. A threshold at the middle score needs no label, only the knowledge that half of the
# pictures are dogs, and is right much more often. Lesson 06 has more on thresholds.
#
# For photos of things that a network knows by name, this way is worth a try. For categories that it has never heard of, like the
# parts of a machine, it is closed.

# %% [markdown]
# ## Mistakes that train without a message
#
# **The optimizer was built before the new head.** It holds the old head's numbers, which nobody uses any more:

# %%
model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # too early
replace_head(model, num_classes=classes)
before = find_head(model).layer.weight.clone()
criterion(model(batch), torch.tensor(train.labels[:8])).backward()
optimizer.step()
print("the new head has moved:", not torch.equal(before, find_head(model).layer.weight))

# %% [markdown]
# **A softmax before `CrossEntropyLoss`.** The loss applies its own softmax, so give it logits. With two of them in a
# row, even a perfect answer is punished:

# %%
perfect = torch.tensor([[100.0, -100.0]])
print(f"logits:        {criterion(perfect, torch.tensor([0])).item():.4f}")
print(f"probabilities: {criterion(perfect.softmax(dim=1), torch.tensor([0])).item():.4f}")

# %%
ask("nothing-left-to-train")

# %% [markdown]
# ## What you now know
#
# - **Transfer learning** is the umbrella; **feature extraction** trains a new head on a still backbone, **fine-tuning**
#   lets pre-trained weights learn on.
# - Replacing the head does not freeze anything. Freezing means gradients off **and** BatchNorm in eval mode.
# - On a frozen backbone every picture has to be seen only once: `extract_features`, then `fit_head`.
# - Training from scratch comes near with many more epochs; what pre-training buys is time, and for fine-tuning accuracy too.
# - A poor accuracy can be a poor threshold. Look at the order of the scores before you say that a network knows nothing.
#
# Your guesses, and what was measured:

# %%
guesses("05")

# %% [markdown]
# ## Where to practise
#
# - The graded assignment **ps1-heads** (in `exercises/release/`, or from your instructor): find, replace and freeze the heads
#   of models that you have not met here.
# - The graded assignments **quiz-1** (fifteen questions, most on lessons 00 to 05), **quiz-3** (heads and fine-tuning) and
#   **ps3-fine-tuning** (an experiment on 500 pictures).
# - `ask("labels-from-one")`, `ask("title-says-last-layer")`, and `progress()`, which draws how far you are.
# - Run this lesson with pictures of your own (`MY_PICTURES`). What does the head get right with 20 of each kind?
#
# [Next: is it any good?](06_is_it_any_good.ipynb)
