# %% [markdown]
# # Start here: a first prediction in two minutes
#
# **After this lesson you can**
#
# - run a notebook and tell whether your set-up works,
# - let a pre-trained model name what is in a photo,
# - say what such a model saves you, with a number measured on your own computer,
# - train a last layer for a new task on forty pictures, and say what made so few enough,
# - find your way through the course.
#
# **Time:** 35 minutes. **You need:** a little Python; PyTorch is explained as you go.

# %% [markdown]
# ## Does everything work here?
#
# A notebook is text with *cells* of Python in between. Click the cell below, then press **Shift + Enter**: it runs, its
# output appears under it, and the next cell is selected. Go through every lesson that way, from top to bottom.

# %% tags=["nbval-ignore-output"]
import sys

import torch
import torchvision

from course_utils import describe_device

print("Python     ", sys.version.split()[0])
print("torch      ", torch.__version__)
print("torchvision", torchvision.__version__)
print("computes on", describe_device())

# %% [markdown]
# Four lines without an error: you are ready. The last line is the **device**, the part of your computer that does the
# arithmetic. A graphics card (`cuda`, or `mps` on a Mac) is faster, but a plain processor (`cpu`) is enough for the whole
# course.
#
# If you saw an error instead, open a terminal in the folder of the course and run
# `python -m course_utils doctor`. It checks everything a lesson needs and says what to do.

# %% [markdown] covers=["S1", "S14"]
# ## Your first prediction
#
# A **pre-trained model** is a neural network that somebody has already trained on a large collection of labelled
# pictures. What it learned is stored in its **weights**: millions of numbers in a file. You load the file, and
# the network knows what it knew then.

# %%
from course_utils import load_pretrained, predict, sample_images

model, weights = load_pretrained("efficientnet_lite0")

# %% [markdown] covers=["S7"]
# The printed line says which weights you have; `load_pretrained` always does. You will meet weights from three places:
#
# - **EfficientNet-Lite0**, the one above: trained by Google on ImageNet, 1000 categories. It was installed together with the
#   course, so it needs no network.
# - **torchvision's own weights**, for eighty networks. They come from the internet, once. Where the internet cannot be
#   reached, lessons say so and go on without.
# - **The course's own ResNet-18**: 200 categories, small pictures, weaker. It comes with the course too, and is small enough to
#   be *trained further* on any computer. From lesson 04 on you work on that one.
#
# `efficientnet_lite0` is the name of the network's *architecture*: how its layers are arranged.
#
# Here is a photo that the model has never been trained on:

# %%
from course_utils.plots import show_images

photos = sample_images()
photo = photos["coffee"]

show_images([photo.image], alt=photo.description)
print(photo.source)

# %% [markdown]
# **Commit to an answer first.** You have written no line of training. What will the model say about this photo?
#
# - (a) Nothing useful, it must see some of your photos first.
# - (b) One word, the right one.
# - (c) A list of words, each with a number.
#
# Say your answer aloud or write it down, then run the cell.

# %%
answers = predict(model, weights, photo.square)[0]

for answer in answers:
    print(answer)

# %% [markdown]
# It is (c): the five most likely of its categories, the likeliest first, each with a share of the model's confidence. Below
# is the same answer as a figure: the part of the photo that the model was given, and a bar for each of the five.

# %%
from course_utils.plots import show_predictions

five = ", ".join(str(answer) for answer in answers)
show_predictions(
    photo.square,
    answers,
    alt=f"A cup of coffee, and beside it a bar for each of the five answers: {five}.",
)

# %% [markdown]
# That was your first prediction. Loading took one line and the answer another.
#
# Now meet a limit, too. In the next cell the model sees an astronaut and a photographer. **Commit to an answer first.** What will a model
# say about something that it has *no category* for?
#
# - (a) "I do not know."
# - (b) Something else, from the list that it has.

# %%
titles = []
for name in ("astronaut", "photographer"):
    answer = predict(model, weights, photos[name].square, k=1)[0][0]
    known = name in weights.meta["categories"]
    print(f"{name}: is there such a category? {known}. First answer: {answer}")
    titles.append(f"{name}\nanswer: {answer.label}")

