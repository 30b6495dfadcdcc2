# The reference solution of the source notebook, cell by cell.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] a convolution can be a head"
#   - "5 of 5 checks passed."
