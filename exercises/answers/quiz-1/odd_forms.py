# Things that are no letter, in questions 1 to 8 (10 points); the other answers are right.
#
# score: 17
# feedback:
#   - "There is no answer yet. Replace None by a letter in quotes"
#   - "Yours is 7."
#   - "There is no option 'e'; the letters go from a to d."
#   - "Yours is of the type list."
#   - "Give one letter, the one in front of the option you choose"
#   - "Yours is of the type function."

# %% q1
q1 = None

# %% q2
q2 = 7

# %% q3
q3 = "e"

# %% q4
q4 = [["<right>"]]

# %% q5
q5 = ""

# %% q6
q6 = "ab"

# %% q7
q7 = "This family of builders ends at B7"

# %% q8
def q8():
    return "<right>"
