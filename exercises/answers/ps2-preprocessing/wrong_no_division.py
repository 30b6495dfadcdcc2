# Leaves the pixels between 0 and 255.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 0, preprocess: 6}
# feedback:
#   - "Is a division by 255 missing?"

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
