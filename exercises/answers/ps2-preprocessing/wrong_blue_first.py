# Blue, green, red, as OpenCV has it; and a batch that only takes a list.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 0, preprocess: 4.5}
# feedback:
#   - "The channels come in the order blue, green, red."
#   - "A single image, which is no list, should become a batch of one."

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)[:, :, ::-1].copy()).permute(2, 0, 1).float() / 255
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)

# %% preprocess
def preprocess(images, preset):
    crops = [
        resize_and_crop(as_rgb(image), preset["resize_size"], preset["crop_size"], preset["interpolation"])
        for image in images
    ]
    return torch.stack([to_tensor(crop, preset["mean"], preset["std"]) for crop in crops])
