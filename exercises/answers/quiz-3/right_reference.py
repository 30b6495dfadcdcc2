# The key of the question bank.
#
# score: 21
# feedback:
#   - "[passed] q10 is right"
