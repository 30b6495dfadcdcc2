# The last nn.Linear: right for 78 of torchvision's 80 classifiers, and a convolution is not one of them.
#
# score: {find_head: 4.5, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[not yet] a convolution can be a head"
#   - "IndexError: list index out of range"

# %% find_head
def find_head(model):
    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Linear)][-1]
