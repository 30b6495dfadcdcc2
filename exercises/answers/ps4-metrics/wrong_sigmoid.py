# A sigmoid for each score, which does not make one picture's probabilities add up to 1; a loader's len() that does not
# exist; and the order of the categories as it comes, whatever is positive.
#
# score: {decide: 0, accuracy: 0.5, confusion: 0, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "In one row they add up to"
#   - "has no len()"
#   - "The counts are right, but not in their places: the order should be hare, grass, fawn."

# %% decide
def decide(logits, categories):
    probabilities = torch.sigmoid(logits)
    return probabilities, [categories[number] for number in probabilities.argmax(dim=1)]

# %% accuracy
def accuracy(batches):
    right = sum((logits.argmax(dim=1) == labels).sum().item() for logits, labels in batches)
    return right / (len(batches) * len(batches[0][1]))

# %% confusion
def confusion(actual, predicted, categories, positive):
    matrix = np.zeros((len(categories), len(categories)), dtype=int)
    for a, p in zip(actual, predicted):
        matrix[categories.index(a), categories.index(p)] += 1
    return matrix
