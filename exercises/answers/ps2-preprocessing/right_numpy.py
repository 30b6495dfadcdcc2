# Does with NumPy arrays what the reference does with Pillow and torch.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] the proportions stay: a square, a panorama, a tower, a thumbnail that grows"

# %% as_rgb
def as_rgb(image):
    turn = {3: 2, 6: 3, 8: 1}.get(image.getexif().get(274), 0)  # quarter turns to the left
    if image.mode == "I;16":
        gray = (np.array(image) >> 8).astype(np.uint8)
        array = np.stack([gray, gray, gray, np.full_like(gray, 255)], axis=-1)
    else:
        array = np.array(image.convert("RGBA"))
    array = np.rot90(array, turn).astype(np.float64)
    alpha = array[..., 3:] / 255
    return Image.fromarray(np.round(array[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8))

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    how = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}[interpolation]
    short, long = min(image.size), max(image.size)
    new_long = int(resize_size * long / short)
    new = (resize_size, new_long) if image.width < image.height else (new_long, resize_size)
    pixels = np.asarray(image.resize(new, how))
    top = int(round((pixels.shape[0] - crop_size) / 2.0))
    left = int(round((pixels.shape[1] - crop_size) / 2.0))
    return Image.fromarray(pixels[top : top + crop_size, left : left + crop_size])

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = (np.asarray(image) / 255 - np.array(mean)) / np.array(std)
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))

# %% preprocess
def preprocess(images, preset):
    images = images if isinstance(images, (list, tuple)) else [images]
    batch = torch.empty(len(images), 3, preset["crop_size"], preset["crop_size"])
    for number, image in enumerate(images):
        crop = resize_and_crop(as_rgb(image), preset["resize_size"], preset["crop_size"], preset["interpolation"])
        batch[number] = to_tensor(crop, preset["mean"], preset["std"])
    return batch
