# %% [markdown]
# # Problem set 2: the same picture, as the network knows it
#
# Your school's nature club has put a camera into a nesting box, and the small computer behind it has a network that
# knows birds, but no room for torchvision. Somebody has to write the preprocessing again, from Pillow and NumPy, so that
# the network sees each picture **exactly** as it did when it was trained. A picture that is a little off raises no error.
# It only gets the wrong bird.
#
# And the pictures do not only come from the box. The club's members send theirs: sideways from a phone, with a
# transparent background, as a gray scan of an old field guide.
#
# | | function | points |
# |---|---|--:|
# | 1 | `as_rgb(image)` turns any picture into three colours, the right way up | 7 |
# | 2 | `resize_and_crop(image, resize_size, crop_size, interpolation)` cuts out what the network looks at | 6 |
# | 3 | `to_tensor(image, mean, std)` makes the numbers | 6 |
# | 4 | `preprocess(images, preset)` does all of it, for a batch | 6 |
#
# **Before you start:** lesson 02. **Time:** about 60 minutes. No downloads: the recipe of every set of weights is part of
# torchvision, the weights themselves are not needed.
#
# **How it is graded.** Below each answer is a test cell. Run it as often as you like: it tells what is not right yet, and the
# number under it counts the checks that you can see. When your work is graded, the same checks run on other pictures,
# other sizes and other recipes. Each check is worth a share of the points.
#
# **Write it by hand**, with Pillow, NumPy and torch. torchvision's own transforms are what we compare with. Using them here
# would give the right numbers, but the computer in the nesting box does not have them.

# %%
import numpy as np
import torch
from PIL import Image, ImageOps
from torchvision import models

from course_utils.grading import pictures

# %% [markdown]
# ## First, what a recipe says
#
# Each set of weights has its own. Before you run the cell, commit to an answer: do all of them resize to 256 and crop to 224?


# %%
def recipe(weights):
    """The numbers of a preset, as a plain dictionary."""
    preset = weights.transforms()
    return {
        "resize_size": preset.resize_size[0],
        "crop_size": preset.crop_size[0],
        "interpolation": preset.interpolation.value,
        "mean": tuple(preset.mean),
        "std": tuple(preset.std),
    }


for weights in (
    models.ResNet18_Weights.DEFAULT,
    models.ResNet50_Weights.DEFAULT,
    models.EfficientNet_B0_Weights.DEFAULT,
    models.EfficientNet_V2_L_Weights.DEFAULT,
):
    print(weights, recipe(weights))

# %% [markdown]
# They do not, and the last one even has another mean. So nothing may be typed into your functions that the recipe says.
#
# ## 1. Any picture, in three colours
#
# Write `as_rgb(image)`. It takes a PIL image of any mode and returns a **new** image of mode RGB:
#
# - Photos from phones often lie on their side, with a note (in the EXIF data) which side is up. Turn them.
# - What is transparent becomes **white**, what is half transparent a mixture with white.
# - Gray pictures become gray in three channels. Scanners write gray with 16 bits a pixel, mode `I;16`, from 0 (black) to 65535
#   (white), whatever part of that range a picture uses.
# - The image that you are given stays as it was.
#
# - **Worth 2 of 7: what is transparent becomes white.**
# - **Worth 2 of 7: it lies as the note in the file says.**

# %% [markdown] hint="ps2.1"
# **Turning.**
# `ImageOps.exif_transpose(image)` returns a turned copy.

# %% [markdown] hint="ps2.1"
# **Transparency.**
# `image.convert("RGB")` alone throws the transparency away, and what was below it, often black, comes to light. Convert to
# `"RGBA"`, and paste it on a white image with `Image.alpha_composite`. A picture of mode `P` or `L` can be transparent as well:
# `image.has_transparency_data` knows.

# %% [markdown] hint="ps2.1"
# **16 bits.**
# `convert` clips at 255, so almost everything becomes white. Divide the array by 257 (or shift it right by 8 bits) first.


