# Puts a single layer in the place of the whole block: the scores have the right shape, and layers are lost.
#
# score: {find_head: 6, replace_head: 0, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "These layers ran before and do not run any more: Dropout, Dropout, Linear, Linear, ReLU, ReLU. Exchange only the head, not the block around it."

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
