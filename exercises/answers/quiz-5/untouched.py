# The released notebook as it was.
#
# score: 0
# unchanged: true
# feedback:
#   - "There is no answer yet. Replace None by "
#   - "0 of 2 checks passed."
