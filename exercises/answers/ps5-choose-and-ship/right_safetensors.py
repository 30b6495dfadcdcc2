# safetensors with the names as JSON, one sweep from cheap to expensive, a clock in nanoseconds.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] the same scores and the same names arrive"
#   - "[passed] equals stay together"

# %% facts
def facts(weights):
    found = weights.meta
    (accuracies,) = [numbers for data, numbers in found["_metrics"].items() if data.startswith("ImageNet")]
    keys = {"parameters": "num_params", "gflops": "_ops", "megabytes": "_file_size"}
    return {"name": f"{weights}", "accuracy": accuracies["acc@1"]} | {mine: found[theirs] for mine, theirs in keys.items()}

# %% pick
def pick(models, at_most):
    best = None
    for model in models:
        if any(model[key] > limit for key, limit in at_most.items()):
            continue
        if best is None or model["accuracy"] > best["accuracy"]:
            best = model
        elif model["accuracy"] == best["accuracy"] and model["gflops"] < best["gflops"]:
            best = model
    return best

# %% pareto_front
def pareto_front(models, cost):
    front = []
    for model in sorted(models, key=lambda model: (model[cost], -model["accuracy"])):
        last = front[-1] if front else None
        if last is None or model["accuracy"] > last["accuracy"]:
            front.append(model)
        elif model["accuracy"] == last["accuracy"] and model[cost] == last[cost]:
            front.append(model)
    return front

# %% latency
import time


@torch.no_grad()
def latency(model, images, warm_up=3, runs=11, synchronize=None):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    for _ in range(warm_up):
        model(images)
    times = []
    for _ in range(runs):
        if synchronize is not None:
            synchronize()
        start = time.perf_counter_ns()
        model(images)
        if synchronize is not None:
            synchronize()
        times.append(time.perf_counter_ns() - start)
    for module, mode in modes.items():
        module.training = mode
    times.sort()
    middle = len(times) // 2
    return (times[middle] + times[~middle]) / 2 / 1e9

# %% save_and_load
import json

from safetensors import safe_open
from safetensors.torch import save_file


def save_classifier(model, categories, path):
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, path, metadata={"categories": json.dumps(list(categories))})


def load_classifier(path, make_model):
    with safe_open(path, "pt") as file:
        categories = json.loads(file.metadata()["categories"])
        state = {name: file.get_tensor(name) for name in file.keys()}
    model = make_model(len(categories))
    model.load_state_dict(state, strict=True)
    model.eval()
    return model, categories

# %% export
import copy


def export(model, example, path):
    twin = copy.deepcopy(model).eval()
    with torch.no_grad():
        program = torch.export.export(twin, (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
    torch.export.save(program, str(path))
