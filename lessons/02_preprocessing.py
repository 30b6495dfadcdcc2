# %% [markdown]
# # Preprocessing: from a picture to numbers
#
# **After this lesson you can**
#
# - prepare a picture exactly as a model's weights expect it, with one line and by hand,
# - say what each step does, and what it costs to forget it, measured,
# - open gray, transparent and turned pictures without surprises,
# - put pictures together in a batch.
#
# **Time:** 40 minutes. **You need:** lesson 01.

# %% [markdown] covers=["S53"]
# ## The recipe comes with the weights
#
# A network learned from pictures of one kind: squares of about one size, as numbers of a certain range. In training the
# crops were random. For use there is a fixed recipe that fits, and each weights entry brings it along.

# %%
from course_utils import load_pretrained, sample_images

model, weights = load_pretrained("efficientnet_lite0")
photos = sample_images()
photo = photos["coffee"].image

# %% [markdown]
# You get the recipe from `weights.transforms`. **Commit to an answer first.** What does the next cell do?
#
# - (a) it returns the prepared photo
# - (b) it raises an error

# %%
import textwrap

try:
    weights.transforms(photo)
except TypeError as error:
    print(textwrap.fill(f"{type(error).__name__}: {error}", 88))

# %% [markdown]
# It is (b). `weights.transforms` *makes* the recipe, and the photo arrived where settings are expected. First make it, then use
# it. torchvision calls the finished recipe a **preset**.

# %%
preset = weights.transforms()
prepared = preset(photo)

print(preset)
print("in: ", photo.mode, photo.size, "whole numbers from 0 to 255")
print("out:", prepared.dtype, tuple(prepared.shape), end=" ")
print(f"numbers from {prepared.min():.2f} to {prepared.max():.2f}")

# %% [markdown]
# PIL, the library that opens pictures in Python, gives a picture's size as (width, height). The tensor that comes out has the
# shape (channels, height, width).
#
# ## Step by step, by hand
#
# Four steps are hidden in the preset. Let us take them one at a time.

# %%
from torchvision import transforms

resize = transforms.Resize(preset.resize_size, interpolation=preset.interpolation)
crop = transforms.CenterCrop(preset.crop_size)
to_tensor = transforms.ToTensor()
normalize = transforms.Normalize(preset.mean, preset.std)

resized = resize(photo)
cropped = crop(resized)
tensor = to_tensor(cropped)
normalized = normalize(tensor)

# %%
from course_utils.plots import show_steps

show_steps(
    {
        "photo": photo,
        "1. resize": resized,
        "2. crop": cropped,
        "3. to tensor": tensor,
        "4. normalise": normalized,
    },
    alt="The coffee cup five times: the wide photo, the same with fewer pixels, the square cut from its "
    "middle, the same square as a tensor, and the normalised square with shifted colours.",
)

# %% [markdown]
# What you see, from left to right, all drawn equally wide, with the true size in pixels below each:
#
# 1. **Resize** scales the picture so that its *shorter* side has the wanted length. The longer one follows, so nothing is
#    distorted.
# 2. **CenterCrop** cuts the square out of the middle. What lies outside is lost. (Some weights resize a little
#    larger than they crop, others do not. Your preset above says what yours do.)
# 3. **ToTensor** turns the picture into a float tensor and divides by 255: numbers from 0 to 1, channels first.
# 4. **Normalize** shifts and scales each colour. For the figure its numbers were squeezed back into visible colours.
#
# **Commit to an answer first.** Is `normalized` the same as what the preset made?
#
# - (a) roughly
# - (b) bit for bit

# %%
import torch

print("equal, bit for bit?", torch.equal(normalized, preset(photo)))

# %% [markdown]
# It is (b). There is no magic in the preset; it is these four steps with the right settings. That is its value:
# the settings differ between weights, and the preset knows them. Compare yours with that of torchvision's ResNet-18 (it can be
# read without a download):

# %%
from torchvision.models import ResNet18_Weights

other = ResNet18_Weights.DEFAULT.transforms()
for setting in ("resize_size", "crop_size", "interpolation", "mean", "std"):
    print(f"{setting:14} {getattr(preset, setting)!s:34} {getattr(other, setting)}")

# %% [markdown]
# Same sizes, another interpolation, another normalisation. **Commit to an answer first.** You prepare pictures for your model with
# the ResNet's preset. What will that cost?
#
# - (a) an error
# - (b) next to nothing: numbers around zero are numbers around zero
# - (c) some of the accuracy
#
# The answer comes with the measurements below.

