# Things that are no answer of the kind asked for, in questions 1, 2, 3, 7, 8 and 11 (15 points); the others are right.
#
# score: 10
# feedback:
#   - "Give one letter, the one in front of the option you choose"
#   - "The answer is a number, for example 3.5. Yours is 'about 380'."
#   - "The answer is a number, for example 3.5. Yours is True."
#   - "There is no code on line 7; the lines go from 1 to 6."
#   - "There is no option 'f'; the letters go from a to e."
#   - "All 5 steps are needed: give 5 letters"

# %% q1
q1 = "<right>a b"

# %% q2
q2 = "about 380"

# %% q3
q3 = True

# %% q7
q7 = 7

# %% q8
q8 = "abf"

# %% q11
q11 = "<right>"[:3]
