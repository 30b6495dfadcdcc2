# Everything by keyword, and the recipe taken apart once.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] what is transparent becomes white"

# %% resize_and_crop
from fractions import Fraction


def resize_and_crop(image, resize_size, crop_size, interpolation):
    ratio = Fraction(max(image.size), min(image.size))
    longer = int(resize_size * ratio)
    if image.size[0] > image.size[1]:
        size = longer, resize_size
    else:
        size = resize_size, longer
    resized = image.resize(size=size, resample=getattr(Image.Resampling, interpolation.upper()))
    box = [round((side - crop_size) / 2) for side in size]
    return resized.crop((*box, box[0] + crop_size, box[1] + crop_size))

# %% preprocess
def preprocess(images, preset):
    recipe = dict(preset)
    mean, std = recipe.pop("mean"), recipe.pop("std")
    images = [images] if isinstance(images, Image.Image) else images
    return torch.cat([to_tensor(resize_and_crop(image=as_rgb(image), **recipe), mean=mean, std=std)[None] for image in images])
