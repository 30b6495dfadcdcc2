# Knows transparency in mode RGBA only, halves large pictures first, and transposes width and height.
#
# score: {as_rgb: 5, resize_and_crop: 4.5, to_tensor: 0.5, preprocess: 6}
# feedback:
#   - "You show the colours that lie below what is transparent."
#   - "Was the picture shrunk in two steps"
#   - "Width and height have changed places."

# %% as_rgb
def as_rgb(image):
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    short, long = sorted(image.size)
    longer = int(resize_size * long / short)
    size = (resize_size, longer) if image.width <= image.height else (longer, resize_size)
    how = Image.Resampling[interpolation.upper()]
    while min(image.size) > 4 * resize_size:
        image = image.resize((image.width // 2, image.height // 2), how)
    image = image.resize(size, how)
    left, top = round((size[0] - crop_size) / 2), round((size[1] - crop_size) / 2)
    return image.crop((left, top, left + crop_size, top + crop_size))

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).permute(2, 1, 0).float() / 255
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
