# Takes fc, or the last layer of the classifier block. SqueezeNet's block ends in pooling, DenseNet has no block.
#
# score: {find_head: 2, replace_head: 7, freeze_backbone: 8, what_moved: 4}
# feedback:
#   - "You found 'classifier.3', a AdaptiveAvgPool2d."
#   - "a small DenseNet: Your line"

# %% find_head
def find_head(model):
    if hasattr(model, "fc"):
        return "fc", model.fc
    return f"classifier.{len(model.classifier) - 1}", model.classifier[-1]
