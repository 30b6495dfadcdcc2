# Decides with > on the test pictures, looks at the first pixels only, counts all wrong rows as missed.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 2.25, choose_threshold: 4, report: 3, leaked: 2.25}
# feedback:
#   - "Three test pictures have exactly the threshold as their probability."
#   - "pictures that are not in the training set, at position 0"
#   - "precision is 0.5217. Yours is"

# %% precision_recall
def precision_recall(matrix):
    found, false_alarms, missed = matrix[0][0], matrix[-1][0], matrix[0][-1]
    nan = float("nan")
    precision = found / (found + false_alarms) if found + false_alarms else nan
    recall = found / (found + missed) if found + missed else nan
    return precision, recall

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(*validation, wanted_recall)
    probabilities, is_fawn = test
    says_fawn = probabilities > threshold
    found, called, fawns = (says_fawn & is_fawn).sum(), says_fawn.sum(), is_fawn.sum()
    return {
        "threshold": threshold,
        "accuracy": (says_fawn == is_fawn).mean(),
        "lazy_accuracy": 1 - is_fawn.mean(),
        "precision": found / called if called else float("nan"),
        "recall": found / fawns if fawns else float("nan"),
    }

# %% leaked
def leaked(train, test):
    known = {(image.size, image.tobytes()[:64]) for image in train}
    return [position for position, image in enumerate(test) if (image.size, image.tobytes()[:64]) in known]
