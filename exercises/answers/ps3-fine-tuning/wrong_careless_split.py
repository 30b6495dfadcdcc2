# Shuffles pictures and forgets that some of them are copies; features with gradients; a head that never asks validation.
#
# score: {group_copies: 4, split: 2.25, extract_features: 4.25, train_head: 3.5, accuracy: 3, experiment: 4}
# feedback:
#   - "What was learned by heart in the one is asked in the other."
#   - "What was learned by heart in the one is asked in the other."
#   - "The features remember how they were computed: they have requires_grad=True."
#   - "Are they asked at all?"

# %% split
def split(labels, groups, fractions, seed):
    rng = np.random.default_rng(seed)
    labels = np.array(labels)
    parts = [[] for _ in fractions]
    for label in np.unique(labels):
        positions = rng.permutation(np.flatnonzero(labels == label))
        for part, some in zip(parts, np.split(positions, np.round(np.cumsum(fractions)[:-1] * len(positions)).astype(int))):
            part.extend(some.tolist())
    return parts

# %% extract_features
def extract_features(backbone, images, batch_size):
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    features = torch.cat([backbone(batch) for batch in images.split(batch_size)])
    for module, mode in modes.items():
        module.training = mode
    return features

# %% train_head
def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    features = features.detach()
    torch.manual_seed(seed)
    mean, std = features.mean(dim=0), features.std(dim=0)
    std = std.clamp(min=std.mean() / 10)
    linear = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(linear((features - mean) / std), labels).backward()
        optimizer.step()
    with torch.no_grad():
        linear.weight.div_(std)
        linear.bias.sub_(linear.weight @ mean)
    return linear

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    train, validation, test = parts
    features = features.detach()
    head = train_head(features[train], labels[train], features[validation], labels[validation], num_classes, seed)
    return head, accuracy(head, [(features[test], labels[test])])
