# Does the work and forgets the last line of two functions.
#
# score: {find_head: 6, replace_head: 0, freeze_backbone: 0, what_moved: 4}
# feedback:
#   - "replace_head returned None. Does it end with `return model`?"
#   - "freeze_backbone returned None. Does it end with `return model`?"

# %% replace_head
def replace_head(model, num_classes):
    name, old = find_head(model)
    model.set_submodule(name, nn.Linear(old.in_features, num_classes))

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
