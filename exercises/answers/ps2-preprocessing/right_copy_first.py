# Copies the picture before anything else, and pastes it on white through its own alpha channel.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] what is transparent becomes white"

# %% as_rgb
def as_rgb(image):
    image = image.copy()
    if image.mode == "I;16":
        notes = image.getexif()
        image = Image.fromarray((np.array(image) / 65535 * 255).round().astype("uint8"))
    image = ImageOps.exif_transpose(image)
    alpha = image.convert("RGBA").getchannel("A")
    white = Image.new("RGB", image.size, "#ffffff")
    white.paste(image.convert("RGB"), (0, 0), alpha)
    return white

# %% to_tensor
def to_tensor(image, mean, std):
    array = np.moveaxis(np.array(image, dtype=np.float32), -1, 0) / 255
    array -= np.array(mean, dtype=np.float32)[:, None, None]
    array /= np.array(std, dtype=np.float32)[:, None, None]
    return torch.tensor(array)
