# Believes that convert("RGB") is all there is to colours.
#
# score: {as_rgb: 1.5, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[not yet] the left half is transparent"
#   - "You show the colours that lie below what is transparent. It should become white."
#   - "Everything above 255 became white. 16 bits go up to 65535."

# %% as_rgb
def as_rgb(image):
    return image.convert("RGB")
