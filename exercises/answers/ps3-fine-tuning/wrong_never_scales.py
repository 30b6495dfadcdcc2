# No scaling at all, and a learning rate that suits one network; compares small pictures as uint8, where 3 - 5 is 254.
#
# score: {group_copies: 0.5, split: 4, extract_features: 5, train_head: 3.75, accuracy: 3, experiment: 4}
# feedback:
#   - "[not yet] features are scaled, with numbers of the training pictures"
#   - "show the same drawing and got different numbers."

# %% group_copies
def group_copies(images):
    small = [np.asarray(image.resize((8, 8), Image.Resampling.BOX)) for image in images]
    groups = []
    for i, one in enumerate(small):
        near = [groups[j] for j in range(i) if np.abs(one - small[j]).mean() < 12]
        groups.append(near[0] if near else i)
    return groups

# %% train_head
import copy


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    head = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.05)
    best, lowest = copy.deepcopy(head), float("inf")
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
        with torch.no_grad():
            loss = nn.functional.cross_entropy(head(validation_features), validation_labels).item()
        if loss < lowest:
            best, lowest = copy.deepcopy(head), loss
    return best
