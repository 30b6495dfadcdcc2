# A computed number, the line as text, letters with brackets and in any order.
#
# score: 27
# feedback:
#   - "[passed] q2 is right"
#   - "[passed] q3 is right"
#   - "[passed] q9 is right"

# %% q2
q2 = 11.69 * 4

# %% q3
q3 = " ".join(f"({letter})" for letter in "<right>")

# %% q4
q4 = "<right>"

# %% q9
q9 = "; ".join(reversed("<right>"))
