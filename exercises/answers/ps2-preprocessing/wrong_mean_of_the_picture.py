# Normalises each picture by its own mean and std, and squashes the crop into place instead of cutting.
#
# score: {as_rgb: 7, resize_and_crop: 0, to_tensor: 0, preprocess: 6}
# feedback:
#   - "The numbers are off by up to"
#   - "Right size, but a pixel is off"

# %% resize_and_crop
def resize_and_crop(image, resize_size, crop_size, interpolation):
    short, long = sorted(image.size)
    longer = int(resize_size * long / short)
    size = (resize_size, longer) if image.width <= image.height else (longer, resize_size)
    image = image.resize(size, Image.Resampling[interpolation.upper()])
    return image.resize((crop_size, crop_size), Image.Resampling[interpolation.upper()])

# %% to_tensor
def to_tensor(image, mean, std):
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    return (pixels - pixels.mean(dim=(1, 2), keepdim=True)) / pixels.std(dim=(1, 2), keepdim=True, unbiased=False).clamp(min=1e-6)
