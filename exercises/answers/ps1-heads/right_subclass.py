# Gives the frozen model a class of its own, whose train() leaves BatchNorm alone; looks a layer up by its identity.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] in train mode the backbone says what it says in eval mode"

# %% find_head
def find_head(model):
    last = [layer for layer in model.modules() if type(layer) in (nn.Linear, nn.Conv2d)].pop()
    (name,) = (name for name, layer in model.named_modules() if layer is last)
    return [name, last]

# %% freeze_backbone
def freeze_backbone(model):
    kind = type(model)

    class Frozen(kind):
        def train(self, mode=True):
            super().train(mode)
            for layer in self.modules():
                if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
                    layer.training = False
            return self

    model.__class__ = Frozen
    own = {id(parameter) for parameter in find_head(model)[1].parameters()}
    for parameter in model.parameters():
        parameter.requires_grad = id(parameter) in own
    return model.train(model.training)

# %% what_moved
def what_moved(model, action):
    before = [tensor.detach().clone() for tensor in model.state_dict().values()]
    action()
    after = model.state_dict()
    return {name for name, old in zip(after, before) if bool((after[name] != old).any())}
