# Measures with dropout and gradients, and loads a model that is still in train mode; exports it in train mode as well.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 5, save_and_load: 0, export: 1.5}
# feedback:
#   - "The model was in train mode while it was measured."
#   - "The loaded model, or a part of it, is in train mode."
#   - "The model came back in another mode than it had before."

# %% latency
import statistics
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    seconds = []
    for run in range(warm_up + runs):
        if synchronize:
            synchronize()
        start = time.perf_counter()
        model(images)
        if synchronize:
            synchronize()
        if run >= warm_up:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)

# %% save_and_load
def save_classifier(model, categories, path):
    torch.save({"state_dict": model.state_dict(), "categories": list(categories)}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=True)
    model = make_model(len(stored["categories"]))
    model.load_state_dict(stored["state_dict"])
    return model, stored["categories"]

# %% export
def export(model, example, path):
    model.eval()
    program = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("pictures")},))
    torch.export.save(program, path)
