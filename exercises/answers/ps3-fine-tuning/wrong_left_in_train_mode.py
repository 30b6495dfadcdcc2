# A head with BatchNorm and dropout that is returned in train mode: a picture's scores depend on its neighbours.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 4.5, accuracy: 3, experiment: 4}
# feedback:
#   - "Expected more than 1 value per channel when training"

# %% train_head
import copy


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    head = nn.Sequential(nn.BatchNorm1d(features.shape[1], affine=False), nn.Linear(features.shape[1], num_classes))
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    best, lowest = None, float("inf")
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
        with torch.no_grad():
            loss = nn.functional.cross_entropy(head(validation_features), validation_labels).item()
        if loss < lowest:
            best, lowest = copy.deepcopy(head), loss
    return best
