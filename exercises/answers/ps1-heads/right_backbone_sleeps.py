# After each model.train() the whole backbone, dropout included, goes back to eval mode; only the head trains.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "[passed] in train mode the backbone says what it says in eval mode"

# %% freeze_backbone
import types


def freeze_backbone(model):
    head = find_head(model)[1]
    model.requires_grad_(False)
    head.requires_grad_(True)

    def train(self, mode=True):
        self.training = mode
        for layer in self.modules():
            if layer is not self:
                layer.training = False
        head.training = mode
        return self

    model.train = types.MethodType(train, model)
    return model.train(model.training)

# %% what_moved
from collections import OrderedDict


def what_moved(model, action):
    copies = OrderedDict((name, tensor.tolist()) for name, tensor in model.state_dict().items())
    action()
    return tuple(name for name, tensor in model.state_dict().items() if tensor.tolist() != copies[name])
