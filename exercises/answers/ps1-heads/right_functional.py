# BatchNorm as a function that always takes the stored statistics; tensors compared as bytes; sizes read off the weights.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] in train mode the backbone says what it says in eval mode"

# %% find_head
from torch.nn.modules.conv import _ConvNd


def find_head(model):
    name = ""
    for candidate, layer in model.named_modules():
        if isinstance(layer, (nn.Linear, _ConvNd)):
            name = candidate
    return name, model.get_submodule(name)

# %% freeze_backbone
import functools


def always_stored(layer, pictures):
    return nn.functional.batch_norm(
        pictures, layer.running_mean, layer.running_var, layer.weight, layer.bias, training=False, eps=layer.eps
    )


def freeze_backbone(model):
    head = find_head(model)[1]
    for layer in model.modules():
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad = layer is head
        if isinstance(layer, nn.BatchNorm2d):
            layer.forward = functools.partial(always_stored, layer)
    return model

# %% what_moved
def what_moved(model, action):
    import io

    def stored(tensor):
        buffer = io.BytesIO()
        torch.save(tensor.detach().clone(), buffer)
        return buffer.getvalue()

    before = {name: stored(tensor) for name, tensor in model.state_dict().items()}
    action()
    return [name for name, tensor in model.state_dict().items() if stored(tensor) != before[name]]
