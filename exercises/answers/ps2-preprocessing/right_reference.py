# The reference solution of the source notebook, cell by cell.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] a printer's four colours"
#   - "[passed] a recipe that the club made up"
