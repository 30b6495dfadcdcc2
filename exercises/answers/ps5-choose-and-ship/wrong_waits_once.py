# Waits only at the very end and divides by the number of runs; saves parameters without BatchNorm's statistics, and does not mind what is missing.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 4.5, save_and_load: 0, export: 3}
# feedback:
#   - "The loaded model gives other scores"
#   - "It looks like the mean of all runs."

# %% latency
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        for _ in range(warm_up):
            model(images)
        if synchronize:
            synchronize()
        start = time.perf_counter()
        for _ in range(runs):
            model(images)
        if synchronize:
            synchronize()
        seconds = (time.perf_counter() - start) / runs
    model.train(was_training)
    return seconds

# %% save_and_load
def save_classifier(model, categories, path):
    torch.save({"weights": {name: p.detach() for name, p in model.named_parameters()}, "names": list(categories)}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=True)
    model = make_model(len(stored["names"]))
    model.load_state_dict(stored["weights"], strict=False)
    return model.eval(), stored["names"]
