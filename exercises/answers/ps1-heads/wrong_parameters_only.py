# Looks at the parameters and forgets the buffers, where BatchNorm keeps its statistics.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 2.5}
# feedback:
#   - "Your answer leaves out 3 of 3 tensors that moved: 1.num_batches_tracked, 1.running_mean, 1.running_var."

# %% what_moved
def what_moved(model, action):
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    action()
    return [name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])]
