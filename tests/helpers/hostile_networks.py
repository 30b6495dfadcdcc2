"""Hostile answers to problem set 1, whose tests hand networks over and look at what came back.

All of them answer one task and leave the others open. Points that a case is given are those of a check that holds for
a network as it came: `freeze_backbone` that does nothing leaves `model.eval()` working, which is worth 1.
"""

from hostile_case import CRASHED, ERROR, GRADED, LOOK, TIMED_OUT, Case

LAST = """
def last(model):
    return [(n, l) for n, l in model.named_modules() if isinstance(l, (nn.Linear, nn.Conv2d))][-1]
"""

FIND_HEAD = [
    Case(
        "name_that_is_equal",
        """
class Name(str):
    def __eq__(self, o):
        return True
    __hash__ = str.__hash__
def find_head(model):
    return Name('x'), model
""",
        says="The first thing should be the name, a text.",
    ),
    Case(
        "layers_patched",
        """
nn.Module.__call__ = lambda *a, **k: torch.zeros(2, 4)
nn.Module.get_submodule = lambda self, name: 3
def find_head(model):
    return 'fc', 3
""",
        says="A head multiplies features by weights",
    ),
    Case(
        "get_submodule_replaced",
        """
def find_head(model):
    layer = nn.Linear(2, 1000)
    model.get_submodule = lambda name: layer
    return 'fc', layer
""",
        says="is not the layer that you returned",
    ),
    Case(
        "dangerous_when_it_goes",
        """
import os
class Gone:
    def __del__(self):
        os._exit(0)
def find_head(model):
    Gone()
""",
        statuses=(CRASHED,),
        says="The program ended",
    ),
    Case(
        "raises_when_it_is_looked_at",
        """
class No:
    def no(self, *a):
        raise SystemExit('no')
    __getattribute__ = __repr__ = __iter__ = __len__ = __eq__ = __hash__ = __bool__ = no
def find_head(model):
    return No()
""",
        statuses=(CRASHED,),
        says="The program ended",
    ),
    Case(
        "endless_generator",
        """
import itertools
def find_head(model):
    return itertools.count()
""",
        says="should return two things",
    ),
    Case(
        "gigantic_error",
        """
def find_head(model):
    raise type('E' * 10**6, (Exception,), {})('x' * 10**8)
""",
        says="[not yet]",
    ),
    Case(
        "recursion_in_a_function",
        """
def find_head(model):
    return find_head(model)
""",
        says="RecursionError",
    ),
    Case(
        "recursion_without_a_limit",
        """
import sys
def find_head(model):
    sys.setrecursionlimit(10**9)
    return repr(nested())
def nested():
    x = []
    for _ in range(10**6):
        x = [x]
    return x
""",
        statuses=(CRASHED,),
        says="The program ended",
    ),
    Case(
        "giant_layer_without_numbers",
        """
def find_head(model):
    return 'fc', nn.Linear(2**30, 2**30, device='meta')
""",
        score=None,
        statuses=(LOOK,),
        says="a tensor that is too large",
    ),
    Case(
        "giant_tensor_of_one_number",
        """
def find_head(model):
    return 'fc', torch.zeros(1).expand(2**40)
""",
        says="[not yet]",
    ),
    Case(
        "lists_that_hold_each_other_twice",
        """
def find_head(model):
    x = []
    for _ in range(50):
        x = [x, x]
    return x
""",
        says="The first thing should be the name",
    ),
    Case(
        "a_network_inside_itself",
        """
def find_head(model):
    model.inside = model
    model.register_buffer('x', torch.zeros(1))
    return 'inside', model
""",
        says="[not yet]",
    ),
    Case(
        "ten_thousand_layers_deep",
        """
def find_head(model):
    for _ in range(10_000):
        model = nn.Sequential(model)
    return 'fc', model
""",
        score=None,
        statuses=(LOOK,),
        says="none of the modules",
    ),
    Case("the_function_is_a_module", "import torch as find_head", says="NameError"),
]