# %% answer="as_rgb"
def as_rgb(image):
    """Return the picture as a new PIL image of mode RGB: upright, on white, 8 bits a channel."""
    ### BEGIN SOLUTION
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
    ### END SOLUTION


# %% [markdown] why="as_rgb"
# The order matters. Turn first, because the note on how to turn is lost in later steps. Bring 16 bits down to 8 before
# `convert`, which clips instead of dividing. Lay transparent pictures on white while there still is an alpha channel.
# Each of these steps makes a new image, so the one that came in stays as it was.

# %% test="as_rgb" points=7
import io

import numpy as np
from PIL import Image

from course_utils.grading import Points, each, expect, pictures


def _becomes(image, expected, tolerance=1, mistakes=()):
    """`mistakes` are pairs: a sentence, and the picture that somebody gets who makes this mistake."""
    mode, before, orientation = image.mode, image.tobytes(), image.getexif().get(274)
    made = as_rgb(image)
    expect(made is not None, "as_rgb returned None. Does it end with a `return`?")
    expect(isinstance(made, Image.Image), f"as_rgb should return a PIL image, not a {type(made).__name__}.")
    expect(made.mode == "RGB", f"The image has the mode {made.mode}, not RGB.")
    expect(
        made.size == expected.size,
        f"The picture should be {expected.size[0]} wide and {expected.size[1]} high. Yours is {made.size[0]} wide and "
        f"{made.size[1]} high.",
    )
    difference = pictures.largest_difference(made, expected)
    if difference > tolerance:
        for sentence, wrong in mistakes:
            expect(wrong.size != made.size or pictures.largest_difference(made, wrong) > 2, sentence)
    expect(difference <= tolerance, f"The colours are off by up to {difference} of 255.")
    untouched = (image.mode, image.tobytes(), image.getexif().get(274)) == (mode, before, orientation)
    expect(untouched, "The image that as_rgb was given is not the same any more.")
    expect(made is not image, "as_rgb returned the image that it was given, not a new one.")


def _rgb():
    _becomes(pictures.picture(40, 30), pictures.picture(40, 30))


def _gray():
    scan = pictures.picture(40, 30).convert("L")
    _becomes(scan, Image.merge("RGB", [scan] * 3))


def _on_other_grounds(image):
    ground = Image.new("RGBA", image.size, "black")
    return [
        ("You show the colours that lie below what is transparent. It should become white.", image.convert("RGB")),
        (
            "What is transparent has become black. It should become white.",
            Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB"),
        ),
    ]


def _transparent():
    image = pictures.picture(40, 30)
    on_white = image.copy()
    on_white.paste("white", (0, 0, 20, 30))
    mask = Image.new("L", image.size, 255)
    mask.paste(0, (0, 0, 20, 30))
    image.putalpha(mask)
    _becomes(image, on_white, mistakes=_on_other_grounds(image))


points = Points(7)
points.check("a picture that is RGB already", _rgb, worth=0.25)
points.check("a gray picture", _gray, worth=0.25)
points.check("the left half is transparent", _transparent, worth=0.5)


### BEGIN HIDDEN TESTS
def _turned(name, orientation, method, kind, mode):
    # The camera stored the picture turned, and noted in the file how a viewer has to turn it back.
    stored, file = pictures.picture(40, 30).transpose(method).convert(mode), io.BytesIO()
    note = Image.Exif()
    note[274] = orientation
    stored.save(file, kind, exif=note)
    opened, upright = Image.open(file), Image.open(file)
    upright = upright.convert("RGB").transpose({3: Image.Transpose.ROTATE_180, 6: 4, 8: 2}[orientation])
    head = ("The picture lies on its head: it was turned the other way.", upright.transpose(3))
    _becomes(opened, upright, mistakes=[head])


def _half_transparent(image, tolerance=2):
    mixed = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    _becomes(image, mixed, tolerance, _on_other_grounds(image))


def _with_alpha(mode, alpha):
    image = pictures.picture(40, 30).convert(mode)
    image.putalpha(alpha)
    return image


