# pandas for the tables, NumPy for the median, names as bytes in a tensor.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] the most accurate, and of equals the faster"
#   - "[passed] the same scores and the same names arrive"

# %% pick
import pandas as pd


def pick(models, at_most):
    if not models:
        return None
    frame = pd.DataFrame(models)
    for key, limit in at_most.items():
        frame = frame[frame[key] <= limit]
    frame = frame.sort_values(["accuracy", "gflops"], ascending=[False, True])
    return models[frame.index[0]] if len(frame) else None

# %% pareto_front
import numpy as np


def pareto_front(models, cost):
    accuracy = np.array([model["accuracy"] for model in models])
    price = np.array([model[cost] for model in models])
    no_worse = (accuracy[:, None] >= accuracy) & (price[:, None] <= price)
    better = (accuracy[:, None] > accuracy) | (price[:, None] < price)
    stays = ~(no_worse & better).any(axis=0)
    return [models[i] for i in np.argsort(price, kind="stable") if stays[i]]

# %% latency
import timeit


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    def call():
        model(images)
        if synchronize:
            synchronize()

    mode = model.training
    try:
        model.train(False)
        with torch.no_grad():
            for _ in range(warm_up):
                call()
            seconds = timeit.repeat(call, repeat=runs, number=1)
    finally:
        model.train(mode)
    return float(np.median(seconds))

# %% save_and_load
def save_classifier(model, categories, path):
    text = "\n".join(categories).encode()
    names = torch.tensor(list(text), dtype=torch.uint8)
    torch.save([names, *model.state_dict().values()], path)


def load_classifier(path, make_model):
    names, *tensors = torch.load(path, weights_only=True, map_location="cpu")
    categories = bytes(names.tolist()).decode().split("\n")
    model = make_model(len(categories))
    keys = model.state_dict().keys()
    assert len(keys) == len(tensors)
    model.load_state_dict(dict(zip(keys, tensors)))
    return model.train(False), categories

# %% export
def export(model, example, path):
    mode = model.training
    try:
        program = torch.export.export(
            model.eval(), args=(example,), dynamic_shapes=[{0: torch.export.Dim("n", min=1, max=4096)}]
        )
    finally:
        model.train(mode)
    torch.export.save(program, path)
