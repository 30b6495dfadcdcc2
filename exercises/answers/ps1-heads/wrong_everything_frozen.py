# Freezes after the head is in place, and so freezes the head as well.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 0, what_moved: 4}
# feedback:
#   - "The head is frozen too, so nothing can learn."
#   - "Nothing is left that may learn: every parameter has requires_grad=False, the head's too."

# %% freeze_backbone
def freeze_backbone(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return model
