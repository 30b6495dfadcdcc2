# Lays transparent pictures on black, crops at an even number, multiplies by std, takes the size of the batch from one picture.
#
# score: {as_rgb: 4.5, resize_and_crop: 2, to_tensor: 0, preprocess: 6}
# feedback:
#   - "What is transparent has become black. It should become white."
#   - "The crop begins at row"
#   - "Multiplied by std instead of divided."

# %% as_rgb
def as_rgb(image):
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return image.convert("RGB")

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    short, long = sorted(image.size)
    longer = int(resize_size * long / short)
    size = (resize_size, longer) if image.width <= image.height else (longer, resize_size)
    image = image.resize(size, Image.Resampling[interpolation.upper()])
    left, top = int((size[0] - crop_size) / 2 + 0.5), int((size[1] - crop_size) / 2 + 0.5)
    return image.crop((left, top, left + crop_size, top + crop_size))

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    return (pixels - mean) * std
