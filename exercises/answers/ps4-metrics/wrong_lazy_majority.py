# The lazy rule says what most pictures show; at the threshold itself nobody walks out; an underflow in softmax.
#
# score: {decide: 2.5, accuracy: 0.5, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 3, leaked: 3}
# feedback:
#   - "On the test pictures the"
#   - "exp of each of them is 0 in float32, and so is their sum."
#   - "is the mean of the batches"

# %% decide
def decide(logits, categories):
    exps = torch.exp(logits - logits.max())
    probabilities = exps / exps.sum(dim=1, keepdim=True)
    return probabilities, [categories[i] for i in logits.argmax(dim=1)]

# %% accuracy
def accuracy(batches):
    shares = [(logits.argmax(dim=1) == labels).double().mean().item() for logits, labels in batches]
    return sum(shares) / len(shares)

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(*validation, wanted_recall)
    probabilities, is_fawn = test
    says_fawn = probabilities >= threshold
    found, called, fawns = (says_fawn & is_fawn).sum(), says_fawn.sum(), is_fawn.sum()
    return {
        "threshold": threshold,
        "accuracy": (says_fawn == is_fawn).mean(),
        "lazy_accuracy": max(is_fawn.mean(), 1 - is_fawn.mean()),
        "precision": found / called if called else float("nan"),
        "recall": found / fawns if fawns else float("nan"),
    }
