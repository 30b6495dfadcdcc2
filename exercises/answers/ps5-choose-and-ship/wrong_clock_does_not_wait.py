# Never waits for the device; and pickles the whole model, so that opening the file runs code.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 4.5, save_and_load: 0, export: 3}
# feedback:
#   - "before the device had done the work."
#   - "The file cannot be opened without the risk of running code:"

# %% latency
import statistics
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    was_training = model.training
    model.eval()
    seconds = []
    with torch.inference_mode():
        for run in range(warm_up + runs):
            start = time.perf_counter()
            model(images)
            if run >= warm_up:
                seconds.append(time.perf_counter() - start)
    model.train(was_training)
    return statistics.median(seconds)

# %% save_and_load
def save_classifier(model, categories, path):
    torch.save({"model": model, "categories": categories}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=False)
    return stored["model"].eval(), stored["categories"]
