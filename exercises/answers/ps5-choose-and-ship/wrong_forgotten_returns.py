# Does the work, prints it, and returns nothing.
#
# score: {facts: 0, pick: 4, pareto_front: 0, latency: 0, save_and_load: 0, export: 3}
# feedback:
#   - "facts returned None. Does it end with a `return`?"
#   - "latency returned None. Does it end with a `return`?"
#   - "load_classifier returned None. Does it end with a `return`?"
#   - "pareto_front returned None. Does it end with a `return`?"

# %% facts
def facts(weights):
    meta = weights.meta
    print(weights, meta["_metrics"]["ImageNet-1K"]["acc@1"], meta["num_params"], meta["_ops"], meta["_file_size"])

# %% pareto_front
def pareto_front(models, cost):
    for model in sorted(models, key=lambda model: model[cost]):
        print(model["name"])

# %% latency
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    with torch.inference_mode():
        start = time.perf_counter()
        model(images)
        print(time.perf_counter() - start)

# %% save_and_load
def save_classifier(model, categories, path):
    torch.save({"state_dict": model.state_dict(), "categories": list(categories)}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=True)
    model = make_model(len(stored["categories"]))
    model.load_state_dict(stored["state_dict"])