# %%
show_images(
    [photos["astronaut"].square, photos["photographer"].square],
    titles,
    alt="Left: " + photos["astronaut"].description + " Right: " + photos["photographer"].description,
)

# %% [markdown]
# It is (b). A classifier **always answers with one of its own categories**, also where none of them fits. It cannot say
# "none of these": its numbers only share out 100 % among the names it has. Sometimes it names another thing in the
# photo, sometimes something that is not there. Look at the figure and judge which of the two happened.

# %% [markdown] covers=["S4", "S5", "S6", "S12", "S19"]
# ## What did that one line save?
#
# Suppose you wanted this model and nobody had trained it. You would need pictures, for ImageNet 1.28 million of them, sorted
# by people into 1000 categories. Then the network would look at each picture, compare its answer with the label,
# correct all its weights by a hair's breadth, and go through the whole collection again. The recipe that torchvision
# publishes for ResNet-18 goes through it 90 times (each time is called an *epoch*).
#
# How many days would *your* computer be busy with it? Commit to a number before you measure: write it into the field, and press the button.
# (Your guesses are kept on this computer only, and shown to you at the end of the lesson.)

# %%
from course_utils import commit, guesses, reveal

commit("days-for-imagenet")

# %% [markdown]
# The next cell prepares such a training, the one after it measures a few steps and multiplies.

# %%
import time

from course_utils import get_device

device = get_device()
batch_size = 128 if device.type == "cuda" else 16  # a picture costs less in company; lesson 03 measures how much less
untrained = torchvision.models.resnet18(weights=None).to(device)
# Random dots cost as much time as photos do.
pictures = torch.rand(batch_size, 3, 224, 224, device=device)
labels = torch.zeros(batch_size, dtype=torch.long, device=device)


def training_step():
    loss = torch.nn.functional.cross_entropy(untrained(pictures), labels)
    loss.backward()  # how should each weight change?
    return loss.item()


# %% tags=["nbval-ignore-output"]
training_step()  # the first step also sets things up, so it does not count
start = time.perf_counter()
training_step()
training_step()
seconds = (time.perf_counter() - start) / (2 * batch_size)

days = seconds * 1_281_167 * 90 / (60 * 60 * 24)


def show_days():
    print(f"{1000 * seconds:.1f} milliseconds for a picture on {describe_device(device)}")
    print(f"{days:,.0f} days for 1,281,167 pictures, 90 times")
    return round(days)


reveal("days-for-imagenet", show_days)

# %% tags=["nbval-ignore-output"]
start = time.perf_counter()
load_pretrained("efficientnet_lite0", quiet=True)
print(f"{time.perf_counter() - start:.1f} seconds to load what somebody has already trained")

# %% [markdown] covers=["S11"]
# Compare the two results. On a plain processor it is months or years; a fast graphics card may need a week. And the days are only the
# machine's part: collecting and labelling a million pictures comes before, and a mistake in labels or settings is often found when the days are over.

# %%
from course_utils import ask

ask("labelling-imagenet")

# %% [markdown]
# ## Two ways to use what it knows
#
# torchvision is a library of networks that have been trained already. The cell asks three of its entries what they were
# trained for and how large they are (it downloads nothing), and draws what you can do with any of them.

# %% covers=["S18"]
from torchvision import models

from course_utils.plots import show_flow

entries = []
for name in ("resnet50", "vgg16", "mobilenet_v2"):
    meta = models.get_model_weights(name).DEFAULT.meta
    [dataset] = meta["_metrics"]
    names = f"{len(meta['categories']):,} categories"
    entries.append(f"{name}\n{meta['num_params'] / 1e6:.1f} M weights\n{meta['_file_size']:.0f} MB to load")
    print(f"{name:13} {dataset}, {names}, {meta['num_params']:,} weights")

show_flow(
    [
        [f"{dataset}\nlong training,\npaid for once"],
        entries,
        [f"use as it is\nits {names}", "build on it\nyour categories"],
    ],
    marked=entries,
    alt=f"From {dataset}, arrows lead to three trained networks: {'; '.join(entries)}. From each of the three, one arrow leads to "
    f"'use as it is, its {names}' and one to 'build on it, your categories'.".replace("\n", ", "),
)

