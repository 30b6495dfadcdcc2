# Tries a hundred thresholds, which step over the best one, and finds leaks by the first hundred bytes.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 1.25, report: 4, leaked: 2.25}
# feedback:
#   - "enough fawns are found, with"
#   - "pictures that are not in the training set, at position 0."

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    best = 0.0
    for threshold in np.linspace(0, 1, 101):
        if (probabilities[is_fawn] >= threshold).mean() >= wanted_recall:
            best = threshold
    return best

# %% leaked
def leaked(train, test):
    known = {image.tobytes()[:100] for image in train}
    return [i for i, image in enumerate(test) if image.tobytes()[:100] in known]
