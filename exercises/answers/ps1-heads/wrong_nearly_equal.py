# Takes nearly equal for equal.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 3.5}
# feedback:
#   - "[not yet] a change in the seventh digit"
#   - "Your answer leaves out 1 of 1 tensors that moved: 2.bias."

# %% what_moved
def what_moved(model, action):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    action()
    after = model.state_dict()
    return [name for name in after if not torch.allclose(after[name], before[name], atol=0)]
