# Reports the numbers of the pictures that chose the threshold, and compares the bytes of pictures without their shape.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 1.75, leaked: 2.25}
# feedback:
#   - "This precision belongs to the validation pictures"
#   - "This accuracy belongs to the validation pictures"
#   - "pictures that are not in the training set, at position 0"

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(*validation, wanted_recall)
    said, truth = validation[0] >= threshold, validation[1]
    return {
        "threshold": threshold,
        "accuracy": (said == truth).mean(),
        "lazy_accuracy": (~truth).mean(),
        "precision": truth[said].mean(),
        "recall": said[truth].mean(),
    }

# %% leaked
def leaked(train, test):
    known = {image.tobytes() for image in train}
    return [i for i, image in enumerate(test) if image.tobytes() in known]
