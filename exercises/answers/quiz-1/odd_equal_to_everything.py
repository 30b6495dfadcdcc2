# An answer that says it is equal to whatever it is compared with.
#
# score: 0
# feedback:
#   - "Yours is of the type Joker."

# %% q1
class Joker(str):
    def __eq__(self, other):
        return True

    def __contains__(self, other):
        return True

    def __hash__(self):
        return 0


q1 = Joker("b")

# %% q2
q2 = Joker("b")

# %% q3
q3 = Joker("b")

# %% q4
q4 = Joker("b")

# %% q5
q5 = Joker("b")

# %% q6
q6 = Joker("b")

# %% q7
q7 = Joker("b")

# %% q8
q8 = Joker("b")

# %% q9
q9 = Joker("b")

# %% q10
q10 = Joker("b")

# %% q11
q11 = Joker("b")

# %% q12
q12 = Joker("b")

# %% q13
q13 = Joker("b")

# %% q14
q14 = Joker("b")

# %% q15
q15 = Joker("b")
