# A wrong letter everywhere. The test looks for the feedback of each chosen option, which the bank holds.
#
# score: 0
# feedback:
#   - "[passed] q1 has the right form"
#   - "[not yet] q1 is right"
#   - "1 of 2 checks passed."

# %% q1
q1 = "<wrong>"

# %% q2
q2 = "<wrong>"

# %% q3
q3 = "<wrong>"

# %% q4
q4 = "<wrong>"

# %% q5
q5 = "<wrong>"

# %% q6
q6 = "<wrong>"

# %% q7
q7 = "<wrong>"

# %% q8
q8 = "<wrong>"

# %% q9
q9 = "<wrong>"

# %% q10
q10 = "<wrong>"

# %% q11
q11 = "<wrong>"

# %% q12
q12 = "<wrong>"

# %% q13
q13 = "<wrong>"

# %% q14
q14 = "<wrong>"

# %% q15
q15 = "<wrong>"
