# Loops, lists and the math module, as before NumPy; every pair of pictures is compared.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] no score is too large or too low"
#   - "[passed] the highest one that finds enough"

# %% decide
import math


def decide(logits, categories):
    probabilities, names = [], []
    for row in logits.tolist():
        largest = max(row)
        exps = [math.exp(score - largest) for score in row]
        probabilities.append([value / sum(exps) for value in exps])
        names.append(categories[row.index(largest)])
    return [probabilities, names]

# %% accuracy
def accuracy(batches):
    right, wrong = 0, 0
    for logits, labels in batches:
        for row, label in zip(logits.tolist(), labels.tolist()):
            if row.index(max(row)) == label:
                right += 1
            else:
                wrong += 1
    return right / (right + wrong)

# %% confusion
def confusion(actual, predicted, categories, positive):
    order = [positive]
    for name in categories:
        if name != positive:
            order.append(name)
    pairs = list(zip(actual, predicted))
    return [[pairs.count((row, column)) for column in order] for row in order]

# %% precision_recall
def precision_recall(matrix):
    called = 0
    for row in matrix:
        called += row[0]
    actual = 0
    for count in matrix[0]:
        actual += count
    precision = recall = None
    if called > 0:
        precision = matrix[0][0] / called
    if actual > 0:
        recall = matrix[0][0] / actual
    return [precision, recall]

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    for bar in sorted(set(probabilities.tolist()), reverse=True):
        found = sum(1 for p, fawn in zip(probabilities, is_fawn) if fawn and p >= bar)
        if found / sum(is_fawn) >= wanted_recall:
            return bar

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(validation[0], validation[1], wanted_recall)
    said = ["fawn" if p >= threshold else "grass" for p in test[0]]
    truth = ["fawn" if fawn else "grass" for fawn in test[1]]
    precision, recall = precision_recall(confusion(truth, said, ["grass", "fawn"], "fawn"))
    return {
        "threshold": threshold,
        "accuracy": sum(a == b for a, b in zip(said, truth)) / len(truth),
        "lazy_accuracy": truth.count("grass") / len(truth),
        "precision": precision,
        "recall": recall,
    }

# %% leaked
def leaked(train, test):
    positions = set()
    for position, image in enumerate(test):
        for other in train:
            if image.size == other.size and image.tobytes() == other.tobytes():
                positions.add(position)
    return positions
