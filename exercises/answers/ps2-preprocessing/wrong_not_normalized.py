# Stops after dividing by 255.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 0, preprocess: 6}
# feedback:
#   - "These are the pixels divided by 255; mean and std are missing."

# %% to_tensor
def to_tensor(image, mean, std):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