# %%
from course_utils import ask

ask("preset-order")

# %% [markdown] covers=["S47"]
# ## What Normalize does to a pixel
#
# Take one colour channel. Subtract the **mean** that this channel had in the training pictures, then divide by its **standard
# deviation** (how far values usually lie from the mean). The result says "how unusual is this value?": 0 is average, 1 is
# brighter than average by a usual amount.

# %%
print("channel   mean    std     black pixel becomes   white pixel becomes")
for name, mean, std in zip(("red", "green", "blue"), preset.mean, preset.std, strict=True):
    print(f"{name:8}{mean:6.3f} {std:6.3f} {(0 - mean) / std:15.2f} {(1 - mean) / std:21.2f}")

# %% [markdown]
# So this model expects numbers between -1 and 1. (Most of torchvision's weights use the means of ImageNet's pictures instead, and
# expect numbers from about -2.1 to 2.6. That is why you ask the preset.) Keep the two ends in mind: a look at `tensor.min()`
# and `tensor.max()` is the quickest check of any preprocessing.

# %%
ask("normalized-red")

# %% [markdown]
# The order matters, and so does the kind of thing that goes in. Three mistakes that PyTorch notices:

# %%
import numpy as np

attempts = {
    "normalize(photo), before ToTensor": lambda: normalize(photo),
    "normalize(whole numbers from 0 to 255)": lambda: normalize(transforms.PILToTensor()(photo)),
    "preset(a NumPy array)": lambda: preset(np.asarray(photo)),
}

for mistake, attempt in attempts.items():
    try:
        attempt()
    except TypeError as error:
        print(f"{mistake}\n    TypeError: {error}")

# %% [markdown]
# (One more that you should *not* try: a tensor in the order height, width, channels. The preset reads it as a picture with hundreds
# of channels and may ask for all the memory you have. Tensors are channels first.)
#
# ## The same photo by another road
#
# The preset also takes a tensor of whole numbers from 0 to 255, for example from a video. **Commit to an answer first.** Same photo,
# as PIL picture and as such a tensor. Are the two results the same?

# %%
from_tensor = preset(transforms.PILToTensor()(photo))

print("equal, bit for bit?", torch.equal(prepared, from_tensor))
print(f"largest difference: {(prepared - from_tensor).abs().max():.3f}")

# %% [markdown]
# Not quite: PIL and torch round differently while resizing. For a model this hardly matters, but for your tests it does: compare such
# tensors with a tolerance (`torch.allclose(a, b, atol=0.1)`), never with `==`.
#
# ## What does a mistake cost?
#
# So far, mistakes gave errors. Now to those that give none. Each recipe below has been found in somebody's code:
#
# | recipe | how it happens |
# |---|---|
# | another model's normalisation | the model was exchanged, the preprocessing was not |
# | no normalisation | the line with `Normalize` was lost |
# | 0 to 255 | `torch.from_numpy(pixels).float()`, and nobody divided by 255 |
# | BGR | OpenCV's `cv2.imread` gives blue, green, red |
# | squashed | `Resize((224, 224))` with two numbers: both sides are forced |
# | half the size | the settings of another project |
# | no centre crop | it seemed a pity to cut something off |

# %%
pixels = preset.crop_size[0]
square = [resize, crop]
to_uint8 = transforms.PILToTensor()  # whole numbers from 0 to 255, not divided

