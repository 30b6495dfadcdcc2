# Everything right, in float64.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 0, preprocess: 6}
# feedback:
#   - "The dtype should be torch.float32. Yours is torch.float64."

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = (np.asarray(image) / 255 - np.array(mean)) / np.array(std)
    return torch.from_numpy(pixels).permute(2, 0, 1)
