# Capitals, commas, a list, a unit, a computed number and a NumPy number: what is meant counts, not how it is dressed.
#
# score: 25
# feedback:
#   - "Your number is 384."
#   - "[passed] q2 is right"
#   - "[passed] q8 is right"
#   - "[passed] q11 is right"

# %% q1
q1 = "<right>".upper()

# %% q2
q2 = 600 * 256 / 400

# %% q3
import numpy

q3 = numpy.float32("<right>")

# %% q7
q7 = "line <right>"

# %% q8
q8 = [letter.upper() for letter in reversed("<right>")]

# %% q11
q11 = ", ".join("<right>")
