# Exchanges the head, and leaves 1000 classes in the extra heads of Inception and GoogLeNet.
#
# score: {find_head: 6, replace_head: 6.5, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "In train mode, with 6 classes, all heads should give scores of shape (2, 6). Here they give [(2, 6), (2, 1000)]."

# %% replace_head
def replace_head(model, num_classes):
    name, old = find_head(model)
    if isinstance(old, nn.Conv2d):
        new = nn.Conv2d(old.in_channels, num_classes, 1)
    else:
        new = nn.Linear(old.in_features, num_classes)
    model.set_submodule(name, new.to(old.weight))
    return model
