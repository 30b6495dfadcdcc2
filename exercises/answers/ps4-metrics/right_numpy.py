# NumPy throughout, softmax by hand, a confusion matrix by bincount, and arrays as answers.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] no score is too large or too low"
#   - "[passed] nearly the same is another picture"

# %% decide
def decide(logits, categories):
    scores = logits.numpy().astype(np.float64)
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = exps / exps.sum(axis=1, keepdims=True)
    return probabilities, np.array(categories)[probabilities.argmax(axis=1)]

# %% accuracy
def accuracy(batches):
    hits = np.concatenate([(logits.numpy().argmax(axis=1) == labels.numpy()) for logits, labels in batches])
    return hits.mean()

# %% confusion
def confusion(actual, predicted, categories, positive):
    order = sorted(categories, key=lambda name: name != positive)
    number = {name: place for place, name in enumerate(order)}
    rows = np.array([number[name] for name in actual])
    columns = np.array([number[name] for name in predicted])
    return np.bincount(rows * len(order) + columns, minlength=len(order) ** 2).reshape(len(order), -1)

# %% precision_recall
def precision_recall(matrix):
    matrix = np.array(matrix, dtype=float)
    with np.errstate(invalid="ignore"):
        return matrix[0, 0] / np.array([matrix[:, 0].sum(), matrix[0].sum()])

# %% choose_threshold
def choose_threshold(probabilities, is_fawn, wanted_recall):
    of_fawns = np.sort(probabilities[is_fawn])[::-1]
    needed = int(np.ceil(wanted_recall * len(of_fawns)))
    return of_fawns[needed - 1]

# %% report
def report(validation, test, wanted_recall):
    bar = choose_threshold(validation[0], validation[1], wanted_recall)
    scores, truth = test
    said = scores >= bar
    return dict(
        threshold=bar,
        accuracy=np.mean(said == truth),
        lazy_accuracy=np.mean(truth == False),
        precision=truth[said].mean() if said.any() else np.nan,
        recall=said[truth].mean() if truth.any() else np.nan,
    )

# %% leaked
import hashlib


def fingerprint(image):
    array = np.asarray(image)
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()


def leaked(train, test):
    known = [fingerprint(image) for image in train]
    return np.flatnonzero(np.isin([fingerprint(image) for image in test], known))
