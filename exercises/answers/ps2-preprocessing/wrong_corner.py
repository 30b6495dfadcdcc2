# Cuts out the upper left corner.
#
# score: {as_rgb: 7, resize_and_crop: 0, to_tensor: 6, preprocess: 6}
# feedback:
#   - "The crop begins at row 0 and column 0; the middle one at 16 and 58."

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    scale = resize_size / min(image.size)
    size = (int(image.width * scale), int(image.height * scale))
    image = image.resize(size, Image.Resampling[interpolation.upper()])
    return image.crop((0, 0, crop_size, crop_size))
