# Calls a share of nothing 0, as scikit-learn does with a warning, and swallows
# the first batch of a loader by looking at it.
#
# score: {decide: 4, accuracy: 2.25, confusion: 4, precision_recall: 1.75, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "Counted picture by picture the accuracy is"
#   - "Precision is a share of nothing here, so it should be nan. Yours is 0."
#   - "Recall is a share of nothing here, so it should be nan. Yours is 0."

# %% accuracy
def accuracy(batches):
    logits, labels = next(iter(batches))
    right, total = 0, 0
    for logits, labels in batches:
        right += int((logits.argmax(dim=1) == labels).sum())
        total += len(labels)
    return right / total

# %% precision_recall
def precision_recall(matrix):
    matrix = np.array(matrix)
    called, actual = matrix[:, 0].sum(), matrix[0].sum()
    return matrix[0, 0] / max(called, 1), matrix[0, 0] / max(actual, 1)
