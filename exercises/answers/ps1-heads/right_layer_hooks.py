# A hook on each BatchNorm layer; the new head is a copy of the old one with other sizes and fresh numbers.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] in train mode the backbone says what it says in eval mode"

# %% replace_head
import copy


def new_head(old, num_classes):
    new = copy.deepcopy(old)
    new.weight = nn.Parameter(old.weight.new_empty(num_classes, *old.weight.shape[1:]))
    new.bias = nn.Parameter(old.bias.new_empty(num_classes))
    if isinstance(new, nn.Linear):
        new.out_features = num_classes
    else:
        new.out_channels = num_classes
    new.reset_parameters()
    return new


def replace_head(model, num_classes):
    for name, layer in list(model.named_modules()):
        extra = name.startswith(("AuxLogits", "aux1", "aux2")) and name.endswith(("fc", "fc2"))
        if extra or name == find_head(model)[0]:
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, new_head(layer, num_classes))
    return model

# %% freeze_backbone
def freeze_backbone(model):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_pre_hook(lambda layer, inputs: layer.eval() and None)
    for parameter in find_head(model)[1].parameters():
        parameter.requires_grad_(True)
    return model