REPLACE_HEAD = [
    Case(
        "output_cut_by_a_hook",
        """
def replace_head(model, n):
    cut = lambda o: o[:, :n] if torch.is_tensor(o) else tuple(x[:, :n] for x in o)
    model.register_forward_hook(lambda m, i, o: cut(o))
    return model
""",
        says="The old head is still there",
    ),
    Case(
        "watchers_called_by_hand",
        LAST
        + """
def replace_head(model, n):
    head = last(model)[1]
    model.fake = nn.Linear(1, n, device=head.weight.device, dtype=head.weight.dtype)
    def cut(m, i, o):
        for hook in list(m.fake._forward_hooks.values()):
            hook(m.fake, (), None)
        return o[:, :n] if torch.is_tensor(o) else tuple(x[:, :n] for x in o)
    model.register_forward_hook(cut)
    return model
""",
        says="The old head is still there",
    ),
    Case(
        "call_replaced",
        """
def replace_head(model, n):
    model._compiled_call_impl = model._call_impl = lambda x: torch.zeros(len(x), n, device=x.device)
    return model
""",
        says="should give scores of shape (2, 4), not (2, 1000)",
    ),
    Case(
        "forward_lies",
        """
def replace_head(model, n):
    model.forward = lambda x: torch.zeros(len(x), n, device=x.device, dtype=x.dtype)
    return model
""",
        says="[not yet] resnet18 for 4 diseases",
    ),
    Case(
        "weights_beside_the_weights",
        LAST
        + """
def replace_head(model, n):
    head = last(model)[1]
    head.__dict__['weight'] = torch.rand(n, *head.weight.shape[1:])
    head.__dict__['bias'] = torch.rand(n)
    return model
""",
        says="should give scores of shape (2, 4), not (2, 1000)",
    ),
    Case(
        "says_it_is_a_network",
        """
class Fake:
    __class__ = nn.Module
    def __getattr__(self, name):
        return lambda *a, **k: Fake()
def replace_head(model, n):
    return Fake()
""",
        says="replace_head should return the model",
    ),
    Case(
        "shape_of_a_tensor_lies",
        LAST
        + """
class T(torch.Tensor):
    @classmethod
    def __torch_function__(cls, f, types, args=(), kwargs=None):
        if getattr(f, '__name__', '') == '__get__' and 'shape' in repr(f):
            return torch.Size([4, 512])
        return super().__torch_function__(f, types, args, kwargs or {})
def replace_head(model, n):
    head = last(model)[1]
    head._parameters['weight'] = head.weight.detach().clone().as_subclass(T)
    return model
""",
        score=None,
        statuses=(LOOK,),
        says="none of the parameters",
    ),
]

