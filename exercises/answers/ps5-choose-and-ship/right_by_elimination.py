# Takes away who does not fit, and who is beaten, until only the right ones are left.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] it is the median, whatever the order"

# %% pick
def pick(models, at_most):
    left = list(models)
    for key in at_most:
        left = [model for model in left if model[key] <= at_most[key]]
    if left:
        best = max(model["accuracy"] for model in left)
        return min((model for model in left if model["accuracy"] == best), key=lambda model: model["gflops"])

# %% pareto_front
from operator import itemgetter


def pareto_front(models, cost):
    left = sorted(models, key=itemgetter(cost))
    for one in models:
        left = [
            other
            for other in left
            if not (
                (one["accuracy"] > other["accuracy"] and one[cost] <= other[cost])
                or (one["accuracy"] >= other["accuracy"] and one[cost] < other[cost])
            )
        ]
    return left
