# Everything in one part, features of zeros, and a head that has never learned, with its true accuracy.
#
# score: {group_copies: 4, split: 0.25, extract_features: 0, train_head: 5, accuracy: 3, experiment: 0}
# feedback:
#   - "A part is empty. Of course nothing leaks into it."
#   - "The backbone was never called."
#   - "guessing would reach 50.0%."

# %% split
def split(labels, groups, fractions, seed):
    return [list(range(len(labels)))] + [[] for _ in fractions[1:]]

# %% extract_features
def extract_features(backbone, images, batch_size):
    return torch.zeros(len(images), 12)

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    torch.manual_seed(0)
    head = nn.Linear(features.shape[1], num_classes)
    with torch.no_grad():
        right = head(features[parts[2]]).argmax(dim=1) == labels[parts[2]]
    return head, right.float().mean().item()
