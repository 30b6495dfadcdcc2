# Milliseconds, a model that stays in eval mode, numbers of half precision in the file, and a program for two pictures only.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 0.75, save_and_load: 0, export: 2}
# feedback:
#   - "It looks like a thousand times too much: milliseconds."
#   - "The model came back in another mode than it had before."
#   - "The loaded model gives other scores: they are off by up to"
#   - "The program does not take 1 picture."

# %% latency
import statistics
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    model.eval()
    milliseconds = []
    with torch.inference_mode():
        for run in range(warm_up + runs):
            if synchronize:
                synchronize()
            start = time.perf_counter()
            model(images)
            if synchronize:
                synchronize()
            if run >= warm_up:
                milliseconds.append(1000 * (time.perf_counter() - start))
    return statistics.median(milliseconds)

# %% save_and_load
def save_classifier(model, categories, path):
    state = {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}
    torch.save({"state_dict": state, "categories": list(categories)}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=True)
    model = make_model(len(stored["categories"]))
    model.load_state_dict(stored["state_dict"])
    return model.eval(), stored["categories"]

# %% export
def export(model, example, path):
    was_training = model.training
    model.eval()
    program = torch.export.export(model, (example,))
    model.train(was_training)
    torch.export.save(program, path)
