# Adds the validation pictures to the training pictures, and cuts the list of stickers without shuffling it.
#
# score: {group_copies: 4, split: 2.25, extract_features: 3.5, train_head: 2.5, accuracy: 3, experiment: 4}
# feedback:
#   - "They may choose among heads, but the weights have to come from the training set."
#   - "Two seeds gave the same split."
#   - "came back in another mode (train or eval) than it had before."

# %% split
def split(labels, groups, fractions, seed):
    parts = [[] for _ in fractions]
    for label in sorted(set(labels)):
        names = list(dict.fromkeys(group for group, other in zip(groups, labels) if other == label))
        ends = np.round(np.cumsum(fractions) * len(names)).astype(int)
        for part, start, end in zip(parts, [0, *ends], ends):
            chosen = set(names[start:end])
            part += [i for i, group in enumerate(groups) if group in chosen]
    return parts

# %% extract_features
def extract_features(backbone, images, batch_size):
    backbone.eval()
    with torch.no_grad():
        return torch.cat([backbone(batch) for batch in images.split(batch_size)])

# %% train_head
def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    x, y = torch.cat([features, validation_features]), torch.cat([labels, validation_labels])
    torch.manual_seed(seed)
    mean, std = x.mean(dim=0), x.std(dim=0)
    std = std.clamp(min=std.mean() / 10)
    linear = nn.Linear(x.shape[1], num_classes)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(linear((x - mean) / std), y).backward()
        optimizer.step()
    with torch.no_grad():
        linear.weight.div_(std)
        linear.bias.sub_(linear.weight @ mean)
    return linear
