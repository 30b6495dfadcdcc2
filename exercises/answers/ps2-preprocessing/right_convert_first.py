# Converts first and turns afterwards: the note how to turn travels with the picture.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] what is transparent becomes white"

# %% as_rgb
def as_rgb(image):
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert("RGBA")
    image = ImageOps.exif_transpose(image)
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    white.alpha_composite(image)
    return white.convert("RGB")

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    scale = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    shorter = min(image.size)
    width, height = (int(resize_size * side / shorter) for side in image.size)
    resized = image.resize((width, height), resample=scale[interpolation], box=(0, 0, *image.size))
    left = round((width - crop_size) / 2.0)
    top = round((height - crop_size) / 2.0)
    return resized.crop((left, top, left + crop_size, top + crop_size))