# %% [markdown] covers=["S10", "S13", "S18", "S25", "S26", "S42"]
# Three networks of different size, one origin, and for each of them the same two ways on:
#
# - **As it is.** You did this above. It works when the model's categories answer your question.
# - **As a start.** A farmer's photo of a sick leaf fits none of the categories. But to tell an espresso from a poodle, the
#   network had to learn to see edges, textures and shapes, and leaves have those too. What it computes from a picture before
#   its last layer is called **features**. Keep them, and replace the last layer with one for *your* categories.
#
# Using what was learned on one task for another is called **transfer learning**. It has two forms: keep the learned
# layers as they are and train only a new last layer (**feature extraction**), or let some or all of the learned layers change a
# little too (**fine-tuning**). You will read "transfer learning or feature extraction?" as if they were opposites; the second
# is one kind of the first.

# %%
ask("which-is-transfer")

# %% [markdown] covers=["S10", "S42"]
# ## Forty pictures, a few seconds
#
# Let us try the second way. A publisher wants its drawings of pets sorted into cats and dogs. It has **forty** with labels,
# and you have the course's ResNet-18, which was trained on photos and has never seen a drawing of these.

# %%
from course_utils import doodle_pets, extract_features, fit_head

photo_network, preset = load_pretrained("resnet18", "course")
torch.manual_seed(0)
nobody = models.resnet18(weights=None).eval()  # the same layers, full of random numbers

drawings = doodle_pets(40, seed=0)
unseen = doodle_pets(200, seed=1000)  # others, to test with
show_images(
    drawings.images[:10], alt="Ten of the forty drawings, cats and dogs in turn, different in fur, pose and background."
)

# %% [markdown]
# No learned layer will change. Only a new last layer is trained, on the features of the forty. How many of 200 *other* drawings
# will it sort correctly?

# %%
commit("forty-drawings")

# %%
start = time.perf_counter()
head, _ = fit_head(*extract_features(photo_network, preset.transforms(), drawings), num_classes=2)
seconds_head = time.perf_counter() - start


def right_with(network, draw):
    labelled = doodle_pets(40, seed=draw)
    head, _ = fit_head(*extract_features(network, preset.transforms(), labelled), num_classes=2)
    features, labels = extract_features(network, preset.transforms(), unseen)
    return (head(features).argmax(dim=1) == labels).float().mean().item()


# Three times, with other forty drawings each: one result could be luck.
right = {"trained on photos": [right_with(photo_network, draw) for draw in range(3)]}
right["random numbers"] = [right_with(nobody, draw) for draw in range(3)]

# %% covers=["S9", "S15"] tags=["nbval-ignore-output"]
from course_utils.plots import show_bars


def show_right():
    print(f"{len(drawings)} labels, {seconds_head:.1f} seconds of training; from nothing: {days:,.0f} days")
    told = ", ".join(f"{name} {sum(shares) / 3:.0%}" for name, shares in right.items())
    print(f"sorted right, mean of three draws: {told}")
    show_bars(right, f"Share of 200 unseen drawings sorted right, mean of three draws: {told}.", label="sorted right")
    mean = sum(right["trained on photos"]) / 3
    if mean < 0.6:
        return "about half, as by tossing a coin"
    return "more than two thirds" if mean < 0.97 else "all of them"


reveal("forty-drawings", show_right)

# %% [markdown] covers=["S9", "S15"]
# Forty labels and seconds made a program that sorts drawings: not perfectly, but far better than a coin. The drawings alone did not do it: with random numbers in the same
# layers, the same forty hardly help. What made them enough came from *other* pictures, in the file of weights.
#
# That is why pre-trained weights matter. Good image recognition was long for those who had a million pictures, the machines and the time. With
# weights to start from, a clinic, a workshop with a robot or an artist can begin with the pictures they have. Whether the
# result is good enough for *them*, only their own test pictures tell. Lesson 05 does this properly, with 500 drawings and fair rivals.

# %%
ask("what-made-forty-enough")

# %% [markdown] covers=["S17", "S43"]
# ## Like an experienced person, up to a point
#
# People learn like this as well. A cook who moves to another restaurant learns the new menu in a week, because
# knives, heat and taste need no second apprenticeship. You have just seen the same with forty drawings: experience made the
# difference.

