# Keeps BatchNorm in eval mode, with statistics that are those of a new layer; keeps the first rows of the old head.
#
# score: {find_head: 6, replace_head: 6, freeze_backbone: 4, what_moved: 4}
# feedback:
#   - "In eval mode, right after freezing, the features that the head is given are others"
#   - "The new head holds rows of the old one."

# %% replace_head
def replace_head(model, num_classes):
    _, last = find_head(model)
    modules = dict(model.named_modules())
    for name in ["AuxLogits.fc", "aux1.fc2", "aux2.fc2", find_head(model)[0]]:
        if name in modules:
            old = modules[name]
            place = {"device": old.weight.device, "dtype": old.weight.dtype}
            if isinstance(old, nn.Conv2d):
                model.set_submodule(name, nn.Conv2d(old.in_channels, num_classes, 1, **place))
            else:
                model.set_submodule(name, nn.Linear(old.in_features, num_classes, **place))
    with torch.no_grad():
        find_head(model)[1].weight.copy_(last.weight[:num_classes])
    return model

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
            layer.reset_running_stats()
    return model
