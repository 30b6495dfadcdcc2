# Hands back the very image that it was given when that is RGB already.
#
# score: {as_rgb: 6, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "as_rgb returned the image that it was given, not a new one."

# %% as_rgb
def as_rgb(image):
    if image.mode == "RGB" and image.getexif().get(274, 1) == 1 and not image.has_transparency_data:
        return image
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
