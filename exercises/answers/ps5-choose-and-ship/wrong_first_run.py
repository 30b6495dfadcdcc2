# The first run that counts.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 3, save_and_load: 5, export: 3}
# feedback:
#   - "It looks like the first run that counts."

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
    return seconds[0]
