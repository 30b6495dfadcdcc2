# Stretches 16 bits to the range of each picture, shrinks large pictures with a reducing gap, adds the mean, and cuts
# 224 pixels out whatever the recipe says.
#
# score: {as_rgb: 6, resize_and_crop: 4.5, to_tensor: 0, preprocess: 4}
# feedback:
#   - "The darkest gray of this picture became black and its lightest white."
#   - "Was the picture shrunk in two steps"
#   - "The mean is added instead of subtracted."
#   - "The shape should be"

# %% as_rgb
def as_rgb(image):
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        gray = np.asarray(image).astype(float)
        gray = (gray - gray.min()) / (gray.max() - gray.min())
        image = Image.fromarray((255 * gray).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    short, long = sorted(image.size)
    longer = int(resize_size * long / short)
    size = (resize_size, longer) if image.width <= image.height else (longer, resize_size)
    image = image.resize(size, Image.Resampling[interpolation.upper()], reducing_gap=2.0)
    left, top = round((size[0] - crop_size) / 2), round((size[1] - crop_size) / 2)
    return image.crop((left, top, left + crop_size, top + crop_size))

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    return (pixels + mean) / std

# %% preprocess
def preprocess(images, preset):
    if isinstance(images, Image.Image):
        images = [images]
    crops = [resize_and_crop(as_rgb(image), preset["resize_size"], 224, preset["interpolation"]) for image in images]
    return torch.stack([to_tensor(crop, preset["mean"], preset["std"]) for crop in crops])
