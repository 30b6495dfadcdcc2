# Ignores the word that says how to interpolate.
#
# score: {as_rgb: 7, resize_and_crop: 1, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[not yet] a high picture, bicubic"
#   - "This is bilinear, and bicubic was asked."

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    short, long = sorted(image.size)
    longer = int(resize_size * long / short)
    size = (resize_size, longer) if image.width <= image.height else (longer, resize_size)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - crop_size) / 2), round((size[1] - crop_size) / 2)
    return image.crop((left, top, left + crop_size, top + crop_size))
