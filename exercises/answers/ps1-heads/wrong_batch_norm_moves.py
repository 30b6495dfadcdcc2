# Turns off the gradients and leaves BatchNorm in train mode: the classic.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 4, what_moved: 4}
# feedback:
#   - "Training moved 40 BatchNorm statistics, ['bn1.running_mean'] for example. No gradient did that: the layers were in train mode."

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    return model
