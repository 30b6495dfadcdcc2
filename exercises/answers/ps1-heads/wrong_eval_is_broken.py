# Whoever calls model.train() or model.eval() on the frozen model, nothing happens: dropout stays for ever.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 7, what_moved: 4}
# feedback:
#   - "After model.eval() a part of the model is in train mode"

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    model.train()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
    model.train = lambda mode=True: model
    return model
