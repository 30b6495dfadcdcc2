# Reports what the head reaches on the pictures that chose it; drops the last small batch of features.
#
# score: {group_copies: 4, split: 4, extract_features: 3.5, train_head: 5, accuracy: 3, experiment: 2.75}
# feedback:
#   - "You report"
#   - "On the test part, the head is right for"
#   - "The shape should be (10, 12). Yours is (8, 12)."
#   - "There are 10 images, and the backbone looked at 8."

# %% extract_features
from torch.utils.data import DataLoader


def extract_features(backbone, images, batch_size):
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    with torch.no_grad():
        features = [backbone(batch) for batch in DataLoader(images, batch_size=batch_size, drop_last=True)]
    for module, mode in modes.items():
        module.training = mode
    return torch.cat(features) if features else torch.zeros(0, 12)

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    train, validation, test = parts
    head = train_head(features[train], labels[train], features[validation], labels[validation], num_classes, seed)
    return head, accuracy(head, [(features[validation], labels[validation])])
