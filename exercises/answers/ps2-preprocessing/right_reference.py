# The reference solution of the source notebook, cell by cell.
#
# score: {as_rgb: 7, resize_and_crop: 6, to_tensor: 6, preprocess: 6}
# feedback:
#   - "[passed] it lies as the note in the file says"
#   - "[passed] nothing is typed in that the recipe says"
