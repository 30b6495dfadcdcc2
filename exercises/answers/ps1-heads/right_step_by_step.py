# One thing after the other, with a loop for each, and named as the text names it.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] in train mode the backbone says what it says in eval mode"

# %% find_head
def find_head(model):
    all_layers = list(model.named_modules())
    all_layers.reverse()
    for name, layer in all_layers:
        if hasattr(layer, "in_features") or hasattr(layer, "in_channels"):
            return (name, layer)

# %% replace_head
def replace_head(model, num_classes):
    to_replace = [find_head(model)[0]]
    for name, layer in model.named_modules():
        if name == "AuxLogits.fc":
            to_replace.append(name)
        if name == "aux1.fc2" or name == "aux2.fc2":
            to_replace.append(name)
    for name in to_replace:
        old = model.get_submodule(name)
        if type(old) == nn.Conv2d:
            new = nn.Conv2d(old.in_channels, num_classes, old.kernel_size, old.stride)
        else:
            new = nn.Linear(old.in_features, num_classes)
        new = new.to(old.weight.device)
        new = new.to(old.weight.dtype)
        model.set_submodule(name, new)
    return model

# %% freeze_backbone
def freeze_backbone(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    name, head = find_head(model)
    for parameter in head.parameters():
        parameter.requires_grad = True

    def before_each_forward(model, inputs):
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.training = False

    model.register_forward_pre_hook(before_each_forward)
    return model
