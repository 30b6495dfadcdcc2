# Resizes to a square, whatever the picture's proportions.
#
# score: {as_rgb: 7, resize_and_crop: 0, to_tensor: 6, preprocess: 6}
# feedback:
#   - "The picture was squashed to a square: both sides became resize_size."

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    image = image.resize((resize_size, resize_size), Image.Resampling[interpolation.upper()])
    left = top = round((resize_size - crop_size) / 2)
    return image.crop((left, top, left + crop_size, top + crop_size))