# %%
ask("experience-is-weights")

# %% [markdown] covers=["S43"]
# How far does the comparison carry? **Commit to an answer first.** Here are four of the photos, changed. You will recognise each of them. In how many will the
# model still say what it said before?

# %% covers=["S43"]
from PIL import ImageFilter, ImageOps

changed = {
    "cat, in negative": ("cat", ImageOps.invert),
    "rocket, in negative": ("rocket", ImageOps.invert),
    "coffee, in outline": ("coffee", lambda square: square.filter(ImageFilter.CONTOUR)),
    "photographer\nupside down": ("photographer", lambda square: square.rotate(180)),
}
squares, titles = [], []
for title, (name, change) in changed.items():
    before, after = photos[name].square, change(photos[name].square)
    first, second = (answers[0].label for answers in predict(model, weights, [before, after], k=1))
    print(f"{name:13} {first:14} -> {second}")
    squares.append(after)
    titles.append(f"{title}\n{second}")

# %%
told = "; ".join(titles).replace("\n", ", ")
show_images(squares, titles, alt=f"Four changed photos, each with the model's answer: {told}.", columns=4)

# %% [markdown] covers=["S43"]
# One of the four, the cat. A cup in outline is a cup for you, because you know what such things *are*. The network has
# numbers that worked on the pictures it was shown, and those were upright and in natural colours. So its experience helps as
# long as your pictures look like those. Which changes it bears, nobody can tell without trying.

# %%
ask("where-experience-ends")

# %% [markdown] covers=["S44"]
# ## Like a library, up to a point
#
# A programmer who imports a tested library does not write it again, and you imported a trained network just so, in one line.
# Now look *into* both: into the function of the library Pillow that made the negatives, and into the layer that you have trained.

# %% covers=["S44"] tags=["nbval-ignore-output"]
import inspect

print(inspect.getsource(ImageOps.invert))
print("numbers in the new layer:", head.weight.numel())
print("the first five:", *(f"{number:.3f}" for number in head.weight[0, :5]))

# %% [markdown] covers=["S44"]
# Even without knowing Pillow you find the one line that matters: a list from 255 down to 0, so black becomes white. Code says what it
# does, for every input. The numbers of the layer say nothing. What a network does on a picture
# that nobody has tried, you learn by trying. (The pattern itself is everywhere: lesson 10 loads the same weights in another library.)

# %%
ask("like-importing-a-library")

# %% [markdown] covers=["S2", "S3"]
# ## When is it worth a try?
#
# You will read of four occasions for a pre-trained model:
#
# 1. you have few labels,
# 2. your task resembles the one it was trained for,
# 3. you have no large computer,
# 4. you need a translator between languages, quickly.
#
# The forty drawings were the first three at once: few labels, pets as in its photos, and your own computer. Now the fourth. A
# network for pictures takes no text, but one can take a photo of a menu. **Commit to an answer first.** What
# will it say about this one, in Polish?

# %% covers=["S3"]
from PIL import Image, ImageDraw, ImageFont

menu = Image.new("RGB", (224, 224), "white")
words = "zupa pomidorowa\nkotlet schabowy\nkompot"  # tomato soup, pork cutlet, stewed fruit
ImageDraw.Draw(menu).text((16, 60), words, fill="black", font=ImageFont.load_default(22))

answers = predict(model, weights, menu)[0]
five = ", ".join(str(answer) for answer in answers)
show_predictions(
    menu, answers, alt=f"A white menu with three dishes in Polish, and a bar for each of the five answers: {five}."
)

# %% [markdown] covers=["S2", "S3", "S39"]
# It names things that the *picture* resembles a little, and is sure of none. To this model, words are lines on white. So the fourth
# occasion does not belong in the list: translating takes a model that was pre-trained on **text**. The idea carries
# over, the weights do not.
#
# | You have | What a pre-trained model gives you | Lesson |
# |---|---|---|
# | a picture, and a question that its categories can answer | an answer now, without training | 03 |
# | a few hundred labelled pictures of your own | features to train a new last layer on | 05 |
# | no graphics card | the costly part of the training, already paid for | 05 |
# | many pictures and a graphics card | a better start for training the whole network | 05 |
# | pictures that look like nothing in its training (X-rays, satellites) | perhaps little: train both ways and compare | 08 |
# | text to translate, sound, tables | nothing: these models take pictures | none |
#
# The fifth row is the one to remember when you hear "always" or "never". How much a pre-trained model helps
# on unusual pictures is a question for a measurement.

