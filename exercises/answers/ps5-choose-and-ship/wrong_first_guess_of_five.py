# Takes acc@5 for the accuracy, wants less than the limit instead of at most, and lets twins beat each other.
#
# score: {facts: 0, pick: 1.5, pareto_front: 2.5, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "accuracy should be 69.758, not 89.078."
#   - "With {'megabytes': 25} the best is 'arnica', not 'gentian'."
#   - "No other model beats m0, m1, but your list leaves that out."

# %% facts
def facts(weights):
    meta = weights.meta
    return {
        "name": str(weights),
        "accuracy": meta["_metrics"]["ImageNet-1K"]["acc@5"],
        "parameters": meta["num_params"],
        "gflops": meta["_ops"],
        "megabytes": meta["_file_size"],
    }

# %% pick
def pick(models, at_most):
    fitting = [model for model in models if all(model[key] < limit for key, limit in at_most.items())]
    return max(fitting, key=lambda model: (model["accuracy"], -model["gflops"]), default=None)

# %% pareto_front
def pareto_front(models, cost):
    def beaten(model):
        return any(
            other["accuracy"] >= model["accuracy"] and other[cost] <= model[cost] and other is not model for other in models
        )

    return sorted((model for model in models if not beaten(model)), key=lambda model: model[cost])
