# Softmax by hand without subtracting the largest score, the mean of the batches' accuracies, and positive last, as
# scikit-learn sorts it.
#
# score: {decide: 2.5, accuracy: 0.5, confusion: 0.5, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "exp(1000) is more than a float can hold."
#   - "is the mean of the batches' accuracies. Counted picture by picture it is"
#   - "Only fawn and grass appear that morning, and the others have no row and no column in your matrix."

# %% decide
def decide(logits, categories):
    exps = torch.exp(logits)
    probabilities = exps / exps.sum(dim=1, keepdim=True)
    return probabilities, [categories[number] for number in logits.argmax(dim=1)]

# %% accuracy
def accuracy(batches):
    return np.mean([(logits.argmax(dim=1) == labels).float().mean().item() for logits, labels in batches])

# %% confusion
from sklearn.metrics import confusion_matrix


def confusion(actual, predicted, categories, positive):
    return confusion_matrix(actual, predicted)
