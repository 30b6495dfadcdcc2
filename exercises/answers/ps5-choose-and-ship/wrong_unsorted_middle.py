# The middle of a list that nobody sorted, accuracies rounded everywhere, names joined by commas.
#
# score: {facts: 0, pick: 3, pareto_front: 2.75, latency: 3, save_and_load: 3.75, export: 3}
# feedback:
#   - "It looks like the one in the middle of the list, which is not sorted."
#   - "Rounded, it makes ties."
#   - "the best is"
#   - "size mismatch"
#   - "which another model beats"

# %% facts
def facts(weights):
    meta = weights.meta
    return {
        "name": str(weights),
        "accuracy": round(meta["_metrics"]["ImageNet-1K"]["acc@1"], 1),
        "parameters": meta["num_params"],
        "gflops": meta["_ops"],
        "megabytes": meta["_file_size"],
    }

# %% pick
def pick(models, at_most):
    fitting = [model for model in models if all(model[key] <= limit for key, limit in at_most.items())]
    return max(fitting, key=lambda model: (round(model["accuracy"], 1), -model["gflops"]), default=None)

# %% pareto_front
def pareto_front(models, cost):
    def pair(model):
        return round(model["accuracy"], 1), round(model[cost], 1)

    def beaten(model):
        (accuracy, price) = pair(model)
        return any(a >= accuracy and c <= price and (a, c) != (accuracy, price) for a, c in map(pair, models))

    return sorted((model for model in models if not beaten(model)), key=lambda model: model[cost])

# %% latency
import statistics
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    wait = synchronize or (lambda: None)
    was_training = model.training
    model.eval()
    seconds = []
    with torch.inference_mode():
        for run in range(warm_up + runs):
            wait()
            start = time.perf_counter()
            model(images)
            wait()
            if run >= warm_up:
                seconds.append(time.perf_counter() - start)
    model.train(was_training)
    return seconds[len(seconds) // 2]

# %% save_and_load
def save_classifier(model, categories, path):
    torch.save({"state_dict": model.state_dict(), "categories": ",".join(categories)}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=True)
    names = stored["categories"].split(",")
    model = make_model(len(names))
    model.load_state_dict(stored["state_dict"])
    return model.eval(), names
