# %% [markdown]
# # Fine-tuning the last layer: 500 pictures, three ways
#
# **After this lesson you can**
#
# - give a pre-trained network a new head, and freeze everything else so that it really stays still,
# - train that head in seconds, by looking at each picture only once,
# - compare head only, fine-tuning and training from scratch fairly: same network, same pictures, several seeds,
# - recognise the training mistakes that produce no error message.
#
# **Time:** 40 minutes, of which the cells run for four to eight on a plain processor. **You need:** lessons
# [01](01_loading_weights.ipynb) and [04](04_fc_versus_classifier.ipynb).

# %% [markdown]
# ## Five hundred pictures, a laptop: is that enough?
#
# You are about to train an image classifier in three ways, time each of them, and let the measurements decide. These few
# settings say how long the lesson runs. With a GPU or more patience, raise them.

# %%
import time

import torch
from torch import nn
from torchvision import models

from course_utils import ask, describe_device, doodle_pets, evaluate, get_device, load_pretrained
from course_utils import extract_features, find_head, fit_head, freeze_backbone, install_head, replace_head
from course_utils import fine_tune
from course_utils.grad_cam import grad_cam
from course_utils.plots import accuracy_against_seconds, show_bars, show_grad_cam, show_history, show_images

# %%
PICTURES, TEST_PICTURES = 500, 400
SEEDS = (0, 1, 2)
EPOCHS_FROM_SCRATCH, EPOCHS_FINE_TUNING = 6, 3
SOURCE = "course"  # "imagenet" is better, and on a CPU much slower: its pictures have 12 times the pixels
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
train = doodle_pets(PICTURES, seed=0, size=size)
test = doodle_pets(TEST_PICTURES, seed=1, size=size)
print("train:", train.counts(), " test:", test.counts())

# %%
show_images(
    train.images[:10],
    [train.categories[label] for label in train.labels[:10]],
    alt="Ten drawn pets, cats and dogs in turn, each with its name above: different fur, poses, sizes and backgrounds.",
)

# %% [markdown]
# Ten of the training pictures, each with its category. The test pictures come from another seed: no picture is in both sets.

# %% [markdown] covers=["S13", "S23", "S24", "S25", "S26", "S33", "S42"]
# ## Three words that are often mixed up
#
# **Commit to an answer first.** The last of the four sayings of lesson 00 was: fine-tuning means training the whole network
# again. True or false? And is *feature extraction* something else than *transfer learning*?
#
# - **Transfer learning** is the umbrella: use on one task what a network learned on another.
# - **Feature extraction** is one way to do it: freeze the backbone, train only a new head. The pre-trained weights do
#   not change at all.
# - **Fine-tuning** is the other way: some or all of the pre-trained weights learn on, in small steps.
#
# So the saying is **false**: fine-tuning may touch only a part, and it goes on from what is there instead of starting again.
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
# after it.

# %%
torch.manual_seed(0)  # a new head starts with random numbers; with a seed, you and this page get the same ones
replace_head(model, num_classes=2)
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
# **Commit to an answer first.** We replaced only the head. How many of the network's tensors did this step change?
#
# - (a) the 2 of the head, its weight and its bias
# - (b) all 62

# %%
with_gradient = [name for name, p in model.named_parameters() if p.grad is not None]
print(len(with_gradient), "of", len(list(model.parameters())), "tensors got a gradient and were changed")

# %% [markdown]
# It is (b). Replacing the head decides what the network answers; it does not decide what learns.
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

# %% [markdown] covers=["S36"]
# ## Freezing, and two ways to get it wrong
#
# To train only the head, the rest must stand still. Lesson 04 showed the right order. Here is a mistake of one letter:

# %%
model, weights = load_pretrained("resnet18", SOURCE, quiet=True)
for parameter in model.parameters():
    parameter.require_grad = False  # one letter is missing
print(sum(p.requires_grad for p in model.parameters()), "of 62 tensors are still trainable")

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
# **Commit to an answer first.** How many tensors will have changed?
#
# - (a) none
# - (b) the 2 of the head
# - (c) more

