# A shallow copy of the best head, and an experiment that forgets the seed.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 3.5, accuracy: 3, experiment: 2.25}
# feedback:
#   - "Two validation sets that say opposite things chose the same head."
#   - "The same pictures and the same seed gave two heads"

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
            best, lowest = copy.copy(head), loss
    return best

# %% experiment
import random


def experiment(features, labels, parts, num_classes, seed):
    train, validation, test = parts
    seed = random.randrange(1000)
    head = train_head(features[train], labels[train], features[validation], labels[validation], num_classes, seed)
    return head, accuracy(head, [(features[test], labels[test])])
