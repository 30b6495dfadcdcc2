# Divides without looking, knows only two categories, and takes a note in a file for another picture.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 1, choose_threshold: 4, report: 3.5, leaked: 2}
# feedback:
#   - "raised ZeroDivisionError: division by zero"
#   - "precision is 0.5217. Yours is 0.8571."
#   - "Your answer leaves out pictures that are in the training set, at position 1."

# %% precision_recall
def precision_recall(matrix):
    found, missed, false_alarms = matrix[0][0], matrix[0][1], matrix[1][0]
    return found / (found + false_alarms), found / (found + missed)

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(*validation, wanted_recall)
    said, truth = (test[0] >= threshold).tolist(), test[1].tolist()
    found = sum(s and t for s, t in zip(said, truth))
    return {
        "threshold": threshold,
        "accuracy": sum(s == t for s, t in zip(said, truth)) / len(truth),
        "lazy_accuracy": truth.count(False) / len(truth),
        "precision": found / sum(said),
        "recall": found / sum(truth),
    }

# %% leaked
def leaked(train, test):
    return [position for position, image in enumerate(test) if image in train]
