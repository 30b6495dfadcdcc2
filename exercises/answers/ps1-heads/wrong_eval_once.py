# Calls model.eval() at the end, which the next model.train() undoes.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 4, what_moved: 4}
# feedback:
#   - "Training moved 40 BatchNorm statistics"

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    return model.eval()
