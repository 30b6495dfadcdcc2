# Keeps groups together but lets chance decide how many of each class a part gets; inference mode; keeps the last head by mistake.
#
# score: {group_copies: 4, split: 2.75, extract_features: 3.75, train_head: 3.5, accuracy: 3, experiment: 4}
# feedback:
#   - "A part with the fraction"
#   - "of class"
#   - "Inference tensors cannot be saved for backward"
#   - "Are they asked at all?"

# %% split
def split(labels, groups, fractions, seed):
    names = np.random.default_rng(seed).permutation(sorted(set(groups)))
    ends = np.round(np.cumsum(fractions)[:-1] * len(names)).astype(int)
    return [np.flatnonzero(np.isin(groups, some)).tolist() for some in np.split(names, ends)]

# %% extract_features
def extract_features(backbone, images, batch_size):
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    with torch.inference_mode():
        features = torch.cat([backbone(batch) for batch in images.split(batch_size)])
    for module, mode in modes.items():
        module.training = mode
    return features

# %% train_head
def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    mean, std = features.mean(dim=0), features.std(dim=0)
    std = std.clamp(min=std.mean() / 10)
    linear = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=0.01)
    best, lowest = None, float("inf")
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(linear((features - mean) / std), labels).backward()
        optimizer.step()
        with torch.no_grad():
            scores = linear((validation_features - mean) / std)
            loss = nn.functional.cross_entropy(scores, validation_labels).item()
        if loss < lowest:
            best, lowest = linear.state_dict(), loss  # the head's own tensors, which go on changing
    linear.load_state_dict(best)
    with torch.no_grad():
        linear.weight.div_(std)
        linear.bias.sub_(linear.weight @ mean)
    return linear
