# A context manager for the modes, a generator for the seconds.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] it is the median, whatever the order"

# %% latency
import contextlib
import statistics
import time


@contextlib.contextmanager
def as_in_the_app(model):
    modes = {module: module.training for module in model.modules()}
    try:
        with torch.inference_mode():
            yield model.eval()
    finally:
        for module, mode in modes.items():
            module.train(mode) if not list(module.children()) else setattr(module, "training", mode)


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    def timed():
        if synchronize:
            synchronize()
        start = time.perf_counter()
        model(images)
        if synchronize:
            synchronize()
        return time.perf_counter() - start

    with as_in_the_app(model):
        seconds = [timed() for _ in range(warm_up + runs)]
    return float(statistics.median(seconds[warm_up:]))