FREEZE_BACKBONE = [
    Case(
        "networks_patched",
        """
from course_utils.grading import networks
networks.forward = lambda *a: networks.Forward(None, [])
networks.moved = lambda *a: []
def freeze_backbone(model):
    return model
""",
        score=1.0,
        says="requires_grad=True",
    ),
    Case(
        "training_patched",
        """
torch.optim.SGD.step = torch.Tensor.backward = lambda *a, **k: None
nn.functional.cross_entropy = lambda *a, **k: torch.zeros((), requires_grad=True)
torch.equal = torch.allclose = lambda *a, **k: True
nn.Module.state_dict = lambda *a, **k: {}
nn.Module.train = lambda self, mode=True: self
def freeze_backbone(model):
    return model
""",
        score=1.0,
        says="requires_grad=True",
    ),
    Case(
        "state_dict_as_an_attribute",
        LAST
        + """
def freeze_backbone(model):
    name = last(model)[0]
    kept = {n: t.detach().clone() for n, t in nn.Module.state_dict(model).items()}
    calls = []
    def told(*a, **k):
        calls.append(1)
        return {n: t + len(calls) if n.startswith(name) else t for n, t in kept.items()}
    learning = [(n, p) for n, p in model.named_parameters() if n.startswith(name)]
    model.state_dict, model.named_parameters = told, lambda *a, **k: iter(learning)
    return model
""",
        score=1.0,
        says="requires_grad=True",
    ),
    Case(
        "state_dict_by_a_hook",
        LAST
        + """
def freeze_backbone(model):
    name = last(model)[0]
    kept = {n: t.detach().clone() for n, t in model.state_dict().items() if not n.startswith(name)}
    model._register_state_dict_hook(lambda m, found, prefix, _: found.update(kept) if not prefix else None)
    return model
""",
        score=1.0,
        says="weights of the backbone",
    ),
    Case(
        "no_parameters_at_all",
        """
def freeze_backbone(model):
    model.parameters = model.named_parameters = model.buffers = lambda *a, **k: iter(())
    model.modules = model.named_modules = model.children = lambda *a, **k: iter(())
    return model
""",
        score=1.0,
        says="requires_grad=True",
    ),
    Case(
        "requires_grad_as_a_property",
        """
class P(nn.Parameter):
    requires_grad = property(lambda self: False, lambda self, value: None)
def freeze_backbone(model):
    for layer in model.modules():
        for name, old in list(layer._parameters.items()):
            if old is not None:
                layer._parameters[name] = P(old.detach())
    return model
""",
        score=1.0,
        says="The head is frozen too",
    ),
    Case(
        "another_network",
        """
def freeze_backbone(model):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)).eval()
""",
        says="Yours returns another network",
    ),
    Case(
        "leaves_in_a_hook",
        """
import os
def freeze_backbone(model):
    model.register_forward_pre_hook(lambda *a: os._exit(0))
    return model
""",
        statuses=(CRASHED,),
        says="The program ended",
    ),
]

WHAT_MOVED = [
    Case(
        "calls_the_test_for_ever",
        """
def what_moved(model, action):
    while True:
        action()
""",
        score=None,
        statuses=(GRADED, ERROR, TIMED_OUT, CRASHED),
    ),
    Case(
        "calls_the_test_for_ever_and_is_deaf",
        """
def what_moved(model, action):
    while True:
        try:
            action()
        except BaseException:
            pass
""",
        statuses=(TIMED_OUT,),
        says="does not stop when it is interrupted",
    ),
    Case(
        "set_that_takes_everything_away",
        """
class S(set):
    def __rsub__(self, o):
        return set()
    __sub__ = __rsub__
def what_moved(model, action):
    action()
    return S(['x'])
""",
        says="should return a set or a list of names",
    ),
    Case(
        "tensor_that_is_equal_to_everything",
        """
class T(torch.Tensor):
    def __eq__(self, o):
        return True
    __hash__ = torch.Tensor.__hash__
    @classmethod
    def __torch_function__(cls, *a, **k):
        return True
def what_moved(model, action):
    action()
    return torch.zeros(1).as_subclass(T)
""",
        says="[not yet]",
    ),
    Case(
        "returns_the_tests_own_function",
        """
def what_moved(model, action):
    action()
    return action
""",
        says="should return a set or a list of names",
    ),
    Case(
        "undoes_what_the_test_did",
        """
import copy
def what_moved(model, action):
    kept = copy.deepcopy(model.state_dict())
    action()
    model.load_state_dict(kept)
    return []
""",
        says="leaves out what moved",
    ),
    Case(
        "calls_old_functions_of_the_judge",
        """
kept = []
def what_moved(model, action):
    kept.append(action)
    for one in kept:
        one()
    return []
""",
        says="leaves out what moved",
    ),
]


def _of(answer: str, cases: list[Case]) -> list[Case]:
    about = {"assignment": "ps1-heads", "base": "untouched", "into": answer}
    return [Case(**{**vars(case), **about}) for case in cases]


NETWORKS = [
    *_of("find_head", FIND_HEAD),
    *_of("replace_head", REPLACE_HEAD),
    *_of("freeze_backbone", FREEZE_BACKBONE),
    *_of("what_moved", WHAT_MOVED),
]
