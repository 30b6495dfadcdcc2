# Checks what it reads, copies before it changes anything, and wraps the network before it exports it.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] code in a file does not run"
#   - "[passed] the clock waits for the device"

# %% facts
def facts(weights):
    meta = dict(weights.meta)
    return dict(
        name=str(weights),
        accuracy=meta.get("_metrics", {}).get("ImageNet-1K", {}).get("acc@1"),
        parameters=meta["num_params"],
        gflops=meta["_ops"],
        megabytes=meta["_file_size"],
    )

# %% pick
def pick(models, at_most):
    ranked = sorted(models, key=lambda model: model["gflops"])
    ranked = sorted(ranked, key=lambda model: model["accuracy"], reverse=True)
    return next((model for model in ranked if all(model[key] <= at_most[key] for key in at_most)), None)

# %% pareto_front
def beats(one, other, cost):
    if one["accuracy"] < other["accuracy"] or one[cost] > other[cost]:
        return False
    return one["accuracy"] > other["accuracy"] or one[cost] < other[cost]


def pareto_front(models, cost):
    front = []
    for model in models:
        if not any(beats(other, model, cost) for other in models):
            front.append(dict(model))
    front.sort(key=lambda model: model[cost])
    return front

# %% latency
from time import perf_counter


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    wait = synchronize if synchronize is not None else lambda: None
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for _ in range(warm_up):
                model(images)
            wait()
            measured = []
            while len(measured) < runs:
                before = perf_counter()
                model(images)
                wait()
                measured.append(perf_counter() - before)
    finally:
        model.train(training)
    return torch.tensor(measured, dtype=torch.double).quantile(0.5).item()

# %% save_and_load
def save_classifier(model, categories, path):
    with open(path, "wb") as file:
        torch.save(({k: v.detach().cpu().clone() for k, v in model.state_dict().items()}, [*categories]), file)


def load_classifier(path, make_model):
    with open(path, "rb") as file:
        state, names = torch.load(file, weights_only=True)
    model = make_model(len(names))
    mine = model.state_dict()
    if mine.keys() != state.keys() or any(mine[name].shape != state[name].shape for name in mine):
        raise ValueError("These are the weights of another network.")
    with torch.no_grad():
        for name, tensor in mine.items():
            tensor.copy_(state[name])
    for module in model.modules():
        module.eval()
    return [model, tuple(names)]

# %% export
class Classifier(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pictures):
        return self.model(pictures)


def export(model, example, path):
    import copy

    wrapped = Classifier(copy.deepcopy(model)).eval()
    some = torch.cat([example, example])
    program = torch.export.export(wrapped, (some,), dynamic_shapes={"pictures": {0: torch.export.Dim.AUTO}})
    with open(path, "wb") as file:
        torch.export.save(program, file)
