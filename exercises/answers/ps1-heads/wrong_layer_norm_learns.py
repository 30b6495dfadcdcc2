# Freezes layers kind by kind, and forgets LayerNorm, GroupNorm and the parameters that belong to no layer.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 2, what_moved: 4}
# feedback:
#   - "a small ViT:"

# %% freeze_backbone
def freeze_backbone(model):
    head = find_head(model)[1]
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.BatchNorm2d)) and layer is not head:
            layer.requires_grad_(False)
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return model
