# %% [markdown]
# # Preprocessing: from a picture to numbers
#
# **After this lesson you can**
#
# - prepare a picture exactly as a model's weights expect it, with one line and by hand,
# - say what each step does, and what it costs to forget it, measured,
# - open gray, transparent and turned pictures without surprises,
# - make a batch, and read the errors that appear when something does not fit.
#
# **Time:** 30 minutes. **You need:** lesson 01.

# %% [markdown] covers=["S53"]
# ## The recipe comes with the weights
#
# A network learned from pictures of one kind: squares of about one size, as numbers of a certain range. In training the
# crops were random. For use there is a fixed recipe that fits, and each weights entry brings it along.

# %%
from course_utils import load_pretrained, sample_images

model, weights = load_pretrained("resnet18")
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
# the settings differ between weights (the second ResNet-50 of lesson 01 resizes to 232 where the first resizes to 256), and the
# preset knows them.

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
# So the model expects numbers between about -2 and 2.6, around zero. (These means come from ImageNet, and nearly all torchvision
# weights use them. Nearly: that is why you ask the preset.) Keep the two ends in mind: a look at `tensor.min()` and
# `tensor.max()` is the quickest check of any preprocessing.

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
    "no normalisation": transforms.Compose([*square, to_tensor]),
    "0 to 255": transforms.Compose([*square, to_uint8, torch.Tensor.float, normalize]),
    "BGR": transforms.Compose([*square, to_tensor, lambda rgb: rgb.flip(0), normalize]),
    "squashed": transforms.Compose([transforms.Resize((pixels, pixels)), to_tensor, normalize]),
    "half the size": transforms.Compose([preset, transforms.Resize(pixels // 2)]),
    "no centre crop": transforms.Compose([resize, to_tensor, normalize]),
}

# %%
from course_utils.plots import show_images

prepared = {name: recipe(photo) for name, recipe in recipes.items()}
show_images(
    list(prepared.values()),
    [f"{name}\n{picture.min():.1f} to {picture.max():.1f}" for name, picture in prepared.items()],
    alt="The coffee cup after each recipe with the range of its numbers. Blue cup for BGR, "
    "narrow cup for squashed, coarser for half the size, wide picture for no centre crop; the "
    "others look alike.",
    columns=4,
)

# %% [markdown]
# Look at the first three: to your eye they are the same cup. Only the range of the numbers, under each name, gives them away. BGR
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
        print(f"{name:18} espresso {probabilities[espresso]:6.1%}   first answer: {answer}")

# %% [markdown]
# No recipe raised an error or a warning. But one photo is an anecdote: an easy picture may survive a mistake that ruins
# others. We need many.
#
# ### Many pictures
#
# The course can draw them: cats and dogs, as many as you like, the same for everybody. Real photos are rarely square, so we
# make the drawings wide by mirroring a strip at each side.

# %%
from PIL import Image

from course_utils import Pictures, doodle_pets, split


def widen(image):
    strip = image.width // 4
    return Image.fromarray(np.pad(image, ((0, 0), (strip, strip), (0, 0)), mode="reflect"))


drawn = doodle_pets(200, seed=0)
pets = Pictures([widen(image) for image in drawn.images], drawn.labels, drawn.categories)
train, test = split(pets, (0.35, 0.65))
print("for later:", train.counts(), "  for the test:", test.counts())

# %%
show_images(
    pets.images[:4],
    [pets.categories[label] for label in pets.labels[:4]],
    alt="Four drawn pets in wide pictures, alternately cat and dog, with fur and a background; "
    "the scene is mirrored at the left and right edge.",
    columns=4,
)

# %% [markdown]
# The **first measure** needs no labels: how often does the model's first answer stay the same as with the right recipe? Whatever the
# model takes these drawings for, a harmless change would leave its answers alone.
#
# **Commit to an answer first.** Put the six mistakes in order, from harmless to harmful.
#
# (The cell computes the *features* of each picture, that is, what reaches the last layer `fc`, and then applies `fc`. We will
# need the features again.)

# %% tags=["nbval-ignore-output"]
from course_utils import extract_features

features, first_answer = {}, {}
for name, recipe in recipes.items():
    features[name], labels = extract_features(model, recipe, test, progress=False)
    first_answer[name] = model.fc(features[name]).argmax(dim=1)

right = first_answer["as trained"]
unchanged = {name: (right == first_answer[name]).float().mean().item() for name in recipes}

# %% tags=["nbval-ignore-output"]
from course_utils.plots import show_bars

best_first = sorted(unchanged.items(), key=lambda row: row[1], reverse=True)
told = ", ".join(f"{name} {share:.0%}" for name, share in best_first)
show_bars(
    dict(best_first),
    alt=f"Share of {len(test)} pictures whose first answer stays the same: {told}.",
    label=f"first answer unchanged, share of {len(test)} pictures",
)

# %% [markdown]
# The bars show the share of pictures whose first answer is still the same, best first. How did your order do? None of the six
# leaves the answers alone.
#
# - **Wrong numbers** (no normalisation, 0 to 255): to you the pictures looked as before. But the first layer gets values that it has
#   never met, and every layer behind it works with what comes out.
# - **Wrong colours and shapes** (BGR, half the size, squashed): the pet is still there, but its fur is blue, its edges are
#   coarser or its face is narrower, and the network has learned other furs, edges and faces.
# - **More surroundings** (no centre crop): a ResNet slides its filters over a picture of any width, so the pet itself looks as it
#   should. It only takes up a smaller share of what the network averages over.
#
# ### What it does to accuracy
#
# The **second measure** needs labels, and we have them: cat or dog? The model has no such categories, so it gets a new last layer
# for these two. How that works is the subject of lesson 05; here it is only our measuring device. It is trained on the other
# pictures, with the *right* recipe, and then tested with each recipe. That is how it goes in practice: well trained, and a step lost
# when the model is put to use.

# %% tags=["nbval-ignore-output"]
from course_utils import accuracy, fit_head

train_features, train_labels = extract_features(model, preset, train, progress=False)
head, _ = fit_head(train_features, train_labels, num_classes=2, epochs=40)

results = {name: accuracy(labels, head(features[name]).argmax(dim=1)) for name in recipes}
for name, result in results.items():
    print(f"{name:18}{result:6.1%}  {result - results['as trained']:+7.1%}")

by_chance = (results["as trained"] * (1 - results["as trained"]) / len(test)) ** 0.5
print(f"\nGuessing would give 50 %. Chance moves such a result by about ±{by_chance:.1%}.")

# %% [markdown]
# A question with two answers forgives more than one with hundreds: even a model that sees nothing is right every other time. So
# accuracy falls less than the bars did, and small differences here are chance (the last line says how large chance is). The large
# ones are not. And mind the column that this table does not have: errors and warnings. There were none.

# %% [markdown]
# **Commit to an answer first.** A colleague forgets the normalisation *both* times: in training the last layer and in use. Is that
# worse or better than forgetting it only in use?

# %% tags=["nbval-ignore-output"]
forgetful = recipes["no normalisation"]
forgetful_features, _ = extract_features(model, forgetful, train, progress=False)
forgetful_head, _ = fit_head(forgetful_features, train_labels, num_classes=2, epochs=40)
never = accuracy(labels, forgetful_head(features["no normalisation"]).argmax(dim=1))

print(f"normalised in training and in use  {results['as trained']:.1%}")
print(f"normalised in training only        {results['no normalisation']:.1%}")
print(f"normalised never                   {never:.1%}")

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
from PIL import ImageOps

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
# ## One picture is not a batch
#
# Models take **batches**: tensors of shape (pictures, channels, height, width), with as many pictures as you like. **Commit to an
# answer first.** Is a single prepared picture fine, too?

# %%
picture = preset(photo)

try:
    model(picture)
except ValueError as error:
    print(tuple(picture.shape), "-", type(error).__name__, "-", error)

batch = picture.unsqueeze(0)
with torch.inference_mode():
    print(tuple(batch.shape), "- logits of shape", tuple(model(batch).shape))

# %% [markdown]
# No. But a batch of one is a batch: `unsqueeze(0)` adds the missing dimension in front, and out come the **logits**, one score
# for each category. (This message comes from BatchNorm. Networks
# without BatchNorm put the same complaint into other words, often about matrix shapes. When a message makes no sense, print
# `picture.shape` first.)
#
# For several pictures there is `torch.stack`. Suppose we only resize the wide photo of the cup and a tall one:

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
# But running is not being right. You measured above what half the size costs, with no error to warn you. Stay with the size of
# the preset unless you have measured another.

# %%
ask("any-size")

# %% [markdown]
# ## What you now know
#
# - `preset = weights.transforms()` makes the recipe; `preset(photo)` uses it: resize, centre crop, to tensor, normalise.
# - By hand it gives the same, bit for bit. With other weights the settings differ, and the preset knows them.
# - Most forgotten steps raise no error, and some cost much accuracy. Look at the range: about -2 to 2.6.
# - In use prepare pictures as you did for training your last layer: with the preset, both times.
# - Open pictures as RGB, the right way up, with transparency on white: `open_image`.
# - Models take batches: `unsqueeze(0)` for one picture, `torch.stack` for several of equal size.
# - Most networks run at other sizes, ViT and MaxViT do not, and none promises the same accuracy there.
#
# ## Where to practise
#
# Spot the bug: `ask("floats-of-255")`, `ask("convert-without-keeping")`, `ask("blue-lion")`. The graded assignments
# **quiz-2** (which fits after lesson 03) and **ps2-preprocessing** (in `exercises/release/`, or from your instructor) have more.
# And try your own photo: `preset(open_image("my_photo.jpg"))`.
#
# [Next: Inference](03_inference.ipynb)
