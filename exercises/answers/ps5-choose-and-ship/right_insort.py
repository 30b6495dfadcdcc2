# Keeps the measured seconds in order while they come, and names in a tensor of bytes.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] it is the median, whatever the order"

# %% latency
import bisect
import time


def latency(model, images, warm_up=3, runs=11, synchronize=None):
    was_training = model.training
    model.eval()
    ordered = []
    with torch.no_grad():
        for number in range(-warm_up, runs):
            if synchronize is not None:
                synchronize()
            begin = time.monotonic()
            model(images)
            if synchronize is not None:
                synchronize()
            end = time.monotonic()
            if number >= 0:
                bisect.insort(ordered, end - begin)
    model.train(was_training)
    return (ordered[(runs - 1) // 2] + ordered[runs // 2]) / 2

# %% export
def export(model, example, path):
    was_training = model.training
    try:
        exported = torch.export.export(model.eval(), (example,), dynamic_shapes=((torch.export.Dim.DYNAMIC, None, None, None),))
        torch.export.save(exported, path)
    finally:
        model.train(was_training)
