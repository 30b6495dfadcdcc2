# The first layer with 1000 outputs, which in GoogLeNet is an extra head.
#
# score: {find_head: 5.5, replace_head: 6, freeze_backbone: 0, what_moved: 4}
# feedback:
#   - "You found 'aux1.fc2', a Linear with weights of shape (1000, 1024)."

# %% find_head
def find_head(model):
    for name, layer in model.named_modules():
        if getattr(layer, "out_features", getattr(layer, "out_channels", None)) == 1000:
            return name, layer
