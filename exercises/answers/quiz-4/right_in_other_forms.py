# Rounded and unrounded numbers, with and without the per cent sign.
#
# score: 25
# feedback:
#   - "[passed] q1 is right"
#   - "[passed] q4 is right"
#   - "[passed] q7 is right"
#   - "[passed] q10 is right"

# %% q1
q1 = 100 * 85 / 95

# %% q4
q4 = "2 %"

# %% q7
q7 = "75.0 per cent"

# %% q10
q10 = 100 * (0.9 * 0.1 / 400) ** 0.5
