# The reference solution of the source notebook, cell by cell.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] 500 stickers: no leak, true numbers, above the bar"
#   - "of stickers that the head has never seen."