# %%
model.requires_grad_(False)
replace_head(model, num_classes=2)
changed = changed_by_training(model)
print(len(changed), "tensors changed, for example:")
print(*changed[:3], *changed[-2:], sep="\n")

# %% [markdown]
# It is (c). The averages inside BatchNorm (`running_mean`, `running_var`) are no parameters: they follow the data at every forward
# pass in train mode, gradients or not. The backbone drifts away although it is "frozen".
#
# `freeze_backbone` of this course does both: gradients off, and every frozen layer back into eval mode at each forward pass.

# %%
model, weights = load_pretrained("resnet18", SOURCE, quiet=True)
freeze_backbone(replace_head(model, num_classes=2))
print(changed_by_training(model))

# %%
ask("frozen-with-a-typo")

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
head, history = fit_head(features, labels, num_classes=2, epochs=100)
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
# random weights, no transfer at all. `fine_tune` is the ordinary training loop; open `course_utils/training.py` and find in
# it the steps that you took by hand above. It also flips and crops each picture at random, another way in every epoch
# (`augment=True`), which a head on kept features cannot have; that is part of the comparison.
#
# **Commit to an answer first.** Order the three ways by accuracy on the test pictures, and by seconds. Write it down.


# %%
def new_model(way):
    if way == "from scratch":
        return models.resnet18(weights=None, num_classes=2)
    model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
    return replace_head(model, num_classes=2)


EPOCHS = {"from scratch": EPOCHS_FROM_SCRATCH, "fine-tune everything": EPOCHS_FINE_TUNING}

# %% tags=["nbval-ignore-output"]
rows, histories = [], {}
for way in ("fine-tune everything", "from scratch"):
    for seed in SEEDS:
        torch.manual_seed(seed)
        started = time.perf_counter()
        model = new_model(way)
        history = fine_tune(model, transform, train, epochs=EPOCHS[way], lr=1e-3, seed=seed, device=device)
        rows.append((way, time.perf_counter() - started, accuracy_on(model, test)))
        histories[way] = history

# %% tags=["nbval-ignore-output"]
for seed in SEEDS:
    started = time.perf_counter()
    model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
    features, labels = extract_features(model, transform, train, device=device)
    install_head(model, fit_head(features, labels, num_classes=2, epochs=100, seed=seed)[0])
    rows.append(("head only", time.perf_counter() - started, accuracy_on(model, test)))

# %% [markdown]
# ## The result
#
# Each way has one small mark for each seed and a large one for the mean. To the left is fast, up is good.
# Where the times differ more than tenfold, each step along the scale multiplies the seconds.

# %% tags=["nbval-ignore-output"]
ways = dict.fromkeys(name for name, _, _ in rows)
runs = {way: torch.tensor([numbers for name, *numbers in rows if name == way]) for way in ways}  # seconds and accuracy
summary = {way: run.mean(dim=0).tolist() for way, run in runs.items()}
accuracy_against_seconds(
    rows,
    alt="Accuracy on the test pictures against seconds of training. "
    + " ".join(f"{way}: {accuracy:.0%} in {seconds:.0f} seconds." for way, (seconds, accuracy) in summary.items()),
)

# %% tags=["nbval-ignore-output"]
print(f"{'way':22} {'accuracy':>8} {'spread':>8} {'seconds':>8}")
for way, (seconds, accuracy) in summary.items():
    spread = runs[way][:, 1].max() - runs[way][:, 1].min()
    print(f"{way:22} {accuracy:8.1%} {spread:8.1%} {seconds:8.1f}")

# %% [markdown]
# What follows from the table? Let the program read it, so that the sentence is true on your machine too:

# %% tags=["nbval-ignore-output"]
best = max(summary, key=lambda way: summary[way][1])
fastest = min(summary, key=lambda way: summary[way][0])
times = summary["from scratch"][0] / summary["head only"][0]
gain = 100 * (summary["head only"][1] - summary["from scratch"][1])
print(f"most accurate: {best}; fastest: {fastest}")
print(
    f"head only took 1/{times:.0f} of the time of training from scratch and is {abs(gain):.0f} points "
    f"{'better' if gain > 0 else 'worse'}"
)

