# The released notebook as it was.
#
# score: 0
# unchanged: true
# feedback:
#   - "There is no answer yet. It is "
#   - "0 of 2 checks passed."
