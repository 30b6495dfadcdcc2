# Turns the caller's own picture, and pastes white into it.
#
# score: {as_rgb: 2.5, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "The image that as_rgb was given is not the same any more."

# %% as_rgb
def as_rgb(image):
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "I;16":
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "RGBA":
        see_through = image.getchannel("A").point(lambda alpha: 255 - alpha)
        image.paste((255, 255, 255, 255), mask=see_through)
    return image.convert("RGB")
