# The released notebook as it was.
#
# score: {as_rgb: 0, resize_and_crop: 0, to_tensor: 0, preprocess: 0}
# unchanged: true
# feedback:
#   - "as_rgb returned None. Does it end with a `return`?"
#   - "resize_and_crop returned None."
#   - "The function returned None."
#   - "preprocess returned None."
