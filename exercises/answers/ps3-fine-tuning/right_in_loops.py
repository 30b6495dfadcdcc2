# Plain loops: pixel by pixel, picture by picture, mini-batches with SGD, and a head that scales inside.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] a head can be trained on the features"

# %% group_copies
def signature(image):
    return list(image.resize((4, 4), Image.Resampling.BOX).tobytes())


def group_copies(images):
    signatures = [signature(image) for image in images]
    groups = list(range(len(images)))
    for i in range(len(images)):
        for j in range(i):
            difference = sum(abs(a - b) for a, b in zip(signatures[i], signatures[j])) / 48
            if difference < 9:
                groups[i] = groups[j]
                break
    return groups

# %% split
import random


def split(labels, groups, fractions, seed):
    # The largest groups first, each to the part that misses most of its class.
    chance = random.Random(seed)
    parts = [[] for _ in fractions]
    for label in set(labels):
        members = {}
        for i in range(len(labels)):
            if labels[i] == label:
                members.setdefault(groups[i], []).append(i)
        bundles = list(members.values())
        chance.shuffle(bundles)
        bundles.sort(key=len, reverse=True)
        missing = [fraction * labels.count(label) for fraction in fractions]
        for bundle in bundles:
            place = missing.index(max(missing))
            parts[place].extend(bundle)
            missing[place] -= len(bundle)
    return parts

# %% extract_features
def extract_features(backbone, images, batch_size):
    training = []
    for module in backbone.modules():
        training.append(module.training)
    backbone.eval()
    rows = []
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            for row in backbone(images[start : start + batch_size]):
                rows.append(row)
    for module, mode in zip(backbone.modules(), training):
        module.training = mode
    return torch.stack(rows)

# %% train_head
import copy


class ScaledHead(nn.Module):
    def __init__(self, features, num_classes):
        super().__init__()
        self.register_buffer("mean", features.mean(dim=0))
        std = features.std(dim=0)
        self.register_buffer("std", torch.maximum(std, 0.2 * std.mean()))
        self.linear = nn.Linear(features.shape[1], num_classes)

    def forward(self, x):
        return self.linear((x - self.mean) / self.std)


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    head = ScaledHead(features, num_classes)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.02, momentum=0.9, weight_decay=0.01)
    loss_function = nn.CrossEntropyLoss()
    best, most_right = None, -1
    for epoch in range(20):
        for batch in torch.randperm(len(labels)).split(32):
            loss = loss_function(head(features[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        right = 0
        for scores, label in zip(head(validation_features), validation_labels):
            right += int(scores.argmax() == label)
        if right > most_right:
            best, most_right = copy.deepcopy(head), right
    return best

# %% accuracy
def accuracy(model, batches):
    mode = model.training
    model.eval()
    results = []
    with torch.no_grad():
        for inputs, labels in batches:
            for scores, label in zip(model(inputs), labels):
                results.append(int(scores.argmax()) == int(label))
    model.train(mode)
    return sum(results) / len(results)
