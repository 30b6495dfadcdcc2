# Reads model.fc, whatever the model calls its head.
#
# score: {find_head: 1.75, replace_head: 1.25, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "Your line `model.fc = nn.Linear(model.fc.in_features, num_classes)` raised AttributeError"
#   - "Your line `return \"fc\", model.fc` raised AttributeError: 'VGG' object has no attribute 'fc'"

# %% find_head
def find_head(model):
    return "fc", model.fc

# %% replace_head
def replace_head(model, num_classes):
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    return model
