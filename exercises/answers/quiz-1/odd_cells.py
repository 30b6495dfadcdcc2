# An empty cell, an error, a syntax error, a letter without quotes and a misspelled name (6 points); each costs its own
# question, no other.
#
# score: 21
# feedback:
#   - "q1 has no value: its cell ended in an error, or was not run."
#   - 'Letters need quotes, as in q4 = "b"'

# %% q1


# %% q2
q2 = 1 / 0

# %% q3
q3 = "<right>

# %% q4
q4 = b

# %% q8
Q8 = "<right>"
