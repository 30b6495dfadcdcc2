# Leaves the counting to scikit-learn, with the arguments that matter: labels, pos_label and zero_division.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] a category that is missing keeps its place"
#   - "[passed] a morning without a fawn, a morning without an alarm"

# %% decide
from scipy.special import softmax
from sklearn import metrics


def decide(logits, categories):
    probabilities = softmax(logits.numpy(), axis=-1)
    return probabilities, [categories[i] for i in np.argmax(probabilities, axis=-1)]

# %% accuracy
def accuracy(batches):
    predicted, actual = [], []
    for logits, labels in batches:
        predicted.extend(logits.argmax(1).tolist())
        actual.extend(labels.tolist())
    return metrics.accuracy_score(actual, predicted)

# %% confusion
def confusion(actual, predicted, categories, positive):
    rest = list(categories)
    rest.remove(positive)
    return metrics.confusion_matrix(actual, predicted, labels=[positive] + rest)

# %% precision_recall
def precision_recall(matrix):
    actual, predicted, counts = [], [], []
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            actual.append(i == 0)
            predicted.append(j == 0)
            counts.append(count)
    options = {"sample_weight": counts, "zero_division": np.nan}
    return metrics.precision_score(actual, predicted, **options), metrics.recall_score(actual, predicted, **options)

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    _, recall, thresholds = metrics.precision_recall_curve(is_fawn, probabilities)
    return thresholds[recall[:-1] >= wanted_recall].max()

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(*validation, wanted_recall)
    predicted = test[0] >= threshold
    return {
        "threshold": threshold,
        "accuracy": metrics.accuracy_score(test[1], predicted),
        "lazy_accuracy": metrics.accuracy_score(test[1], np.zeros_like(test[1])),
        "precision": metrics.precision_score(test[1], predicted, zero_division=np.nan),
        "recall": metrics.recall_score(test[1], predicted, zero_division=np.nan),
        "f1": metrics.f1_score(test[1], predicted, zero_division=np.nan),
    }

# %% leaked
def leaked(train, test):
    known = {}
    for image in train:
        known.setdefault(image.size, set()).add(tuple(image.get_flattened_data() if hasattr(image, "get_flattened_data") else image.getdata()))
    result = []
    for i in range(len(test)):
        image = test[i]
        pixels = tuple(image.get_flattened_data() if hasattr(image, "get_flattened_data") else image.getdata())
        if pixels in known.get(image.size, ()):
            result.append(i)
    return result
