# Freezes convolutions and BatchNorm, so that everything in a transformer learns.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 2, what_moved: 4}
# feedback:
#   - "a small VGG: 4 tensors that are not the head's still have requires_grad=True"

# %% freeze_backbone
def freeze_backbone(model):
    head = find_head(model)[1]
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.BatchNorm2d)) and layer is not head:
            layer.requires_grad_(False)
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return model
