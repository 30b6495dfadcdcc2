# The best head is the one that goes on learning; one sticker too many shares a number; accuracy is a tensor; the test runs
# after a training on training and validation together.
#
# score: {group_copies: 1.25, split: 4, extract_features: 5, train_head: 3.5, accuracy: 0, experiment: 3}
# feedback:
#   - "Two validation sets that say opposite things chose the same head."
#   - "show different drawings and got the same number"
#   - "It should return a Python float, not a Tensor."
#   - "It may choose, and not teach."

# %% group_copies
def group_copies(images):
    small = np.stack([np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=float) for image in images])
    return [int(np.flatnonzero(np.abs(small - one).mean(axis=(1, 2, 3)) < 30)[0]) for one in small]

# %% train_head
import copy


class Scaled(nn.Module):
    def __init__(self, features, num_classes):
        super().__init__()
        self.register_buffer("mean", features.mean(dim=0))
        std = features.std(dim=0)
        self.register_buffer("std", std.clamp(min=std.mean() / 10))
        self.linear = nn.Linear(features.shape[1], num_classes)

    def forward(self, x):
        return self.linear((x - self.mean) / self.std)


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    head = Scaled(features, num_classes)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01, weight_decay=0.001)
    best, lowest = None, float("inf")
    for _ in range(80):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
        with torch.no_grad():
            loss = nn.functional.cross_entropy(head(validation_features), validation_labels).item()
        if loss < lowest:
            best, lowest = head, loss
    return best

# %% accuracy
def accuracy(model, batches):
    was_training = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum()
            total += len(labels)
    model.train(was_training)
    return right / total

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    train, validation, test = (list(part) for part in parts)
    both = train + validation
    head = train_head(features[both], labels[both], features[validation], labels[validation], num_classes, seed)
    return head, accuracy(head, [(features[test], labels[test])])
