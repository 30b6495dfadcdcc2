# Knows the six ways in which torchvision writes a head, one after the other; BatchNorm layers get a train() of their own.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] the new head lives where the model lives"

# %% find_head
def find_head(model):
    if hasattr(model, "heads"):
        name = "heads.head"
    elif hasattr(model, "head"):
        name = "head"
    elif hasattr(model, "fc"):
        name = "fc"
    elif isinstance(model.classifier, nn.Linear):
        name = "classifier"
    elif isinstance(model, models.SqueezeNet):
        name = "classifier.1"
    else:
        name = f"classifier.{len(model.classifier) - 1}"
    return name, model.get_submodule(name)

# %% replace_head
def new_layer_like(old, num_classes):
    if isinstance(old, nn.Conv2d):
        new = nn.Conv2d(old.in_channels, num_classes, 1)
    else:
        new = nn.Linear(old.in_features, num_classes)
    return new.to(old.weight.device, old.weight.dtype)


def replace_head(model, num_classes):
    if isinstance(model, models.Inception3):
        model.AuxLogits.fc = new_layer_like(model.AuxLogits.fc, num_classes)
    if isinstance(model, models.GoogLeNet):
        model.aux1.fc2 = new_layer_like(model.aux1.fc2, num_classes)
        model.aux2.fc2 = new_layer_like(model.aux2.fc2, num_classes)
    name, old = find_head(model)
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, new_layer_like(old, num_classes))
    return model

# %% freeze_backbone
def freeze_backbone(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    for parameter in find_head(model)[1].parameters():
        parameter.requires_grad = True
    for layer in model.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return model

# %% what_moved
def what_moved(model, action):
    before = {}
    for name, tensor in model.state_dict().items():
        before[name] = tensor.detach().numpy().copy()
    action()
    moved = []
    for name, tensor in model.state_dict().items():
        if (tensor.detach().numpy() != before[name]).any():
            moved.append(name)
    return moved