# %%
ask("not-a-vision-task")

# %% [markdown] covers=["S8"]
# ## A line that you will meet, and that does not exist
#
# Many introductions sketch the idea like this: `model = load_pretrained("ResNet")`, then
# `model.fine_tune(small_dataset, epochs=5)`, or `model.train(large_dataset, epochs=100)`. It is a sketch, not PyTorch.
# (The `load_pretrained` that you used is a helper of this course; lesson 01 opens it.)
#
# **Commit to an answer first.** PyTorch models do have a method called `train`. What happens here?

# %% tags=["raises-exception"]
model.train(photos, epochs=5)

# %% [markdown]
# An error in a notebook looks like this. Read it **from the bottom**: the last line says what went wrong, the arrow above it
# where. The notebook has not broken; the next cell runs as if nothing had happened.
#
# And the reason: `train` is a **switch**, not a training loop: `model.train()` makes the layers behave as they do during training, and
# `model.eval()` puts them back to normal use. Nothing is learned by it. It takes no pictures, hence the error.
#
# The real thing is not much longer than the sketch. In lesson 05 it looks like this, and there you will know each line:
#
# ```python
# # Look at each picture once, then train a new last layer on what was seen.
# features, labels = extract_features(model, weights.transforms(), pictures)
# head, history = fit_head(features, labels, num_classes=2)
# ```

# %%
model.eval()
print("in train mode?", model.training)

# %% [markdown] covers=["S32", "S33", "S34", "S35"]
# ## Four things people say
#
# True or false? Write down four letters before you go on. You will test each of them yourself.
#
# 1. "Asking for pre-trained weights downloads them every time." → lesson 01
# 2. "All the weights in torchvision come from ImageNet." → lesson 01
# 3. "A picture must have exactly the size the model was trained with, or you get an error." → lesson 02
# 4. "Fine-tuning means training the whole network again." → lesson 05

# %% [markdown]
# ## Where this stands, and the map
#
# What should one know before, and what comes after? The cell takes the photo from the beginning through all stations of
# this course, and draws them.

# %% covers=["S16"]
from course_utils import replace_head

batch = preset.transforms()(photo.square)[None]
own = replace_head(load_pretrained("resnet18", "course", quiet=True)[0], num_classes=2)
learned = sum(parameter.numel() for parameter in own.parameters())
new = sum(parameter.numel() for parameter in own.fc.parameters())
stations = [
    [f"tensors\na photo: {tuple(batch.shape)}", f"neural networks\n{len(list(own.parameters()))} tensors of weights"],
    [f"pre-trained model\n{photo_network(batch).shape[1]} scores"],
    [f"feature extraction\n{new:,} weights learn", f"fine-tuning\nup to {learned:,}"],
    [f"model of your own\n{own(batch).shape[1]} scores"],
]
told = "; then ".join(" and ".join(column) for column in stations).replace("\n", ", ")
show_flow(
    stations,
    marked=stations[1],
    alt=f"What builds on what, from left to right: {told}. The pre-trained model is marked.",
)

# %% [markdown] covers=["S16"]
# To the left stands what a pre-trained model is made of: **tensors** (arrays of numbers, such as your photo) and **networks** of
# layers that compute with them. A first idea of both is enough, and lessons 01 to 03 use them from the start. To the right stands what
# it is good for: **transfer learning** in its two forms, and in the end a model of your own.

# %%
ask("what-builds-on-what")

