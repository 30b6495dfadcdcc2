# Numbers as texts, a mask instead of positions, probabilities rounded to percent, a fine grid of thresholds.
#
# score: {decide: 0, accuracy: 3, confusion: 4, precision_recall: 1.75, choose_threshold: 2.5, report: 4, leaked: 0}
# feedback:
#   - "'nan' is a text."
#   - "This is a list of True and False. Positions are asked"
#   - "Are they rounded?"
#   - "enough fawns are found, with"

# %% decide
def decide(logits, categories):
    probabilities = logits.softmax(dim=1)
    return probabilities.double().round(decimals=2), [categories[i] for i in probabilities.argmax(dim=1)]

# %% precision_recall
def precision_recall(matrix):
    found = matrix[0][0]
    called, actual = sum(row[0] for row in matrix), sum(matrix[0])
    return (found / called if called else "nan"), (found / actual if actual else "nan")

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    return max(t for t in np.linspace(0, 1, 1001) if (probabilities[is_fawn] >= t).mean() >= wanted_recall)

# %% leaked
def leaked(train, test):
    known = {(image.size, image.tobytes()) for image in train}
    return [(image.size, image.tobytes()) in known for image in test]
