# Leaves 1000 classes in the extra heads of Inception and GoogLeNet, and freezes the head with everything else.
#
# score: {find_head: 6, replace_head: 5.25, freeze_backbone: 1, what_moved: 4}
# feedback:
#   - "In train mode, with 6 classes, all heads should give scores of shape (2, 6). Here they give [(2, 6), (2, 1000)]."
#   - "The head is frozen too, so nothing can learn."
#   - "Nothing is left that may learn: every parameter has requires_grad=False, the head's too."

# %% replace_head
def replace_head(model, num_classes):
    name, old = find_head(model)
    if isinstance(old, nn.Conv2d):
        new = nn.Conv2d(old.in_channels, num_classes, 1)
    else:
        new = nn.Linear(old.in_features, num_classes)
    model.set_submodule(name, new.to(old.weight))
    return model

# %% freeze_backbone
def freeze_backbone(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return model
