# Right, and as loud as students are: prints, warnings, and text on stderr, also past Python.
#
# score: {find_head: 6, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "Your code printed: looking for the head of ResNet"

# %% find_head
import os
import sys
import warnings


def find_head(model):
    print("looking for the head of", type(model).__name__)
    print("careful!", file=sys.stderr)
    os.write(2, b"careful, says C++!\n")
    warnings.warn("careful, says Python!")
    for name, layer in model.named_modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            last = name, layer
    return last
