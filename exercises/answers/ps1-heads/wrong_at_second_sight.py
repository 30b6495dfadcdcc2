# Right shapes, and more: a whole block gives way to one layer, BatchNorm moves although no gradient flows, and the
# proof looks at the parameters and forgets the buffers, where BatchNorm keeps its statistics.
#
# score: {find_head: 6, replace_head: 2, freeze_backbone: 4.5, what_moved: 2}
# feedback:
#   - "These layers ran before and do not run any more: Dropout, Dropout, Linear, Linear, ReLU, ReLU. Exchange only the head, not the block around it."
#   - "Training moved 40 BatchNorm statistics, ['bn1.running_mean'] for example. No gradient did that: the layers were in train mode."
#   - "Your answer leaves out what moved: 1.num_batches_tracked, 1.running_mean, 1.running_var."

# %% replace_head
def replace_head(model, num_classes):
    name, old = find_head(model)
    block_name = name.split(".")[0]
    block = getattr(model, block_name)
    first = next((layer for layer in block.modules() if isinstance(layer, nn.Linear)), None)
    if first is None:
        setattr(model, block_name, nn.Sequential(nn.Conv2d(512, num_classes, 1), nn.AdaptiveAvgPool2d(1)))
    else:
        setattr(model, block_name, nn.Linear(first.in_features, num_classes))
    return model

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    return model

# %% what_moved
def what_moved(model, action):
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    action()
    return [name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])]
