# Tensors everywhere, float32 included, numbers as tensors without a dimension, and the threshold between two pictures.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] the probabilities of each picture add up to 1"
#   - "[passed] the threshold comes from the validation pictures"

# %% decide
def decide(logits, categories):
    log_probabilities = torch.log_softmax(logits, -1)
    best = logits.topk(1, dim=-1).indices.flatten()
    return log_probabilities.exp(), tuple(categories[i] for i in best)

# %% accuracy
def accuracy(batches):
    hits = torch.tensor(0)
    count = torch.tensor(0)
    for logits, labels in batches:
        hits += (logits.max(dim=1).indices == labels).sum()
        count += labels.numel()
    return hits / count

# %% confusion
def confusion(actual, predicted, categories, positive):
    order = [positive] + [name for name in categories if name != positive]
    matrix = torch.zeros(len(order), len(order))
    for a, p in zip(actual, predicted):
        matrix[order.index(a)][order.index(p)] += 1
    return matrix.int()

# %% precision_recall
def precision_recall(matrix):
    matrix = torch.tensor(matrix)
    return torch.stack([matrix[0, 0] / matrix[:, 0].sum(), matrix[0, 0] / matrix[0].sum()])

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    scores, truth = torch.tensor(probabilities), torch.tensor(is_fawn)
    values = scores.unique()  # sorted
    recall = torch.stack([(scores[truth] >= value).double().mean() for value in values])
    last = int((recall >= wanted_recall).nonzero().max())
    below = values[last - 1] if last > 0 else torch.tensor(0.0)
    return (values[last] * 3 + below) / 4

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(*validation, wanted_recall)
    scores, truth = torch.from_numpy(test[0]), torch.from_numpy(test[1])
    said = scores >= threshold
    hits = (said & truth).sum()
    return {
        "threshold": threshold.item(),
        "accuracy": (said == truth).float().mean(),
        "lazy_accuracy": (~truth).float().mean(),
        "precision": hits / said.sum(),
        "recall": hits / truth.sum(),
    }

# %% leaked
from torchvision.transforms.functional import pil_to_tensor


def leaked(train, test):
    known = [pil_to_tensor(image) for image in train]
    found = [any(torch.equal(pil_to_tensor(image), other) for other in known) for image in test]
    return torch.tensor(found).nonzero().flatten()
