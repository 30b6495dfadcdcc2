# Reshapes where it should permute: the right shape, and the pixels of three colours in a heap.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 0.5, preprocess: 6}
# feedback:
#   - "The pixels are in other places: reshape gives the right shape and stirs them, permute moves them."

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).reshape(3, image.height, image.width).float() / 255
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
