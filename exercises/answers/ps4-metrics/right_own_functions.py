# The report built from one's own functions, step after step.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] everything else is measured on the test pictures"

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(validation[0], validation[1], wanted_recall)
    actual = ["fawn" if fawn else "grass" for fawn in test[1]]
    predicted = ["fawn" if probability >= threshold else "grass" for probability in test[0]]
    matrix = [[int(count) for count in row] for row in confusion(actual, predicted, ["grass", "fawn"], "fawn")]
    precision, recall = precision_recall(matrix)
    right = sum(a == p for a, p in zip(actual, predicted))
    return dict(
        threshold=threshold,
        accuracy=right / len(actual),
        lazy_accuracy=actual.count("grass") / len(actual),
        precision=precision,
        recall=recall,
    )
