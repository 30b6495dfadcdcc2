# A median that is rounded to microseconds, gflops rounded; a front without the equals; dropout on record.
#
# score: {facts: 1, pick: 4, pareto_front: 2.5, latency: 4.5, save_and_load: 5, export: 0}
# feedback:
#   - "It should not be rounded."
#   - "gflops should be"
#   - "but your list leaves that out."
#   - "In which mode was the model when it was exported?"

# %% facts
def facts(weights):
    meta = weights.meta
    return {
        "name": str(weights),
        "accuracy": meta["_metrics"]["ImageNet-1K"]["acc@1"],
        "parameters": meta["num_params"],
        "gflops": round(meta["_ops"], 1),
        "megabytes": meta["_file_size"],
    }

# %% pareto_front
def pareto_front(models, cost):
    front = []
    for model in sorted(models, key=lambda model: (model[cost], -model["accuracy"])):
        if not front or model["accuracy"] > front[-1]["accuracy"]:
            front.append(model)
    return front

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
    return round(statistics.median(seconds), 5)

# %% export
def export(model, example, path):
    mode = model.training
    program = torch.export.export(model.train(), (example,), dynamic_shapes=({0: torch.export.Dim("pictures")},))
    model.train(mode)
    torch.export.save(program, path)
