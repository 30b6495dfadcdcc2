# Precision for recall, the mean of the batch means, a share for per cent, the line that only prints (10 points).
#
# score: 15
# feedback:
#   - "That is 85 of the 100 photos called rusty, the precision."
#   - "That is the mean of 80 and 50."
#   - "The right number as a share."
#   - "The test set belongs here, and only here."

# %% q1
q1 = 85

# %% q7
q7 = 65

# %% q8
q8 = 6

# %% q10
q10 = 0.015
