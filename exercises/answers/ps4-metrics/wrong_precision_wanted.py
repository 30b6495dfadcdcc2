# Reaches the wanted share in precision instead of recall, and says where the leaks are in the training set.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 0, report: 4, leaked: 0}
# feedback:
#   - "Your answer leaves out pictures that are in the training set"
#   - "of the fawns are found, and 90.0% are wanted."

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    for threshold in np.unique(probabilities):
        if is_fawn[probabilities >= threshold].mean() >= wanted_recall:
            return threshold
    return 1.0

# %% leaked
def leaked(train, test):
    known = {(image.size, image.tobytes()) for image in test}
    return [i for i, image in enumerate(train) if (image.size, image.tobytes()) in known]