def _transparent_palette():
    image = Image.new("P", (8, 6), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (4, 0, 8, 6))
    image.info["transparency"] = 0
    expected = Image.new("RGB", (8, 6), "white")
    expected.paste((200, 100, 50), (4, 0, 8, 6))
    _becomes(image, expected, mistakes=_on_other_grounds(image))


def _what_is_transparent():
    for image in (_with_alpha("RGB", 100), _with_alpha("RGB", 0), _with_alpha("L", 0), _with_alpha("L", 60)):
        _half_transparent(image)
    _transparent_palette()


def _sixteen_bits(darkest, lightest):
    levels = np.tile(np.linspace(darkest, lightest, 40).round().astype(np.uint16), (30, 1))
    eight = Image.fromarray((levels // 257).astype(np.uint8))
    clipped = Image.fromarray(levels.clip(max=255).astype(np.uint8))
    own = (levels - levels.min()) / (levels.max() - levels.min()) * 255
    _becomes(
        Image.fromarray(levels),
        Image.merge("RGB", [eight] * 3),
        mistakes=[
            ("Everything above 255 became white. 16 bits go up to 65535.", clipped.convert("RGB")),
            (
                "The darkest gray of this picture became black and its lightest white. Black is 0 and white 65535, "
                "whatever is in the picture.",
                Image.fromarray(own.astype(np.uint8)).convert("RGB"),
            ),
        ],
    )


def _a_picture_of_its_own():
    for image in (pictures.picture(40, 30), pictures.picture(40, 30).convert("L")):
        before = image.tobytes()
        made = as_rgb(image)
        expect(isinstance(made, Image.Image), "as_rgb returned no image.")
        expect(made is not image, "as_rgb returned the image that it was given, not a new one.")
        made.paste("red", (0, 0, 40, 30))
        expect(image.tobytes() == before, "Whoever paints on the new image, paints on the one that was given as well.")


def _converts(mode):
    image = pictures.picture(40, 30).convert(mode)
    _becomes(image, image.convert("RGB"))


points.check("what is transparent becomes white", _what_is_transparent, worth=2)
points.check(
    "it lies as the note in the file says",
    each(_turned),
    ("on its side, a JPEG file", 6, Image.Transpose.ROTATE_90, "JPEG", "RGB"),
    ("on its other side, a PNG file", 8, Image.Transpose.ROTATE_270, "PNG", "RGB"),
    ("on its head, a gray JPEG file", 3, Image.Transpose.ROTATE_180, "JPEG", "L"),
    worth=2,
)
points.check("gray with 16 bits", each(_sixteen_bits), (0, 65535), (9000, 30000), worth=1)
points.check("a new image, with pixels of its own", _a_picture_of_its_own, worth=0.75)
points.check("black and white with one bit, a printer's four colours", each(_converts), "1", "CMYK", worth=0.25)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 2. What the network looks at
#
# Write `resize_and_crop(image, resize_size, crop_size, interpolation)` for an RGB image. It does what torchvision does:
#
# 1. The **shorter** side becomes `resize_size`. The longer one keeps the proportion: its length is
#    `resize_size * longer / shorter`, cut off to a whole number. A picture that is too small grows.
# 2. Then a square of `crop_size` is cut out of the middle. Its left edge is at `round((width - crop_size) / 2)`, its upper edge
#    at `round((height - crop_size) / 2)`.
#
# `interpolation` is a word: `"bilinear"` or `"bicubic"`. Return the PIL image. The crop is never larger than the resized picture.
# However large the picture is, it is resized once, from all of its pixels: shrinking in two steps is faster, and gives others.
#
# - **Worth 1.5 of 6: the crop stands in the middle, to the pixel.**
# - **Worth 1.5 of 6: one resize, as the word says.**

# %% [markdown] hint="ps2.2"
# **The word and Pillow.**
# `image.resize((width, height), Image.Resampling["BICUBIC"])`. Mind that PIL's size is width first.


# %% answer="resize_and_crop"
def resize_and_crop(image, resize_size, crop_size, interpolation):
    """Scale the shorter side to resize_size and cut a square of crop_size out of the middle."""
    ### BEGIN SOLUTION
    width, height = image.size
    if width <= height:
        size = (resize_size, int(resize_size * height / width))
    else:
        size = (int(resize_size * width / height), resize_size)
    image = image.resize(size, Image.Resampling[interpolation.upper()])
    left, top = round((size[0] - crop_size) / 2), round((size[1] - crop_size) / 2)
    return image.crop((left, top, left + crop_size, top + crop_size))
    ### END SOLUTION


# %% [markdown] why="resize_and_crop"
# Only the *shorter* side becomes `resize_size`, so nothing is squashed. `int` cuts off, `round` in the crop is
# Python's, to the even number at one half: both are what torchvision does, and one pixel of difference moves the whole
# picture. Pillow's size is width first; tensors say height first.

# %% test="resize_and_crop" points=6
import numpy as np
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from course_utils.grading import Points, each, expect, pictures


def _mistakes(image, resize_size, crop_size, interpolation):
    """Pairs: a sentence, and the picture that somebody gets who makes this mistake."""
    how = InterpolationMode(interpolation)
    resized = F.resize(image, resize_size, how)
    squashed = image.resize((resize_size, resize_size), Image.Resampling[interpolation.upper()])
    for other in {"bilinear", "bicubic", "nearest", "lanczos"} - {interpolation}:
        yield f"This is {other}, and {interpolation} was asked.", F.resize(image, resize_size, InterpolationMode(other))
    yield "The picture was squashed to a square: both sides became resize_size.", squashed
    # A crop at another place is looked for in the resized picture.
    pixels, rows = np.asarray(resized), {}
    for top in range(max(0, resized.height - crop_size) + 1):
        for left in range(max(0, resized.width - crop_size) + 1):
            rows[top, left] = pixels[top, left].tobytes()
    yield rows, resized


def _why(made, image, resize_size, crop_size, interpolation):
    array = np.asarray(made)
    for sentence, resized in _mistakes(image, resize_size, crop_size, interpolation):
        if isinstance(sentence, dict):
            corner = array[0, 0].tobytes()
            places = [
                (top, left)
                for (top, left), pixel in sentence.items()
                if pixel == corner
                and np.array_equal(np.asarray(resized)[top : top + crop_size, left : left + crop_size], array)
            ]
            right = round((resized.height - crop_size) / 2), round((resized.width - crop_size) / 2)
            if places:
                top, left = places[0]
                return f"The crop begins at row {top} and column {left}; the middle one at {right[0]} and {right[1]}."
        elif np.array_equal(np.asarray(F.center_crop(resized, crop_size)), array):
            return sentence
    return "Was the picture shrunk in two steps, or is its longer side not cut off to a whole number?"


def _looks_like_torchvisions(size, resize_size, crop_size, interpolation):
    image = pictures.picture(*size)
    before = image.tobytes()
    made = resize_and_crop(image, resize_size, crop_size, interpolation)
    expect(made is not None, "resize_and_crop returned None. Does it end with a `return`?")
    expect(isinstance(made, Image.Image), f"It should return a PIL image, not a {type(made).__name__}.")
    expect(
        made.size == (crop_size, crop_size),
        f"The cut-out should be {crop_size} wide and {crop_size} high. Yours is {made.size[0]} wide and {made.size[1]} high.",
    )
    expected = F.center_crop(F.resize(image, resize_size, InterpolationMode(interpolation)), crop_size)
    difference = pictures.largest_difference(made, expected)
    expect(
        difference == 0,
        f"Right size, but a pixel is off by up to {difference} of 255. "
        + (_why(made, image, resize_size, crop_size, interpolation) if difference else ""),
    )
    expect(image.tobytes() == before, "The image that resize_and_crop was given is not the same any more.")


points = Points(6)
points.check("a wide picture, bilinear", _looks_like_torchvisions, (320, 240), 256, 224, "bilinear", worth=0.5)
points.check("a high picture, bicubic", _looks_like_torchvisions, (240, 320), 232, 224, "bicubic", worth=0.5)
### BEGIN HIDDEN TESTS
points.check(
    "the proportions stay: a square, a panorama, a tower, a thumbnail that grows",
    each(_looks_like_torchvisions),
    ((300, 300), 256, 224, "bilinear"),
    ((611, 97), 236, 224, "bicubic"),
    ((97, 613), 235, 224, "bilinear"),
    ((50, 37), 256, 224, "bicubic"),
    worth=1.5,
)
points.check(
    "the crop stands in the middle, to the pixel",
    each(_looks_like_torchvisions),
    ((401, 300), 255, 240, "bilinear"),
    ((300, 402), 255, 240, "bicubic"),
    ((333, 201), 128, 128, "bilinear"),
    ((300, 300), 257, 240, "bilinear"),
    ((300, 300), 255, 240, "bicubic"),
    worth=1.5,
)
points.check(
    "one resize, as the word says",
    each(_looks_like_torchvisions),
    ((1300, 900), 36, 32, "bicubic"),
    ((900, 1300), 36, 32, "bilinear"),
    worth=1.5,
)
points.check("a small network", _looks_like_torchvisions, (64, 48), 36, 32, "bilinear", worth=0.5)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 3. Numbers
#
# Write `to_tensor(image, mean, std)` for an RGB image. It returns a `torch.float32` tensor of shape (3, height, width): the
# channels in the order red, green, blue, each pixel divided by 255, then the channel's `mean` subtracted, then divided by its
# `std`. `mean` and `std` are tuples or lists of three numbers.
#
# - **Worth 2 of 6: each channel has its own mean and std, whatever they are.**
# - **Worth 1.5 of 6: the channels come first, and every pixel keeps its place.**

# %% [markdown] hint="ps2.3"
# **Height, width, channels.**
# `np.asarray(image)` has the shape (height, width, 3). `permute` changes the order of the dimensions; `reshape` does not, even
# where it gives the right shape.


# %% answer="to_tensor"
def to_tensor(image, mean, std):
    """Return the picture as a normalized float32 tensor (3, height, width)."""
    ### BEGIN SOLUTION
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    return (pixels - mean) / std
    ### END SOLUTION


# %% [markdown] why="to_tensor"
# `permute` moves the channels to the front and every pixel keeps its place; `reshape` would give the same shape and
# stir the pixels. The mean and std get the shape (3, 1, 1), so that each belongs to a channel and not to a column.
# `np.array` makes a copy, which torch may own.

# %% test="to_tensor" points=6
import numpy as np
import torch
from torchvision.transforms import functional as F

from course_utils.grading import Points, each, expect, pictures

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _has_the_right_form(tensor, shape):
    expect(tensor is not None, "The function returned None. Does it end with a `return`?")
    expect(isinstance(tensor, torch.Tensor), f"It should return a tensor, not a {type(tensor).__name__}.")
    expect(tuple(tensor.shape) == shape, f"The shape should be {shape}. Yours is {tuple(tensor.shape)}.")
    expect(tensor.dtype == torch.float32, f"The dtype should be torch.float32. Yours is {tensor.dtype}.")


def _mistakes(image, mean, std):
    """Pairs: a sentence, and the tensor that somebody gets who makes this mistake."""
    pixels = F.to_tensor(image)
    mean, std = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    yield "The channels come in the order blue, green, red.", (pixels.flip(0) - mean) / std
    yield "These are the pixels divided by 255; mean and std are missing.", pixels
    yield "Is a division by 255 missing?", (255 * pixels - mean) / std
    yield "The division by std is missing.", pixels - mean
    yield "The mean is not subtracted.", pixels / std
    yield "The mean is subtracted before the division by 255.", (255 * pixels - mean) / 255 / std
    yield "Multiplied by std instead of divided.", (pixels - mean) * std
    yield "mean and std have changed places.", (pixels - std) / mean
    yield "The mean is added instead of subtracted.", (pixels + mean) / std
    heap = torch.from_numpy(np.array(image)).reshape(pixels.shape) / 255
    yield (
        "The pixels are in other places: reshape gives the right shape and stirs them, permute moves them.",
        ((heap - mean) / std),
    )
    if image.width == image.height:
        yield "Width and height have changed places.", ((pixels - mean) / std).transpose(1, 2)


def _has_the_right_numbers(tensor, image, mean, std):
    expected = F.normalize(F.to_tensor(image), list(mean), list(std))
    off = (tensor - expected).abs().max().item()
    if not off < 1e-5:
        for sentence, wrong in _mistakes(image, mean, std):
            expect(not torch.allclose(tensor, wrong, atol=1e-4), sentence)
    lowest, highest = expected.min().item(), expected.max().item()
    ranges = (
        f" They should go from {lowest:.2f} to {highest:.2f}, and yours go from {tensor.min():.2f} to {tensor.max():.2f}."
        if max(abs(tensor.min().item() - lowest), abs(tensor.max().item() - highest)) > 0.05
        else ""
    )
    expect(off < 1e-5, f"The numbers are off by up to {off:.3g}.{ranges}")


def _numbers(width, height, mean, std):
    image = pictures.picture(width, height)
    tensor = to_tensor(image, mean, std)
    _has_the_right_form(tensor, (3, height, width))
    _has_the_right_numbers(tensor, image, mean, std)


points = Points(6)
points.check("a square with ImageNet's mean and std", _numbers, 32, 32, *_IMAGENET, worth=0.5)
points.check("a wide picture", _numbers, 48, 32, *_IMAGENET, worth=0.5)
### BEGIN HIDDEN TESTS
points.check(
    "each channel has its own mean and std, whatever they are",
    each(_numbers),
    (32, 32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    (20, 31, (0.1, 0.7, 0.4), (0.9, 0.2, 0.6)),
    worth=2,
)
points.check(
    "the channels come first, and every pixel keeps its place",
    each(_numbers),
    (24, 24, *_IMAGENET),
    (17, 40, *_IMAGENET),
    worth=1.5,
)


def _lists_will_do():
    _numbers(16, 8, *map(list, _IMAGENET))


points.check("mean and std as lists", _lists_will_do)
points.check("one pixel", _numbers, 1, 1, *_IMAGENET, worth=0.5)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 4. A batch, by any recipe
#
# Write `preprocess(images, preset)`. `images` is a list of PIL images of any mode and any size, or a single one; `preset` is a
# dictionary like those above. It returns one `torch.float32` tensor of shape (number of images, 3, crop_size, crop_size), ready for
# the network. Use your three functions.
#
# - **Worth 2 of 6: nothing is typed in that the recipe says.**
# - **Worth 1.5 of 6: pictures of any kind.**

# %% [markdown] hint="ps2.4"
# **One or many.**
# `isinstance(images, Image.Image)` tells a single image from a list of them. `torch.stack` makes a batch.


# %% answer="preprocess"
def preprocess(images, preset):
    """Return one batch (N, 3, crop_size, crop_size) from one or many PIL images."""
    ### BEGIN SOLUTION
    if isinstance(images, Image.Image):
        images = [images]
    crops = [
        resize_and_crop(as_rgb(image), preset["resize_size"], preset["crop_size"], preset["interpolation"])
        for image in images
    ]
    return torch.stack([to_tensor(crop, preset["mean"], preset["std"]) for crop in crops])
    ### END SOLUTION


# %% [markdown] why="preprocess"
# Three functions in the order in which the preset works, and nothing typed in: size, crop, interpolation, mean and std
# come from the recipe, since the next set of weights has others. A single image becomes a list of one, so there is one
# way through the function.

# %% test="preprocess" points=6 earlier="as_rgb resize_and_crop to_tensor"
import torch
from PIL import Image
from torchvision import models
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from course_utils.grading import Points, expect, pictures


def _numbers_of(weights):
    preset = weights.transforms()
    return {
        "resize_size": preset.resize_size[0],
        "crop_size": preset.crop_size[0],
        "interpolation": preset.interpolation.value,
        "mean": tuple(preset.mean),
        "std": tuple(preset.std),
    }


def _is_the_batch(batch, expected, question="Does everything come from the preset?"):
    expect(batch is not None, "preprocess returned None. Does it end with a `return`?")
    expect(isinstance(batch, torch.Tensor), f"It should return a tensor, not a {type(batch).__name__}.")
    shape = tuple(expected.shape)
    expect(tuple(batch.shape) == shape, f"The shape should be {shape}. Yours is {tuple(batch.shape)}.")
    expect(batch.dtype == torch.float32, f"The dtype should be torch.float32. Yours is {batch.dtype}.")
    off = (batch - expected).abs().max().item()
    expect(off < 1e-5, f"Right shape, but the numbers are off by up to {off:.3g}. {question}")


def _like_the_preset(weights, *sizes):
    images = [pictures.picture(*size) for size in sizes]
    preset = weights.transforms()
    _is_the_batch(preprocess(images, _numbers_of(weights)), torch.stack([preset(image) for image in images]))


def _a_single_image():
    weights = models.ResNet18_Weights.DEFAULT
    image = pictures.picture(300, 200)
    try:
        batch = preprocess(image, _numbers_of(weights))
    except TypeError as error:
        expect("iterable" not in str(error), "A single image, which is no list, should become a batch of one.")
        raise
    _is_the_batch(batch, weights.transforms()(image)[None])


points = Points(6)
points.check(
    "ResNet-18, two pictures", _like_the_preset, models.ResNet18_Weights.DEFAULT, (320, 240), (200, 300), worth=1
)
points.check("a single picture", _a_single_image, worth=1.5)
### BEGIN HIDDEN TESTS


def _a_recipe_of_their_own():
    mine = {
        "resize_size": 40,
        "crop_size": 33,
        "interpolation": "bicubic",
        "mean": (0.2, 0.3, 0.4),
        "std": (0.5, 0.6, 0.7),
    }
    image = pictures.picture(77, 55)
    crop = F.center_crop(F.resize(image, 40, InterpolationMode.BICUBIC), 33)
    _is_the_batch(preprocess([image], mine), F.normalize(F.to_tensor(crop), mine["mean"], mine["std"])[None])


def _the_recipes():
    for weights in (
        models.ResNet50_Weights.IMAGENET1K_V2,
        models.EfficientNet_B0_Weights.IMAGENET1K_V1,
        models.EfficientNet_V2_S_Weights.IMAGENET1K_V1,
        models.Inception_V3_Weights.IMAGENET1K_V1,
        models.ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1,
    ):
        _like_the_preset(weights, (253, 171), (64, 80))
    _a_recipe_of_their_own()


def _pictures_of_all_kinds():
    weights = models.ResNet18_Weights.DEFAULT
    preset = weights.transforms()
    gray = pictures.picture(120, 90).convert("L")
    ghost = Image.new("RGBA", (90, 120), (0, 0, 0, 0))
    upright = pictures.picture(120, 90)
    phone = upright.transpose(Image.Transpose.ROTATE_90)
    phone.getexif()[274] = 6
    phone.info["exif"] = phone.getexif().tobytes()
    expected = [preset(image) for image in (gray.convert("RGB"), Image.new("RGB", (90, 120), "white"), upright)]
    for image, one in zip((gray, ghost, phone), expected, strict=True):
        kind = f"The picture has the mode {image.mode}. Did it go through as_rgb?"
        try:
            batch = preprocess([image], _numbers_of(weights))
        except Exception:
            expect(image.mode == "RGB", kind)
            raise
        _is_the_batch(
            batch, one[None], kind if image.mode != "RGB" else "It lies on its side. Did it go through as_rgb?"
        )
    _is_the_batch(preprocess([gray, ghost, phone], _numbers_of(weights)), torch.stack(expected))


points.check("nothing is typed in that the recipe says", _the_recipes, worth=2)
points.check("pictures of any kind", _pictures_of_all_kinds, worth=1.5)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## Before you hand in
#
# Choose **Restart Kernel and Run All Cells**, and read what the test cells say. Then hand in this one file, under the
# name that it has.
