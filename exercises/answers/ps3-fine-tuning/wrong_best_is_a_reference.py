# Keeps the best state dict without a copy, counts groups instead of pictures, leaves the backbone frozen,
# and lets the training pictures choose.
#
# score: {split: 2.75, extract_features: 3.5, train_head: 3.5, accuracy: 2.25, experiment: 3}
# feedback:
#   - "Two validation sets that say opposite things chose the same head."
#   - "Do you count pictures, or groups?"
#   - "The backbone came back frozen"
#   - "Is the validation part asked at all?"
#   - "came back in another mode"

# %% split
def split(labels, groups, fractions, seed):
    rng = np.random.default_rng(seed)
    parts = [[] for _ in fractions]
    for label in sorted(set(labels)):
        members = {}
        for position, group in enumerate(groups):
            if labels[position] == label:
                members.setdefault(group, []).append(position)
        names = list(members)
        ends = np.round(np.cumsum(fractions) * len(names)).astype(int)
        shuffled = [names[i] for i in rng.permutation(len(names))]
        for part, start, end in zip(parts, [0, *ends[:-1]], ends, strict=True):
            for name in shuffled[start:end]:
                part += members[name]
    return parts

# %% extract_features
def extract_features(backbone, images, batch_size):
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval().requires_grad_(False)
    with torch.no_grad():
        features = torch.cat([backbone(batch) for batch in images.split(batch_size)])
    for module, mode in modes.items():
        module.training = mode
    return features

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
            best, lowest = head.state_dict(), loss
    head.load_state_dict(best)
    return head

# %% accuracy
def accuracy(model, batches):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.train()
    return right / total

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    train, validation, test = parts
    head = train_head(features[train], labels[train], features[train], labels[train], num_classes, seed)
    return head, accuracy(head, [(features[test], labels[test])])
