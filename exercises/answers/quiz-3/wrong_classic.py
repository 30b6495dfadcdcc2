# The loss as it should be, the logarithm to the base 10, one right answer too few, and two steps exchanged (9 points).
#
# score: 12
# feedback:
#   - "That is what it should be. `CrossEntropyLoss` takes the 1 and 0 for logits"
#   - "That would be minus the logarithm to the base 10."
#   - "One right answer is not chosen yet."
#   - "Step 1 is not"

# %% q4
q4 = "<right>"
q4 = q4[1] + q4[0] + q4[2:]

# %% q7
q7 = 0

# %% q9
q9 = 1

# %% q10
q10 = "<wrong>"
