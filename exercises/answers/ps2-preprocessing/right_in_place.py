# Tensors that are changed in place, numbers from a buffer, and a batch that is filled row by row.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] what is transparent becomes white"

# %% to_tensor
def to_tensor(image, mean, std):
    flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    pixels = flat.view(image.height, image.width, 3).permute(2, 0, 1).to(torch.float32).div_(255)
    for channel in range(3):
        pixels[channel].sub_(mean[channel]).div_(std[channel])
    return pixels.contiguous()

# %% preprocess
def preprocess(images, preset):
    if not isinstance(images, (list, tuple)):
        return preprocess([images], preset)
    batch = []
    for image in images:
        image = as_rgb(image)
        image = resize_and_crop(image, preset["resize_size"], preset["crop_size"], preset["interpolation"])
        batch.append(to_tensor(image, preset["mean"], preset["std"]))
    return torch.stack(batch, dim=0)
