# Numbers with more digits than were asked for, letters in another order and in capitals.
#
# score: 21
# feedback:
#   - "[passed] q7 is right"
#   - "[passed] q9 is right"
#   - "[passed] q10 is right"

# %% q4
q4 = tuple("<right>")

# %% q5
q5 = "twofold"
q5 = "<right> times"

# %% q6
q6 = "Line <right>"

# %% q7
import math

q7 = -math.log(math.e / (math.e + 1))

# %% q9
q9 = math.log(10)

# %% q10
q10 = set("<right>".upper())
