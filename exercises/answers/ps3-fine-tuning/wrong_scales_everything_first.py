# Scales all features, the test pictures' too, before anything is learned.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 1.25}
# feedback:
#   - "You report"
#   - "and the head is right for"

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    train, validation, test = parts
    scaled = (features - features.mean(dim=0)) / features.std(dim=0).clamp(min=1e-3)
    head = train_head(scaled[train], labels[train], scaled[validation], labels[validation], num_classes, seed)
    return head, accuracy(head, [(scaled[test], labels[test])])
