# Mixes with white by arithmetic, and normalises with one multiplication and one addition.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] what is transparent becomes white"

# %% as_rgb
def as_rgb(image):
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "I;16":
        gray = np.asarray(upright).astype(np.uint32) * 255 // 65535
        return Image.merge("RGB", [Image.fromarray(gray.astype(np.uint8))] * 3)
    rgba = np.asarray(upright.convert("RGBA")).astype(np.float32)
    alpha = rgba[:, :, 3:] / 255
    return Image.fromarray((rgba[:, :, :3] * alpha + (1 - alpha) * 255 + 0.5).astype(np.uint8), "RGB")

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.asarray(image).copy()).double() / 255
    pixels = pixels.sub(torch.tensor(mean).double()).div(torch.tensor(std).double())
    return pixels.permute(2, 0, 1).float()