# %% [markdown]
# | Lesson | The question | Minutes |
# |---|---|--:|
# | **00 Start here** | Does it work, and what is it good for? | 35 |
# | [01 Loading weights](01_loading_weights.ipynb) | What is in the file, and how do I get the right one? | 40 |
# | [02 Preprocessing](02_preprocessing.ipynb) | What happens to a picture before the model sees it, and what if I forget a step? | 40 |
# | [03 Inference](03_inference.ipynb) | How do scores become answers, fast and right? | 55 |
# | [04 `fc` versus `classifier`](04_fc_versus_classifier.ipynb) | Where is the last layer, and how do I replace it? | 45 |
# | [05 Fine-tuning the last layer](05_fine_tuning_the_last_layer.ipynb) | Does pre-training pay on my own few pictures? | 60 |
# | [06 Is it any good?](06_is_it_any_good.ipynb) | What does a good number hide, and how do I find out? | 75 |
# | [07 Choosing a model](07_choosing_a_model.ipynb) | Which of eighty models fits my budget? | 50 |
# | [08 Deeper than the last layer](08_deeper_than_the_last_layer.ipynb) | How much more should learn, how fast, and what moves without a word? | 75 |
# | [09 Shipping it](09_shipping_it.ipynb) | How do I make it small, fast and safe to open? | 60 |
# | [10 The same in Keras](10_the_same_in_keras.ipynb) | Which of my habits fail in the other library? | 55 |
# | [Appendix: the heads of all 80](11_appendix_eighty_heads.ipynb) | Does the rule of lesson 04 hold for every model? | 20 |
#
# Each lesson builds on the ones before it.

# %% [markdown]
# ## How to work with a lesson
#
# 1. **Commit to an answer** where the text asks for it, before you run the cell. A wrong guess that you made is worth more
#    than a right answer that you read: you will remember the difference.
# 2. **Run** the cell and compare. Then change something and run it again; you cannot break anything. When in doubt, choose
#    *Kernel → Restart Kernel* and run from the top.
# 3. **Check yourself** with the questions in between. They are for practice, and as many tries as you like are fine.
#
# No mouse needed:
#
# | Keys | What they do |
# |---|---|
# | **Shift + Enter** | run this cell, go to the next |
# | **Ctrl + Enter** | run this cell, stay |
# | **Esc**, then **↑ ↓** | leave the cell, walk through the notebook |
# | **Enter** | write in the selected cell |
# | **Tab** while writing | complete a name |
# | **Shift + Tab** after a name | show its documentation |
# | **Esc**, then **A** or **B** | new cell above or below |
# | **Esc**, then **0 0** (zero, twice) | restart the kernel |
# | **Tab**, **Space** in a question | go to the next button, press it |
#
# A question can also be answered in code, which works everywhere: `check("what-stays-yours", "b")`. And
# `hint("what-stays-yours")` gives one step of help. Try it with the next question.

# %%
ask("what-stays-yours")

# %%
from course_utils import hint

hint("what-stays-yours")

# %% [markdown]
# ## What you now know
#
# - A pre-trained model is an **architecture** plus **weights** that were trained on many labelled pictures.
# - One line loads it, one line asks it. It answers with its own categories, always, whether one fits or not.
# - Training it yourself would take the days that your computer worked out above, and a million labelled pictures.
# - You can use it as it is, or build on its **features**: transfer learning. Forty drawings were enough for a useful start.
# - Like a person's, its experience helps with new tasks. Unlike a person, it knows only what looks like its training pictures.
# - `model.train()` trains nothing. It is a switch.
#
# Your guesses, and what was measured:

# %% tags=["nbval-ignore-output"]
guesses("00")

# %% [markdown]
# ## Take your answers with you
#
# Your own computer remembers which questions you have answered. Colab, and other computers that are lent to you for an hour,
# forget it with everything else. Before you leave, run this in a new cell:
#
# ```python
# from course_utils import load_progress, save_progress
#
# save_progress()
# ```
#
# It writes a small file, `my-course-progress.json`, and Colab hands it to your browser as a download. Next time
# `load_progress()` brings the answers back (Colab asks for the file); what you have answered since then stays.

# %% [markdown]
# ## Where to practise
#
# One more question on this lesson waits in the bank: `ask("menu-as-a-photo")`. With
# `from course_utils import progress` and `progress()` you see how far you are. The graded assignment **quiz-1** (in
# `exercises/release/`, or from your instructor) fits after lesson 05.
#
# [Next: Loading weights](01_loading_weights.ipynb)
