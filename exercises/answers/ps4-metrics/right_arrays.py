# NumPy from one end to the other: cumulative sums for the threshold, None for a share of nothing.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] everything else is measured on the test pictures"

# %% precision_recall
def precision_recall(matrix):
    matrix = np.asarray(matrix, dtype=float)
    found, called, actual = matrix[0, 0], matrix[:, 0].sum(), matrix[0].sum()
    return np.array([found / called if called > 0 else np.nan, found / actual if actual > 0 else np.nan])

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    candidates = np.unique(probabilities[is_fawn])[::-1]
    recalls = (probabilities[is_fawn][None, :] >= candidates[:, None]).mean(axis=1)
    return candidates[np.argmax(recalls >= wanted_recall)]

# %% leaked
def leaked(train, test):
    def same(one, other):
        return one.size == other.size and np.array_equal(np.asarray(one), np.asarray(other))

    return np.array([i for i, image in enumerate(test) if any(same(image, known) for known in train)], dtype=int)
