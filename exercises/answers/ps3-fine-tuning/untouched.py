# The released notebook as it was: nothing written, nothing earned, nothing crashed.
#
# score: {group_copies: 0, split: 0, extract_features: 0, train_head: 0, accuracy: 0, experiment: 0}
# unchanged: true
# feedback:
#   - "group_copies returned None. Does it end with a `return`?"
#   - "split returned None. Does it end with a `return`?"
#   - "extract_features returned None. Does it end with a `return`?"
#   - "train_head returned None. Does it end with `return head`?"
#   - "accuracy returned None. Does it end with a `return`?"
#   - "experiment returned None. Does it end with a `return`?"
#   - "experiment returned None."
