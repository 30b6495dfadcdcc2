# Mean and std of the validation pictures; and the last mode wins: a frozen layer is woken up.
#
# score: {group_copies: 4, split: 4, extract_features: 3.75, train_head: 3.75, accuracy: 3, experiment: 4}
# feedback:
#   - "The mean and std have to come from the training pictures alone."
#   - "came back in another mode (train or eval) than it had before."

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
    head = Scaled(validation_features, num_classes)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01, weight_decay=0.001)
    best, lowest = None, float("inf")
    for _ in range(80):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
        with torch.no_grad():
            loss = nn.functional.cross_entropy(head(validation_features), validation_labels).item()
        if loss < lowest:
            best, lowest = copy.deepcopy(head), loss
    return best

# %% extract_features
def extract_features(backbone, images, batch_size):
    was_training = backbone.training
    backbone.eval()
    with torch.no_grad():
        features = torch.cat([backbone(batch) for batch in images.split(batch_size)])
    return features if backbone.train(was_training) else None
