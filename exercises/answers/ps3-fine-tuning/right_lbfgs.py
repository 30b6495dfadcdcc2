# L-BFGS with three strengths of weight decay, of which validation chooses one; pairs compared all at once.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] whatever is in the test part, the head is the same"

# %% group_copies
def group_copies(images):
    small = np.stack([np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=np.float32).ravel() for image in images])
    near = np.stack([np.abs(small - row).mean(axis=1) < 12 for row in small])
    return near.argmax(axis=1)

# %% train_head
def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    mean, std = features.mean(0), features.std(0)
    std = std.clamp(min=0.1 * float(std.mean()))
    x, validation = (features - mean) / std, (validation_features - mean) / std
    results = []
    for strength in (1e-2, 1e0, 1e4):
        torch.manual_seed(seed)
        linear = nn.Linear(x.shape[1], num_classes)
        optimizer = torch.optim.LBFGS(linear.parameters(), max_iter=30)

        def closure():
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(linear(x), labels) + strength * linear.weight.square().sum() / len(x)
            loss.backward()
            return loss

        optimizer.step(closure)
        with torch.no_grad():
            loss = nn.functional.cross_entropy(linear(validation), validation_labels).item()
        results.append((loss, linear))
    linear = min(results, key=lambda result: result[0])[1]
    with torch.no_grad():
        linear.weight.copy_(linear.weight / std)
        linear.bias.copy_(linear.bias - linear.weight @ mean)
    return linear.requires_grad_(False)
