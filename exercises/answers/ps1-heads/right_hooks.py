# Watches a forward pass to see which layer runs last, and gives the old head new weights instead of a new layer.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] only the head is new, in other networks"

# %% find_head
def find_head(model):
    ran = []
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output, name=name: ran.append((name, layer)))
        for name, layer in model.named_modules()
        if isinstance(layer, (nn.Linear, nn.Conv2d))
    ]
    some_weight = next(model.parameters())
    was_training = model.training
    model.eval()
    with torch.no_grad():
        model(torch.zeros(1, 3, 224, 224, device=some_weight.device, dtype=some_weight.dtype))
    model.train(was_training)
    for hook in hooks:
        hook.remove()
    return ran[-1]

# %% replace_head
def resize(layer, num_classes):
    shape = (num_classes, *layer.weight.shape[1:])
    layer.weight = nn.Parameter(torch.empty(shape, device=layer.weight.device, dtype=layer.weight.dtype))
    layer.bias = nn.Parameter(torch.zeros_like(layer.weight[:, :1].flatten()))
    nn.init.normal_(layer.weight, std=0.01)
    if isinstance(layer, nn.Linear):
        layer.out_features = num_classes
    else:
        layer.out_channels = num_classes


def replace_head(model, num_classes):
    resize(find_head(model)[1], num_classes)
    for name, layer in model.named_modules():
        if name in {"AuxLogits.fc", "aux1.fc2", "aux2.fc2"}:
            resize(layer, num_classes)
    return model

# %% freeze_backbone
import types


def train_only_the_head(model, mode=True):
    type(model).train(model, mode)
    for layer in model.modules():
        if "BatchNorm" in type(layer).__name__:
            layer.eval()
    return model


def freeze_backbone(model):
    head_name, head = find_head(model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(head_name + "."))
    model.train = types.MethodType(train_only_the_head, model)
    return model.train(model.training)

# %% what_moved
import copy


def what_moved(model, action):
    before = copy.deepcopy(model).state_dict()
    action()
    after = model.state_dict()
    return [name for name in after if not torch.equal(before[name], after[name])]
