# Freezes what is called features, where there is such a part, and all but the head elsewhere.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 2, what_moved: 4}
# feedback:
#   - "tensors that are not the head's still have requires_grad=True, classifier"

# %% freeze_backbone
def freeze_backbone(model):
    if hasattr(model, "features"):
        model.features.requires_grad_(False)
    else:
        model.requires_grad_(False)
        find_head(model)[1].requires_grad_(True)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return model
