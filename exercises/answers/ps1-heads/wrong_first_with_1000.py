# The first layer with 1000 outputs, which in GoogLeNet is an extra head.
#
# score: {find_head: 4.5, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "You found 'AuxLogits.fc', a Linear with weights of shape (1000, 768). It is an extra head, which only speaks in train mode."

# %% find_head
def find_head(model):
    for name, layer in model.named_modules():
        if getattr(layer, "out_features", getattr(layer, "out_channels", None)) == 1000:
            return name, layer
