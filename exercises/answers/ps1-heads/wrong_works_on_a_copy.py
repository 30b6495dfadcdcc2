# Exchanges the head of a copy, so the caller's model keeps its old one.
#
# score: {find_head: 6, replace_head: 6, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "replace_head should change the model that it gets and return it, not a copy."

# %% replace_head
import copy


def replace_head(model, num_classes):
    model = copy.deepcopy(model)
    modules = dict(model.named_modules())
    for name in ["AuxLogits.fc", "aux1.fc2", "aux2.fc2", find_head(model)[0]]:
        if name in modules:
            old = modules[name]
            kind = nn.Conv2d if isinstance(old, nn.Conv2d) else nn.Linear
            size = (1,) if kind is nn.Conv2d else ()
            new = kind(old.weight.shape[1], num_classes, *size, device=old.weight.device, dtype=old.weight.dtype)
            model.set_submodule(name, new)
    return model
