# Takes BatchNorm out of the network instead of freezing it, freezes the rest while it exchanges the head, and takes
# the size of a change for the change, which a NaN has not.
#
# score: {find_head: 6, replace_head: 6, freeze_backbone: 4, what_moved: 2.5}
# feedback:
#   - "In eval mode, right after freezing, the features that the head is given are others than those of the network as it came."
#   - "What may learn has changed outside the head"
#   - "Your answer leaves out what moved: 0.weight."

# %% replace_head
def replace_head(model, num_classes):
    model.requires_grad_(False)
    modules = dict(model.named_modules())
    for name in ["AuxLogits.fc", "aux1.fc2", "aux2.fc2", find_head(model)[0]]:
        if name in modules:
            old = modules[name]
            place = {"device": old.weight.device, "dtype": old.weight.dtype}
            if isinstance(old, nn.Conv2d):
                model.set_submodule(name, nn.Conv2d(old.in_channels, num_classes, 1, **place))
            else:
                model.set_submodule(name, nn.Linear(old.in_features, num_classes, **place))
    return model

# %% freeze_backbone
def freeze_backbone(model):
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.BatchNorm2d):
            model.set_submodule(name, nn.Identity())
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    return model

# %% what_moved
def what_moved(model, action):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    action()
    return [name for name, tensor in model.state_dict().items() if (tensor - before[name]).abs().max() > 0]
