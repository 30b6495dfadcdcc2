# Column numbers instead of names, softmax rounded to percent, accuracy in percent, and a category list that loses its
# first entry at each call.
#
# score: {decide: 0, accuracy: 0.25, confusion: 0, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "The names should be words such as 'fawn'. One of yours is something of the type int."
#   - "The accuracy should be from 0 to 1."
#   - "The list of categories has changed: it was"

# %% decide
def decide(logits, categories):
    probabilities = logits.softmax(dim=1)
    return probabilities, probabilities.argmax(dim=1).tolist()

# %% accuracy
def accuracy(batches):
    pairs = [(logits.argmax(dim=1), labels) for logits, labels in batches]
    right = sum((predicted == labels).sum().item() for predicted, labels in pairs)
    return 100 * right / sum(len(labels) for _, labels in pairs)

# %% confusion
def confusion(actual, predicted, categories, positive):
    categories.remove(positive)
    order = [positive] + categories
    matrix = np.zeros((len(order), len(order)), dtype=int)
    for a, p in zip(actual, predicted):
        matrix[order.index(a), order.index(p)] += 1
    return matrix
