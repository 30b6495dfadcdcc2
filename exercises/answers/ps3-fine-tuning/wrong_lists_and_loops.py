# Lists of lists instead of numbers, positions that are lost, one picture at a time ten times over, and a loop that never ends.
#
# score: {group_copies: 0, split: 2, extract_features: 4, train_head: 5, accuracy: 1.5, experiment: 4}
# feedback:
#   - "The list should hold whole numbers. Yours holds a list."
#   - "pictures, and your parts hold"
#   - "and the backbone looked at"
#   - "Is there a loop that never ends?"

# %% group_copies
def group_copies(images):
    return [[i] for i in range(len(images))]

# %% split
def split(labels, groups, fractions, seed):
    rng = np.random.default_rng(seed)
    labels = np.array(labels)
    parts = [[] for _ in fractions]
    for label in np.unique(labels):
        positions = rng.permutation(np.flatnonzero(labels == label))
        start = 0
        for part, fraction in zip(parts, fractions):
            end = start + int(fraction * len(positions) * 0.95)
            part.extend(positions[start:end].tolist())
            start = end
    return parts

# %% extract_features
def extract_features(backbone, images, batch_size):
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    with torch.no_grad():
        epochs = [torch.cat([backbone(batch) for batch in images.split(batch_size)]) for _ in range(3)]
    for module, mode in modes.items():
        module.training = mode
    return epochs[-1]

# %% accuracy
def accuracy(model, batches):
    was_training = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        while total < 100 and len(batches) == 2:
            right += 0
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.train(was_training)
    return right / total
