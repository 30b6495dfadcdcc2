# Channel by channel and case by case, with more lines than it takes, and prints and warnings on the way.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "Your code printed: working on RGB"
#   - "[passed] the proportions stay: a square, a panorama, a tower, a thumbnail that grows"

# %% as_rgb
import warnings


def as_rgb(image):
    print("working on", image.mode)
    warnings.warn("a picture!")
    orientation = image.getexif().get(274, 1)
    result = image.copy()
    if orientation == 3:
        result = result.transpose(Image.Transpose.ROTATE_180)
    elif orientation == 6:
        result = result.transpose(Image.Transpose.ROTATE_270)
    elif orientation == 8:
        result = result.transpose(Image.Transpose.ROTATE_90)
    if result.mode == "I;16":
        return Image.fromarray((np.array(result) / 257).round().astype(np.uint8)).convert("RGB")
    if "A" in result.mode or "transparency" in result.info:
        rgba = result.convert("RGBA")
        white = Image.new("RGB", rgba.size, (255, 255, 255))
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return result.convert("RGB")

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    w, h = image.size
    if w == h:
        w = h = resize_size
    elif w < h:
        w, h = resize_size, resize_size * h // w
    else:
        w, h = resize_size * w // h, resize_size
    resample = Image.BICUBIC if interpolation == "bicubic" else Image.BILINEAR
    image = image.resize((w, h), resample)
    x = round((w - crop_size) / 2)
    y = round((h - crop_size) / 2)
    return image.crop((x, y, x + crop_size, y + crop_size))

# %% to_tensor
def to_tensor(image, mean, std):
    channels = []
    for channel, m, s in zip(image.split(), mean, std):
        values = torch.tensor(np.array(channel), dtype=torch.float32)
        channels.append((values / 255.0 - m) / s)
    return torch.stack(channels)

# %% preprocess
def preprocess(images, preset):
    try:
        images = list(images)
    except TypeError:
        images = [images]
    tensors = []
    for image in images:
        image = resize_and_crop(as_rgb(image), preset["resize_size"], preset["crop_size"], preset["interpolation"])
        tensors.append(to_tensor(image, preset["mean"], preset["std"]).unsqueeze(0))
    return torch.cat(tensors)
