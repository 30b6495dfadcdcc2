# The released notebook as it was: nothing written, nothing earned, nothing crashed.
#
# score: {decide: 0, accuracy: 0, confusion: 0, precision_recall: 0, choose_threshold: 0, report: 0, leaked: 0}
# unchanged: true
# feedback:
#   - "decide returned None. Does it end with `return probabilities, names`?"
#   - "accuracy returned None."
#   - "confusion returned None."
#   - "precision_recall returned None. Does it end with `return precision, recall`?"
#   - "choose_threshold returned None."
#   - "report returned None."
#   - "leaked returned None."
