# An empty cell, an error, a syntax error and a misspelled name (5 points); each costs its own question, no other.
#
# score: 22
# feedback:
#   - "NameError: name 'q1' is not defined. Run the cell that defines it, or check the spelling."
#   - "NameError: name 'q3' is not defined"

# %% q1


# %% q2
q2 = 1 / 0

# %% q3
q3 = "<right>

# %% q8
Q8 = "<right>"
