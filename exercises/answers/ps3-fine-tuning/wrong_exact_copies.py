# Finds only copies that are equal to the last bit, trains in the backbone's own mode, and counts batches instead of pictures.
#
# score: {group_copies: 0.5, split: 4, extract_features: 3.25, train_head: 5, accuracy: 1.5, experiment: 4}
# feedback:
#   - "show the same drawing and got different numbers."
#   - "show the same drawing and got different numbers"
#   - "Was every layer in eval mode?"
#   - "tensors of the backbone changed, ['1.num_batches_tracked'] for example."
#   - "The share of right answers is 0.8333. Yours is 0.5000."

# %% group_copies
import hashlib


def group_copies(images):
    seen = {}
    return [seen.setdefault(hashlib.sha256(image.tobytes()).hexdigest(), len(seen)) for image in images]

# %% extract_features
def extract_features(backbone, images, batch_size):
    with torch.no_grad():
        return torch.cat([backbone(batch) for batch in images.split(batch_size)])

# %% accuracy
def accuracy(model, batches):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        shares = [(model(x).argmax(dim=1) == y).float().mean().item() for x, y in batches]
    model.train(was_training)
    return sum(shares) / len(shares)
