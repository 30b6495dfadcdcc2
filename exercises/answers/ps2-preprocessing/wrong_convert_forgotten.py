# Converts, and forgets to keep what convert returns.
#
# score: {as_rgb: 0, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "The image has the mode L, not RGB."

# %% as_rgb
def as_rgb(image):
    image.convert("RGB")
    return image
