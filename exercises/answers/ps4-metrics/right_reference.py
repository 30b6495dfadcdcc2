# The reference solution of the source notebook, cell by cell.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] the batches are walked through once"
#   - "for the lazy rule, which finds nothing."
#   - "7 of 7 checks passed."