# %% [markdown]
# And what does the new head look at? Grad-CAM, from lesson 03, for six test pictures and the network with the head of the last seed.
# Above each picture stands its answer, right or wrong:

# %% tags=["nbval-ignore-output"]
looked_at = test.images[:6]
six = torch.stack([transform(image) for image in looked_at])
with torch.no_grad():
    its_answers = model(six).argmax(dim=1).tolist()
cams = grad_cam(model, model.layer3, six, its_answers)
its_names = [test.categories[answer] for answer in its_answers]
show_grad_cam(
    looked_at,
    cams,
    its_names,
    alt="Six drawn pets, and below each the same in grey, bright where it spoke for the answer.",
)

# %% [markdown]
# Look whether it is the animal that lights up, or the wall behind it, and which of the two it is where the answer is wrong. A head that
# judges by the wall is right as long as the walls stay the same. A map that stays dark found nothing in this layer that speaks for the answer.

# %% [markdown] covers=["S8", "S12"]
# Three things to take along, whatever your numbers are:
#
# - *Spread* is the best minus the worst of three seeds, a rough number. With 400 test pictures chance alone moves a result by
#   a point or two, so a small spread can be luck.
# - Time is a **cost**, accuracy is a **quality**. No way wins on both by law; you choose what you can afford.
# - The epochs were chosen so that you do not wait long, and that hurts training from scratch most. Raise
#   `EPOCHS_FROM_SCRATCH` and see how far it gets, and in how many seconds.
#
# The learning curves of the last seed show the head start: it is there from the first epoch on.

# %% tags=["nbval-ignore-output"]
show_history(
    histories,
    alt="Training loss and accuracy by epoch. The pre-trained network starts with a lower loss and a higher accuracy, and "
    "stays ahead of the one with random weights, which begins at little more than 50 percent.",
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
for count in (20, 50, 100, 200, PICTURES):
    head, _ = fit_head(features[:count], labels[:count], num_classes=2, epochs=100)
    scores[f"{count} pictures"] = (head(test_features).argmax(dim=1) == test_labels).float().mean().item()

# %% tags=["nbval-ignore-output"]
show_bars(
    scores,
    alt="Test accuracy of the head alone for 20, 50, 100, 200 and 500 training pictures: it rises with the number of "
    "pictures, most steeply at the beginning.",
)

# %% [markdown]
# Look where the bars stop growing. Each step doubles the pictures or a little more, and the gain gets smaller on the whole. Each
# bar is one draw of pictures, so small steps are chance.

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
logits, labels = evaluate(model, transform, test, device=device)
probabilities = logits.softmax(dim=1)
says_dog = probabilities[:, dogs].sum(dim=1) > probabilities[:, cats].sum(dim=1)
print(f"no training at all: {(says_dog.long() == labels).float().mean():.1%}")

# %% [markdown]
# No labelled picture was needed, and it shows: compare the number with guessing (50 %) and with the head that was trained for
# the task. The network sorts what it sees into its own names, and a drawn cat may land anywhere among them. For photos of
# things that it knows, this way is worth a try. For categories that it has never heard of, like the parts of a machine,
# it is closed.

# %% [markdown]
# ## Mistakes that train without a message
#
# **The optimizer was built before the new head.** It holds the old head's numbers, which nobody uses any more:

# %%
model, _ = load_pretrained("resnet18", SOURCE, quiet=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # too early
replace_head(model, num_classes=2)
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
# - You have measured what each way costs and gives, with the spread over seeds, and you can do it again for your own data.
#
# ## Where to practise
#
# - The graded assignment **ps1-heads** (in `exercises/release/`, or from your instructor): find, replace and freeze the heads
#   of models that you have not met here.
# - The graded assignments **quiz-1** (fifteen questions, most on lessons 00 to 05), **quiz-3** (heads and fine-tuning) and
#   **ps3-fine-tuning** (an experiment on 500 pictures).
# - `ask("labels-from-one")`, `ask("title-says-last-layer")`, and `progress()`, which draws how far you are.
# - Put your own pictures into folders, one for each category, load them with `folder_of_pictures("path")`, and run this
#   lesson with them.
#
# [Next: is it any good?](06_is_it_any_good.ipynb)
