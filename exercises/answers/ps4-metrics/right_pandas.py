# pandas counts: a crosstab for the matrix, a series for the names, quantiles are not needed.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] everything else is measured on the test pictures"

# %% decide
import pandas as pd


def decide(logits, categories):
    probabilities = pd.DataFrame(logits.double().softmax(1).numpy(), columns=categories)
    return probabilities.to_numpy(), probabilities.idxmax(axis=1)

# %% confusion
def confusion(actual, predicted, categories, positive):
    order = sorted(categories, key=lambda name: name != positive)
    table = pd.crosstab(pd.Series(list(actual)), pd.Series(list(predicted)))
    return table.reindex(index=order, columns=order, fill_value=0).to_numpy()

# %% accuracy
def accuracy(batches):
    frames = [pd.DataFrame({"said": scores.argmax(1).numpy(), "is": labels.numpy()}) for scores, labels in batches]
    table = pd.concat(frames)
    return (table["said"] == table["is"]).mean()
