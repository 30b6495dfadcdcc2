# The reference solution of the source notebook, cell by cell.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] finds the head of squeezenet1_1, a convolution"
#   - "11 of 11 checks passed."
