# Calls a fawn only above the threshold, not at it, and names both sides of each pair of equal pictures.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 0, report: 4, leaked: 2.25}
# feedback:
#   - "with 8 walks. A higher one needs only 7: 0.25, the probability of a fawn."
#   - "Each position should appear once."

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    candidates = [0.0, *sorted(probabilities)]
    return max(c for c in candidates if (probabilities[is_fawn] > c).mean() >= wanted_recall)

# %% leaked
def leaked(train, test):
    return [
        position
        for picture in train
        for position, image in enumerate(test)
        if image.size == picture.size and image.tobytes() == picture.tobytes()
    ]
