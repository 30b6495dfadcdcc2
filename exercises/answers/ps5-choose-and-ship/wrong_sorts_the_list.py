# Sorts the list that belongs to somebody else, and gives names and unsorted models back.
#
# score: {facts: 3, pick: 0, pareto_front: 0.5, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "The list of models, or something in it, has changed."
#   - "The right models, but the cheapest should come first."

# %% pick
def pick(models, at_most):
    models.sort(key=lambda model: -model["accuracy"])
    for model in models:
        if all(model[key] <= limit for key, limit in at_most.items()):
            return model["name"]

# %% pareto_front
def pareto_front(models, cost):
    def beaten(model):
        return any(
            other["accuracy"] >= model["accuracy"]
            and other[cost] <= model[cost]
            and (other["accuracy"], other[cost]) != (model["accuracy"], model[cost])
            for other in models
        )

    front = sorted((model for model in models if not beaten(model)), key=lambda model: model[cost])
    return front[::-1]
