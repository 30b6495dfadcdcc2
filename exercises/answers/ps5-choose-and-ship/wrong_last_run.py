# The last run, limits of 0 that are none, names that stay in this program.
#
# score: {facts: 3, pick: 3, pareto_front: 4, latency: 3, save_and_load: 0, export: 3}
# feedback:
#   - "It looks like the last run."
#   - "These are the names of the model that was saved last."
#   - "the best is 'free', not 'dear'"

# %% pick
def pick(models, at_most):
    fitting = [model for model in models if all(not limit or model[key] <= limit for key, limit in at_most.items())]
    return max(fitting, key=lambda model: (model["accuracy"], -model["gflops"]), default=None)

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
    return seconds[-1]

# %% save_and_load
def save_classifier(model, categories, path):
    global names
    names = list(categories)
    torch.save(model.state_dict(), path)


def load_classifier(path, make_model):
    state = torch.load(path, weights_only=True)
    model = make_model(len(list(state.values())[-1]))
    model.load_state_dict(state)
    return model.eval(), names
