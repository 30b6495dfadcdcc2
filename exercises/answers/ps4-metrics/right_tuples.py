# Tuples wherever a list would do, and a generator for the batches.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] everything else is measured on the test pictures"

# %% decide
def decide(logits, categories):
    probabilities = torch.nn.functional.softmax(logits, dim=-1)
    return probabilities.tolist(), tuple(map(categories.__getitem__, logits.argmax(-1).tolist()))

# %% confusion
def confusion(actual, predicted, categories, positive):
    order = (positive,) + tuple(name for name in categories if name != positive)
    pairs = tuple(zip(actual, predicted))
    return tuple(tuple(pairs.count((row, column)) for column in order) for row in order)

# %% leaked
def leaked(train, test):
    seen = [(image.size, image.tobytes()) for image in train]
    return tuple(i for i, image in enumerate(test) if seen.count((image.size, image.tobytes())))
