# Softmax down the columns, a transposed matrix, and precision and recall swapped: all run, all have the right shape.
#
# score: {decide: 0, accuracy: 3, confusion: 0, precision_recall: 0, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "The probabilities of one picture should add up to 1. In one row they add up to"
#   - "Every count is right, but rows and columns have changed places: the actual category belongs in the rows."
#   - "The two numbers are right but swapped: precision comes first, then recall."

# %% decide
def decide(logits, categories):
    probabilities = logits.softmax(dim=0)
    return probabilities, [categories[number] for number in logits.argmax(dim=1)]

# %% confusion
def confusion(actual, predicted, categories, positive):
    order = [positive] + [name for name in categories if name != positive]
    matrix = np.zeros((len(order), len(order)), dtype=int)
    for a, p in zip(actual, predicted):
        matrix[order.index(p), order.index(a)] += 1
    return matrix

# %% precision_recall
def precision_recall(matrix):
    found = matrix[0][0]
    called, actual = sum(row[0] for row in matrix), sum(matrix[0])
    return found / actual if actual else float("nan"), found / called if called else float("nan")
