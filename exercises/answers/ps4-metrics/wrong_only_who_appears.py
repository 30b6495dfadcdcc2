# A matrix of those who appear, in the order of the alphabet; a threshold one step too low; compares images with ==.
#
# score: {decide: 4, accuracy: 3, confusion: 0.5, precision_recall: 3, choose_threshold: 2.5, report: 4, leaked: 2}
# feedback:
#   - "and the others have no row and no column in your matrix."
#   - "A higher one needs only"
#   - "Your answer leaves out pictures that are in the training set"

# %% confusion
def confusion(actual, predicted, categories, positive):
    names = sorted(set(actual) | set(predicted) | {positive}, key=lambda name: (name != positive, name))
    return [[sum(a == row and p == column for a, p in zip(actual, predicted)) for column in names] for row in names]

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    of_fawns = np.sort(probabilities[is_fawn])[::-1]
    needed = int(wanted_recall * len(of_fawns))
    return of_fawns[min(needed, len(of_fawns) - 1)]

# %% leaked
def leaked(train, test):
    names = {getattr(image, "filename", None) for image in train}
    return [i for i, image in enumerate(test) if any(image == known for known in train) and image.info.get("time") is None]
