# Reports the fastest run, warms up with one call too many, and forgets what is not a parameter of the file.
#
# score: {facts: 3, pick: 0, pareto_front: 4, latency: 1, save_and_load: 3.75, export: 3}
# feedback:
#   - "to measure are 6. The model was called 7 times."
#   - "The model was called 7 times."
#   - "With {} the best is"
#   - "load_classifier took weights of a wider network without an error."
#   - "The list of models, or something in it, has changed."

# %% pick
def pick(models, at_most):
    while models and any(models[0][key] > limit for key, limit in at_most.items()):
        models.pop(0)
    return max(models, key=lambda model: model["accuracy"], default=None)

# %% latency
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    was_training = model.training
    model.eval()
    fastest = float("inf")
    with torch.inference_mode():
        for run in range(warm_up + 1 + runs):
            if synchronize:
                synchronize()
            start = time.perf_counter()
            model(images)
            if synchronize:
                synchronize()
            fastest = min(fastest, time.perf_counter() - start)
    model.train(was_training)
    return fastest

# %% save_and_load
def save_classifier(model, categories, path):
    torch.save({"state_dict": model.state_dict(), "categories": list(categories)}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=True)
    model = make_model(len(stored["categories"]))
    mine = model.state_dict()
    fitting = {name: t for name, t in stored["state_dict"].items() if name in mine and t.shape == mine[name].shape}
    model.load_state_dict(fitting, strict=False)
    return model.eval(), stored["categories"]
