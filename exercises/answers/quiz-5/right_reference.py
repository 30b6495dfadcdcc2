# The key of the question bank.
#
# score: 27
# feedback:
#   - "[passed] q12 is right"
