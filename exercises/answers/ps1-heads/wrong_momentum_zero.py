# Stops the statistics with momentum 0, so each picture is still normalised by its neighbours.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 7, what_moved: 4}
# feedback:
#   - "In train mode the scores of a picture depend on the other picture in its batch"

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.0
    return model
