# Puts dropout and the new head into a Sequential, and does not recognise that when the cell runs again.
#
# score: {find_head: 6, replace_head: 5.25, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[not yet] running the cell again"
#   - "AttributeError: 'Sequential' object has no attribute"

# %% replace_head
def replace_head(model, num_classes):
    names = ["heads.head", "head", "fc", "classifier.6", "classifier.3", "classifier.2", "classifier.1"]
    modules = dict(model.named_modules())
    head = next(name for name in names if name in modules and not isinstance(modules[name], nn.AdaptiveAvgPool2d))
    if isinstance(model, models.SqueezeNet):
        head = "classifier.1"
    for name in [head, "AuxLogits.fc", "aux1.fc2", "aux2.fc2"]:
        if name in modules:
            old = modules[name]
            place = {"device": old.weight.device, "dtype": old.weight.dtype}
            if isinstance(old, nn.Conv2d):
                new = nn.Conv2d(old.in_channels, num_classes, 1, **place)
            else:
                new = nn.Linear(old.in_features, num_classes, **place)
            model.set_submodule(name, nn.Sequential(nn.Dropout(0.3), new))
    return model
