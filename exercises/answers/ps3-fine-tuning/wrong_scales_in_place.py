# Scales the tensors that it was given instead of new ones, merges everything that is roughly alike, and counts in train mode.
#
# score: {group_copies: 0, split: 4, extract_features: 5, train_head: 4, accuracy: 1.75, experiment: 4}
# feedback:
#   - "The tensors that train_head was given are not the same any more."
#   - "different drawings, and your list has"
#   - "The model was in train mode while it was asked."

# %% group_copies
def group_copies(images):
    small = [np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=float) for image in images]
    groups = []
    for i, one in enumerate(small):
        near = [groups[j] for j in range(i) if np.abs(one - small[j]).mean() < 40]
        groups.append(near[0] if near else i)
    return groups

# %% train_head
import copy


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    mean, std = features.mean(dim=0), features.std(dim=0)
    std = std.clamp(min=std.mean() / 10)
    features.sub_(mean).div_(std)
    validation_features.sub_(mean).div_(std)
    head = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.01)
    best, lowest = None, float("inf")
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
        with torch.no_grad():
            loss = nn.functional.cross_entropy(head(validation_features), validation_labels).item()
        if loss < lowest:
            best, lowest = copy.deepcopy(head), loss
    with torch.no_grad():
        best.weight.div_(std)
        best.bias.sub_(best.weight @ mean)
    return best

# %% accuracy
def accuracy(model, batches):
    right = total = 0
    for inputs, labels in batches:
        right += (model(inputs).argmax(dim=1) == labels).sum().item()
        total += len(labels)
    return right / total
