# Believes that convert("RGB") is all there is to colours.
#
# score: {as_rgb: 2, resize_and_crop: 6, to_tensor: 6, preprocess: 5}
# feedback:
#   - "[not yet] the left half is transparent"
#   - "[not yet] a photo that lies on its side"
#   - "[not yet] gray with 16 bits"

# %% as_rgb
def as_rgb(image):
    return image.convert("RGB")
