# Keeps the state dict instead of a copy of it, and compares the model with itself.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 0.5}
# feedback:
#   - "Your answer leaves out 1 of 1 tensors that moved: 0.weight."

# %% what_moved
def what_moved(model, action):
    before = model.state_dict()
    action()
    after = model.state_dict()
    return [name for name in after if not torch.equal(before[name], after[name])]
