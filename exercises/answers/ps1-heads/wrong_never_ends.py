# A loop that never ends, exit(), a name that does not exist, and a cell with a syntax error: none stops the grading.
#
# score: {find_head: 4.5, replace_head: 0, freeze_backbone: 0, what_moved: 0}
# feedback:
#   - "squeezenet1_1: Not finished after 10 seconds. Is there a loop that never ends?"
#   - "Your code called exit()."
#   - "NameError: name 'model_' is not defined"
#   - "NameError: name 'what_moved' is not defined. Run the cell that defines it, or check the spelling."

# %% find_head
def find_head(model):
    if isinstance(model, models.SqueezeNet):
        layer = None
        while layer is None:
            layer = None
    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Linear)][-1]

# %% replace_head
def replace_head(model, num_classes):
    exit()

# %% freeze_backbone
def freeze_backbone(model):
    return model_

# %% what_moved
def what_moved(model, action)
    return []
