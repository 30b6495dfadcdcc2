# Scales the longer side, and never makes a small picture larger.
#
# score: {as_rgb: 7, resize_and_crop: 0, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[not yet] a wide picture, bilinear"

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    image = image.copy()
    image.thumbnail((resize_size, resize_size), Image.Resampling[interpolation.upper()])
    left, top = round((image.width - crop_size) / 2), round((image.height - crop_size) / 2)
    return image.crop((left, top, left + crop_size, top + crop_size))
