# Height, width, channels, and no conversion to RGB in the batch.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 0, preprocess: 4.5}
# feedback:
#   - "The picture has the mode L. Did it go through as_rgb?"
#   - "The shape should be (3, 32, 32). Yours is (32, 32, 3)."

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).float() / 255
    return (pixels - torch.tensor(mean)) / torch.tensor(std)

# %% preprocess
def preprocess(images, preset):
    images = [images] if isinstance(images, Image.Image) else images
    crops = [resize_and_crop(i, preset["resize_size"], preset["crop_size"], preset["interpolation"]) for i in images]
    return torch.stack([to_tensor(crop, preset["mean"], preset["std"]).permute(2, 0, 1) for crop in crops])