recipes = {
    "as trained": preset,
    "another model's normalisation": transforms.Compose(
        [*square, to_tensor, transforms.Normalize(other.mean, other.std)]
    ),
    "no normalisation": transforms.Compose([*square, to_tensor]),
    "0 to 255": transforms.Compose([*square, to_uint8, torch.Tensor.float, normalize]),
    "BGR": transforms.Compose([*square, to_tensor, lambda rgb: rgb.flip(0), normalize]),
    "squashed": transforms.Compose(
        [transforms.Resize((pixels, pixels), interpolation=preset.interpolation), to_tensor, normalize]
    ),
    "half the size": transforms.Compose([preset, transforms.Resize(pixels // 2)]),
    "no centre crop": transforms.Compose([resize, to_tensor, normalize]),
}

# %%
from course_utils.plots import show_images

prepared = {name: recipe(photo) for name, recipe in recipes.items()}
show_images(
    list(prepared.values()),
    [f"{textwrap.fill(name, 18)}\n{picture.min():.1f} to {picture.max():.1f}" for name, picture in prepared.items()],
    alt="The coffee cup after each recipe with the range of its numbers. Blue cup for BGR, "
    "narrow cup for squashed, coarser for half the size, wide picture for no centre crop; the "
    "others look alike.",
    columns=4,
)

# %% [markdown]
# Look at the first four: to your eye they are the same cup. Only the range of the numbers, under each name, gives them away. BGR
# shows a blue cup, *squashed* a narrow one, *half the size* a coarser one, and without the crop it is a wide picture.
#
# **Commit to an answer first.** The photo shows an espresso, and the model has a category `espresso`. Which recipes will still find
# it?

# %%
espresso = weights.meta["categories"].index("espresso")

with torch.inference_mode():
    for name, picture in prepared.items():
        probabilities = model(picture.unsqueeze(0)).softmax(dim=1)[0]
        answer = weights.meta["categories"][probabilities.argmax()]
        print(f"{name:30} espresso {probabilities[espresso]:6.1%}   first answer: {answer}")

# %% [markdown]
# No recipe raised an error or a warning. But one photo is an anecdote: an easy picture may survive a mistake that ruins
# others. We need many.
#
# ### A thousand real pictures
#
# Photos with labels that may be shipped are rare, and running many of them takes minutes. So this has been measured once, by a
# program, and its results are stored with the course: 1,000 validation pictures of Tiny ImageNet, 200 kinds of things at 64 x 64
# pixels, each made wide by mirroring a strip at each side, because real photos are rarely square. The network is the course's
# ResNet-18, which was trained on pictures of that size. Every recipe saw the same pictures.
#
# Which of the mistakes costs most? And how sure will the network be of its answers then?

# %%
from course_utils import commit, guesses, reveal

commit("worst-recipe")

# %%
commit("sure-of-0-to-255")

# %%
from course_utils.plots import show_bars
from course_utils.results import stored_results

stored = stored_results("preprocessing")
print("measured by:", stored["command"])
of_model = {}
for line in stored["runs"]:
    of_model.setdefault(line["model"], {})[line["recipe"]] = line

resnet_lines = of_model["resnet18"]
del resnet_lines["another model's normalisation"]  # for this network it is its own
top1 = {name: line["top1"] for name, line in sorted(resnet_lines.items(), key=lambda item: -item[1]["top1"])}


def show_costs():
    told = ", ".join(f"{name} {share:.0%}" for name, share in top1.items())
    show_bars(
        top1,
        alt=f"Share of {stored['pictures']} real pictures whose first answer of 200 is right, by recipe: {told}.",
        label=f"first answer right, share of {stored['pictures']:,} pictures (stored)",
    )
    return min(top1, key=top1.get)


reveal("worst-recipe", show_costs)

# %%
chance = (top1["as trained"] * (1 - top1["as trained"]) / stored["pictures"]) ** 0.5


def show_table():
    print(f"{'':18} right   lost   mean confidence")
    for name, share in top1.items():
        lost = top1["as trained"] - share
        print(f"{name:17} {share:6.1%} {lost:6.1%} {resnet_lines[name]['confidence']:12.1%}")
    print(f"\nChance alone moves such a number by about ±{chance:.1%}.")
    return round(100 * resnet_lines["0 to 255"]["confidence"], 1)


reveal("sure-of-0-to-255", show_table)

# %% [markdown]
# Read the column *lost*, and remember the column that is not there: errors and warnings. There were none.
#
# - **Wrong numbers** (0 to 255, no normalisation): the first layer gets values that it has never met, and every layer behind it works
#   with what comes out. To you the pictures looked as before.
# - **Wrong colours and shapes** (BGR, half the size, squashed): the thing is still there, but bluer, coarser or narrower than
#   those the network has learned from.
# - **More surroundings** (no centre crop): the network slides its filters over a picture of any width. The thing only takes up a
#   smaller share of what it averages over.
#
# And look at the last column. With numbers from 0 to 255 the network is wrong nearly always, and surer than ever. A confident
# answer is no sign of right preprocessing.
#
# ### Another model's normalisation
#
# You committed to an answer above: what does it cost to prepare pictures for EfficientNet-Lite0 with the numbers of a ResNet? The
# same thousand pictures, now with the 1,000 names of ImageNet to choose from:

# %%
lite_lines = of_model["efficientnet_lite0"]
for name in ("as trained", "another model's normalisation", "half the size"):
    print(f"{name:30} {lite_lines[name]['top1']:6.1%}   mean confidence {lite_lines[name]['confidence']:6.1%}")

# %% [markdown]
# It is (c): nearly half of the right answers are gone, without a word. The preset belongs to the *weights*. Whoever exchanges
# the model has to exchange the preprocessing with it.
#
# (The level is low because these pictures have 64 x 64 pixels and were enlarged to 224: they are blurred, and the network has
# learned from sharp photos. That is also why *half the size* costs nothing here: at 112 pixels they are less blurred. On
# sharp photos it would cost much. A measurement holds for the pictures that it was made on.)
#
# ### Wrong both times?
#
# **Commit to an answer first.** A colleague trains a new last layer for cats and dogs, and forgets the normalisation *both* times:
# in training the last layer and in use. Is that worse or better than forgetting it only in use?
#
# We measure this here and now, with the course's ResNet-18 and drawings of cats and dogs, of which the course can make as many as we
# like. How a new last layer is trained is the subject of lesson 05; here it is only our measuring device.

# %%
from course_utils import accuracy, doodle_pets, extract_features, fit_head

resnet, resnet_weights = load_pretrained("resnet18", "course", quiet=True)
resnet_preset = resnet_weights.transforms()
forgetful = transforms.Compose([transforms.Resize(resnet_preset.crop_size), to_tensor])
train, test = doodle_pets(200, seed=0, size=64), doodle_pets(400, seed=1, size=64)


def features_of(pictures, recipe):
    return extract_features(resnet, recipe, pictures, progress=False)


# %% tags=["nbval-ignore-output"]
results = {}
for in_training, in_use in ((resnet_preset, resnet_preset), (resnet_preset, forgetful), (forgetful, forgetful)):
    head, _ = fit_head(*features_of(train, in_training), num_classes=2, epochs=40)
    test_features, labels = features_of(test, in_use)
    words = ["never" if recipe is forgetful else "yes" for recipe in (in_training, in_use)]
    results[tuple(words)] = accuracy(labels, head(test_features).argmax(dim=1))
    print(f"normalised in training: {words[0]:5}  in use: {words[1]:5}  right: {results[tuple(words)]:.1%}")

best = results["yes", "yes"]
print(f"\nGuessing would give 50 %. Chance moves such a result by about ±{(best * (1 - best) / len(test)) ** 0.5:.1%}.")

# %% [markdown]
# What comes back in the last line comes back because training and use agree again. So the rule is not "normalise because the
# formula says so", but: **prepare pictures in use as the layers know them**. The pre-trained layers learned with this normalisation, and
# you cannot change that any more. So the preset it is, at every place.

# %%
ask("missing-normalize")

# %% [markdown]
# ## Pictures that are not what they seem
#
# Not every file holds red, green and blue. The *mode* of a PIL picture says what it holds: `L` is gray, `RGBA` has an alpha channel
# (how opaque is each pixel?), `CMYK` is made for printing, `P` is a palette with numbered colours. **Commit to an answer
# first:** which of these does the preset accept?

# %%
for mode in ("RGB", "L", "RGBA", "CMYK", "P"):
    try:
        print(f"{mode:5}", tuple(preset(photo.convert(mode)).shape))
    except RuntimeError as error:
        print(f"{mode:5} RuntimeError: {error}")

# %% [markdown]
# Only RGB. Learn to read the others: "shape [1, ...]" is one channel (gray, or a palette), "tensor a (4)" is four. It is
# `Normalize` that complains, because it has three means and meets one channel or four. **The repair is to make the picture
# RGB**, and not to change the means.
#
# `photo = photo.convert("RGB")` is the usual repair. (Mind the assignment: `photo.convert("RGB")` alone changes nothing.) But
# see what it does to a sticker with a transparent ground, and to a photo from a phone. A phone that is held upright often
# saves the picture lying and adds a note "turn me". `open_image` of this course takes care of both:

# %%
from PIL import Image, ImageOps

from course_utils import open_image

horse = photos["horse"].image.convert("L")
sticker = Image.new("RGBA", horse.size, "black")  # black everywhere ...
sticker.putalpha(ImageOps.invert(horse))  # ... and transparent where there is no horse

phone = photo.rotate(90, expand=True)
phone.getexif()[0x0112] = 6  # the note in the file: turn me a quarter to the right

# %%
show_images(
    [sticker.convert("RGB"), open_image(sticker), phone.convert("RGB"), open_image(phone)],
    ["sticker, convert", "sticker, open_image", "phone, convert", "phone, open_image"],
    alt="Four pictures. The sticker after convert is a black rectangle, after open_image a black "
    "horse on white. The phone photo after convert is a coffee cup lying on its side, after "
    "open_image it stands upright.",
    columns=4,
)

# %% [markdown] covers=["S54"]
# Left, the horse has vanished: the transparent pixels were black underneath. Right, the cup lies on its side, and a model trained on
# upright photos has to make do with that. Neither is an error; you only notice when you look. `open_image` puts transparent
# pictures on white and turns photos the right way up.
#
# It also opens web addresses: `open_image("https://...")` says who is asking, as many servers demand, and refuses a web
# page that is no picture. Snippets like `Image.open(requests.get(url, stream=True).raw)` do neither, and fail with a message about
# the picture when the trouble was the server.

# %%
from course_utils import ImageError

page = b"<!DOCTYPE html><title>403 Forbidden</title>"  # what a server may send instead of a picture
try:
    open_image(page)
except ImageError as error:
    print(error)

# %%
ask("gray-photo")

# %% [markdown] covers=["S55"]
# ## Pictures of one size make a batch
#
# Models take **batches**: tensors of shape (pictures, channels, height, width). Lesson 03 shows what they say about a single
# picture. Several are put together by `torch.stack`. Suppose we only resize the wide photo of the cup and a tall one:

# %% tags=["raises-exception"]
tall = photo.rotate(90, expand=True)

torch.stack([to_tensor(resize(photo)), to_tensor(resize(tall))])

# %% [markdown]
# The last line of the traceback shows both shapes: `Resize` with one number fixes the *shorter* side only. In a batch all pictures
# must have one size, and that is the other job of the centre crop. The preset does it:

# %%
batch = torch.stack([preset(photo), preset(tall)])
print(tuple(batch.shape))

# %%
ask("unequal-batch")

# %% [markdown] covers=["S35"]
# ## Must it be exactly the size of training?
#
# The third of the four sayings of lesson 00 was: a picture must have exactly the size that the model was trained with, or you get
# an error. You have already seen *half the size* and *no centre crop* run. **Commit to an answer first:** is that so for
# every architecture?
#
# We try four that were all trained at 224 x 224, on the `meta` device, where PyTorch works out shapes only and does not compute. It takes no memory and needs no
# weights.

# %%
from torchvision import models

sizes = [(64, 64), (160, 160), (224, 224), (224, 320)]
print(" " * 17, *(f"{height} x {width}".ljust(16) for height, width in sizes))
for name in ("resnet18", "vgg16", "efficientnet_b0", "vit_b_16"):
    outcomes = []
    with torch.device("meta"):
        network = models.get_model(name, weights=None).eval()
        for height, width in sizes:
            try:
                network(torch.empty(1, 3, height, width))
                outcomes.append("runs")
            except AssertionError as error:
                outcomes.append(type(error).__name__)
                message = error
    print(f"{name:17}", *(outcome.ljust(16) for outcome in outcomes))

print("\nThe last AssertionError says:", message)

# %% [markdown]
# The saying is **mostly false**. Convolutions slide over any size, and an averaging layer before the last layers brings every map
# to the same shape, so most of torchvision's classifiers run at other sizes, also at some that are not square. The vision
# transformers (ViT) and MaxViT are the exceptions: they cut the picture into a fixed number of pieces.
#
# But running is not being right. You have seen above what half the size costs, with no error to warn you. Stay with the size of
# the preset unless you have measured another.

# %%
ask("any-size")

# %% [markdown]
# ## What you now know
#
# - `preset = weights.transforms()` makes the recipe; `preset(photo)` uses it: resize, centre crop, to tensor, normalise.
# - By hand it gives the same, bit for bit. With other weights the settings differ, and the preset knows them.
# - The preset belongs to the weights: another model's costs accuracy, and no forgotten step raises an error. Look at the range.
# - In use prepare pictures as you did for training your last layer: with the preset, both times.
# - Open pictures as RGB, the right way up, with transparency on white: `open_image`.
# - Models take batches: `torch.stack` puts pictures of equal size together.
# - Most networks run at other sizes, ViT and MaxViT do not, and none promises the same accuracy there.
#
# Your guesses, and what was measured:

# %%
guesses("02")

# %% [markdown]
# ## Where to practise
#
# Spot the bug: `ask("floats-of-255")`, `ask("convert-without-keeping")`, `ask("blue-lion")`. The graded assignments
# **quiz-2** (which fits after lesson 03) and **ps2-preprocessing** (in `exercises/release/`, or from your instructor) have more.
# And try your own photo: `preset(open_image("my_photo.jpg"))`.
#
# [Next: Inference](03_inference.ipynb)
