# One wrong letter, in a question that is worth 3 points.
#
# score: 24
# feedback:
#   - "[not yet] q10 is right"

# %% q10
q10 = "<wrong>"
