# The random module, a part for each position, and an accuracy that is counted in a dictionary.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] whatever is in the test part, the head is the same"

# %% split
import random
from collections import defaultdict


def split(labels, groups, fractions, seed):
    dice = random.Random(seed)
    bundles = defaultdict(list)
    for position, pair in enumerate(zip(labels, groups)):
        bundles[pair].append(position)
    order = sorted(bundles)
    dice.shuffle(order)
    order.sort(key=lambda pair: -len(bundles[pair]))
    filled = defaultdict(int)
    parts = [[] for _ in fractions]
    for label, group in order:
        size = labels.count(label)
        lacking = [fraction * size - filled[label, place] for place, fraction in enumerate(fractions)]
        place = max(range(len(parts)), key=lambda place: lacking[place])
        parts[place] += bundles[label, group]
        filled[label, place] += len(bundles[label, group])
    return parts

# %% accuracy
from collections import Counter


def accuracy(model, batches):
    before = model.training
    model.train(False)
    counted = Counter()
    with torch.no_grad():
        for inputs, labels in batches:
            counted.update((model(inputs).argmax(1) == labels).tolist())
    model.train(before)
    return counted[True] / sum(counted.values())

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    teach, choose, end = [torch.tensor(list(part)) for part in parts]
    head = train_head(
        features[teach], labels[teach], features[choose], labels[choose], num_classes=num_classes, seed=seed
    )
    pairs = ((features[i : i + 1], labels[i : i + 1]) for i in end.tolist())
    return head, accuracy(head, pairs)
