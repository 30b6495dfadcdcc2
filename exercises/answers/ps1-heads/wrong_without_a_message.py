# Three mistakes that raise no error: model.fc assigned on every model, so that nobody calls the new layer;
# require_grad instead of requires_grad, so that nothing is frozen; and a state dict that is compared with itself.
#
# score: {find_head: 6, replace_head: 1.25, freeze_backbone: 1.5, what_moved: 0}
# feedback:
#   - "Two pictures and 7 classes should give scores of shape (2, 7), not (2, 1000). Did you exchange the layer that really runs last?"
#   - "60 tensors that are not the head's still have requires_grad=True"
#   - "Your answer leaves out what moved: 0.weight."

# %% replace_head
def replace_head(model, num_classes):
    features = find_head(model)[1].weight.shape[1]
    model.fc = nn.Linear(features, num_classes)
    return model

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

# %% what_moved
def what_moved(model, action):
    before = model.state_dict()
    action()
    after = model.state_dict()
    return [name for name in after if not torch.equal(before[name], after[name])]
