# Capitals, spaces and brackets: the letter counts, not how it is dressed.
#
# score: 27
# feedback:
#   - "[passed] q1 is right"
#   - "[passed] q2 is right"
#   - "[passed] q3 is right"

# %% q1
q1 = "<right>".upper()

# %% q2
q2 = "  <right> "

# %% q3
q3 = "(<right>)"

# %% q4
q4 = "<right>."

# %% q5
q5 = f"{'<right>'}"
