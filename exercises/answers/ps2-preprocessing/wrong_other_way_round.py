# Turns photos the other way, cuts with floor, subtracts the mean before it divides by 255, forgets as_rgb.
#
# score: {as_rgb: 5, resize_and_crop: 3, to_tensor: 0, preprocess: 4.5}
# feedback:
#   - "The picture lies on its head: it was turned the other way."
#   - "The crop begins at row"
#   - "The mean is subtracted before the division by 255."
#   - "Did it go through as_rgb?"

# %% as_rgb
def as_rgb(image):
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    orientation = image.getexif().get(274)
    if orientation in turn:
        image = image.transpose(turn[orientation])
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.copy().convert("RGB")

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    short, long = sorted(image.size)
    longer = int(resize_size * long / short)
    size = (resize_size, longer) if image.width <= image.height else (longer, resize_size)
    image = image.resize(size, Image.Resampling[interpolation.upper()])
    left, top = (size[0] - crop_size) // 2, (size[1] - crop_size) // 2
    return image.crop((left, top, left + crop_size, top + crop_size))

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
    mean, std = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    return (pixels - mean) / 255 / std

# %% preprocess
def preprocess(images, preset):
    if isinstance(images, Image.Image):
        images = [images]
    crops = [
        resize_and_crop(image.convert("RGB"), preset["resize_size"], preset["crop_size"], preset["interpolation"])
        for image in images
    ]
    return torch.stack([to_tensor(crop, preset["mean"], preset["std"]) for crop in crops])
