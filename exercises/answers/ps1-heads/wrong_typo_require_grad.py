# Writes require_grad instead of requires_grad. Python makes a new attribute, and nothing is frozen.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 3, what_moved: 4}
# feedback:
#   - "60 tensors of the backbone still have requires_grad=True"

# %% freeze_backbone
def freeze_backbone(model):
    for parameter in model.parameters():
        parameter.require_grad = False
    for parameter in find_head(model)[1].parameters():
        parameter.require_grad = True
    model.register_forward_pre_hook(
        lambda model, inputs: [layer.eval() for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)] and None
    )
    return model
