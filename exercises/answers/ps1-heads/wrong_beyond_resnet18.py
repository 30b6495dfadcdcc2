# Types in the 512 features of a ResNet-18, calls model.eval() once, which the next model.train() undoes, and takes
# nearly equal for equal.
#
# score: {find_head: 6, replace_head: 0.25, freeze_backbone: 4.5, what_moved: 2.5}
# feedback:
#   - "mat1 and mat2 shapes cannot be multiplied"
#   - "Training moved 40 BatchNorm statistics"
#   - "[not yet] a change counts however small it is, and a NaN is a change"
#   - "Your answer leaves out what moved: 2.bias."

# %% replace_head
def replace_head(model, num_classes):
    name, old = find_head(model)
    new = nn.Conv2d(512, num_classes, 1) if isinstance(old, nn.Conv2d) else nn.Linear(512, num_classes)
    model.set_submodule(name, new)
    return model

# %% freeze_backbone
def freeze_backbone(model):
    model.requires_grad_(False)
    find_head(model)[1].requires_grad_(True)
    return model.eval()

# %% what_moved
def what_moved(model, action):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    action()
    after = model.state_dict()
    return [name for name in after if not torch.allclose(after[name], before[name], atol=0)]
