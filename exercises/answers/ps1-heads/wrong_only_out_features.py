# Changes a number in the description of the layer, and no weight.
#
# score: {find_head: 6, replace_head: 0, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "Two pictures and 4 classes should give scores of shape (2, 4), not (2, 1000)."

# %% replace_head
def replace_head(model, num_classes):
    _, head = find_head(model)
    head.out_features = num_classes
    return model
