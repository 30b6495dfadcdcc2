# Freezes everything but the last child of the model, which in a VGG is a block with hidden layers; and finds the head
# by its 1000 outputs, the first of them.
#
# score: {find_head: 4.5, replace_head: 7, freeze_backbone: 2, what_moved: 4}
# feedback:
#   - "a small VGG: 4 tensors that are not the head's still have requires_grad=True, classifier.0.bias for example."
#   - "It is an extra head"

# %% find_head
def find_head(model):
    layers = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    for name, layer in layers:
        if layer.weight.shape[0] == 1000:
            return name, layer
    return layers[-1]

# %% freeze_backbone
def freeze_backbone(model):
    *backbone, last = model.children()
    for part in backbone:
        part.requires_grad_(False)
    for parameter in model.parameters(recurse=False):
        parameter.requires_grad = False
    last.requires_grad_(True)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return model
