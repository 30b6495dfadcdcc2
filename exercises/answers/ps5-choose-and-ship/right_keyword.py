# Builds the network by keyword, as the text writes it; NumPy numbers in the facts; one sort for everything.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] it is the median, whatever the order"

# %% facts
import numpy as np


def facts(weights):
    meta = weights.meta
    told = {"name": str(weights), "accuracy": np.float64(meta["_metrics"]["ImageNet-1K"]["acc@1"])}
    told["parameters"] = np.int64(meta["num_params"])
    told["gflops"], told["megabytes"] = np.float64(meta["_ops"]), np.float64(meta["_file_size"])
    return told

# %% save_and_load
def save_classifier(model, categories, path):
    torch.save({"weights": model.state_dict(), "names": tuple(categories)}, path)


def load_classifier(path, make_model):
    stored = torch.load(path, weights_only=True)
    model = make_model(num_classes=len(stored["names"]))
    model.load_state_dict(stored["weights"])
    model.eval()
    return model, list(stored["names"])
