# The key of the question bank.
#
# score: 25
# feedback:
#   - "[passed] q11 is right"
