# Assigns model.fc on every model. No error, and a layer that nobody calls.
#
# score: {find_head: 6, replace_head: 1.5, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "Two pictures and 7 classes should give scores of shape (2, 7), not (2, 1000). Did you exchange the layer that really runs last?"

# %% replace_head
def replace_head(model, num_classes):
    features = find_head(model)[1].weight.shape[1]
    model.fc = nn.Linear(features, num_classes)
    return model
