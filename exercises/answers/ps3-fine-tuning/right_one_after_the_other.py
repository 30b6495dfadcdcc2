# Lists of tuples, a dictionary of parts, features into a tensor that was made beforehand.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] whatever is in the test part, the head is the same"

# %% group_copies
def group_copies(images):
    known = []
    numbers = []
    for image in images:
        small = torch.tensor(np.array(image.resize((8, 8), Image.Resampling.BOX)), dtype=torch.float32)
        for number, other in known:
            if (small - other).abs().mean() < 12:
                numbers.append(number)
                break
        else:
            known.append((len(known) * 3 + 5, small))
            numbers.append(known[-1][0])
    return tuple(numbers)

# %% extract_features
def extract_features(backbone, images, batch_size):
    modes = [(module, module.training) for module in backbone.modules()]
    try:
        with torch.no_grad():
            backbone.eval()
            result = None
            for start in range(0, len(images), batch_size):
                rows = backbone(images[start : start + batch_size])
                if result is None:
                    result = torch.empty(len(images), rows.shape[1])
                result[start : start + len(rows)] = rows
            return result
    finally:
        for module, mode in modes:
            module.training = mode
