# Gives the test pictures to train_head to choose by, which is the oldest leak of all.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 1.25}
# feedback:
#   - "With other labels in the test part you got another head. So the test part was used before the end."
#   - "So the test part was used before the end."

# %% experiment
def experiment(features, labels, parts, num_classes, seed):
    train, validation, test = parts
    head = train_head(features[train], labels[train], features[test], labels[test], num_classes, seed)
    return head, accuracy(head, [(features[test], labels[test])])
