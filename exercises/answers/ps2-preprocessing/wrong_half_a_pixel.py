# Rounds the longer side up, and cuts half a pixel off the other way.
#
# score: {as_rgb: 7, resize_and_crop: 2, to_tensor: 6, preprocess: 6}
# feedback:
#   - "is its longer side not cut off to a whole number?"

# %% resize_and_crop
import math


def resize_and_crop(image, resize_size, crop_size, interpolation):
    short, long = sorted(image.size)
    longer = math.ceil(resize_size * long / short)
    size = (resize_size, longer) if image.width <= image.height else (longer, resize_size)
    image = image.resize(size, Image.Resampling[interpolation.upper()])
    left, top = (size[0] - crop_size) // 2, (size[1] - crop_size) // 2
    return image.crop((left, top, left + crop_size, top + crop_size))
