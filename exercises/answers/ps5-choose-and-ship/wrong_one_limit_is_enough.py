# Keeps models that keep any of the limits, forgets who is faster of two, and knows one kind of cost only.
#
# score: {facts: 1, pick: 0.75, pareto_front: 3.25, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "With {'megabytes': 30, 'gflops': 0.5} the best is 'gentian', not 'arnica'."
#   - "Your list has m0, m1, which another model beats."
#   - "parameters should be 11689512, not 11.689512."

# %% facts
def facts(weights):
    meta = weights.meta
    return {
        "name": str(weights),
        "accuracy": meta["_metrics"]["ImageNet-1K"]["acc@1"],
        "parameters": meta["num_params"] / 1e6,
        "gflops": meta["_ops"],
        "megabytes": meta["_file_size"],
    }

# %% pick
def pick(models, at_most):
    fitting = [model for model in models if any(model[key] <= limit for key, limit in at_most.items())]
    return max(fitting, key=lambda model: model["accuracy"], default=None)

# %% pareto_front
def pareto_front(models, cost):
    front = []
    for model in sorted(models, key=lambda model: (model["gflops"], -model["accuracy"])):
        if not front or model["accuracy"] > front[-1]["accuracy"]:
            front.append(model)
        elif (model["accuracy"], model["gflops"]) == (front[-1]["accuracy"], front[-1]["gflops"]):
            front.append(model)
    return front
