# Types in ImageNet's mean and std, and the sizes of ResNet-18.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 4, preprocess: 4}
# feedback:
#   - "They should go from -1.00 to 1.00, and yours go from -2.12 to 2.64."
#   - "Does everything come from the preset?"

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1)

# %% preprocess
def preprocess(images, preset):
    images = [images] if isinstance(images, Image.Image) else images
    return torch.stack(
        [to_tensor(resize_and_crop(as_rgb(image), 256, 224, "bilinear"), preset["mean"], preset["std"]) for image in images]
    )
