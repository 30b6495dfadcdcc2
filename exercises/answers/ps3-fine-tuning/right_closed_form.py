# Ridge regression without any training loop; the validation set chooses its strength.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] the validation set chooses"
#   - "[passed] two hundred"

# %% group_copies
def group_copies(images):
    gray = np.stack([np.asarray(image.convert("L").resize((12, 12)), dtype=float).ravel() for image in images])
    alike = np.atleast_2d(np.corrcoef(gray)) > 0.95
    return alike.argmax(axis=1).tolist()  # the first image that is like this one

# %% split
def split(labels, groups, fractions, seed):
    rng = np.random.default_rng(seed)
    labels, groups = np.array(labels), np.array(groups)
    parts = [[] for _ in fractions]
    for label in np.unique(labels):
        names = rng.permutation(np.unique(groups[labels == label]))
        pictures = np.cumsum([(groups == name).sum() for name in names])
        for part, some in zip(parts, np.split(names, np.searchsorted(pictures, np.cumsum(fractions)[:-1] * pictures[-1]))):
            part.extend(np.flatnonzero(np.isin(groups, some)).tolist())
    return tuple(parts)

# %% extract_features
def extract_features(backbone, images, batch_size):
    modes = {name: module.training for name, module in backbone.named_modules()}
    try:
        backbone.eval()
        with torch.inference_mode():
            batches = [backbone(images[i : i + batch_size]) for i in range(0, len(images), batch_size)]
        return torch.cat(batches).clone()
    finally:
        for name, module in backbone.named_modules():
            module.training = modes[name]

# %% train_head
def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    x = features.double()
    mean, std = x.mean(dim=0), x.std(dim=0)
    std = std.clamp(min=0.1 * std.mean())
    x = (x - mean) / std
    y = nn.functional.one_hot(labels, num_classes).double()
    best, most = None, -1.0
    for strength in (1.0, 10.0, 100.0, 1000.0):
        weight = torch.linalg.solve(x.T @ x + strength * torch.eye(x.shape[1], dtype=x.dtype), x.T @ (y - y.mean(dim=0)))
        head = nn.Linear(x.shape[1], num_classes).double()
        with torch.no_grad():
            head.weight.copy_((weight / std[:, None]).T)
            head.bias.copy_(y.mean(dim=0) - head.weight @ mean)
        head.float()
        with torch.no_grad():
            right = (head(validation_features).argmax(dim=1) == validation_labels).double().mean().item()
        if right > most:
            best, most = head, right
    return best

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    x, y = zip(*[(features[torch.as_tensor(part)], labels[torch.as_tensor(part)]) for part in parts])
    head = train_head(x[0], y[0], x[1], y[1], num_classes, seed)
    return [head, accuracy(head, zip(x[2].split(7), y[2].split(7)))]
