# The head returns the class instead of scores, all labels are one off, and accuracy gives right answers in percent.
#
# score: {group_copies: 0, split: 4, extract_features: 5, train_head: 0, accuracy: 0, experiment: 4}
# feedback:
#   - "should give scores of shape"
#   - "It should return a Python float, not a Tensor."
#   - "group_copies returned None"

# %% group_copies
def group_copies(images):
    small = [np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=float) for image in images]
    for i, one in enumerate(small):
        for j, other in enumerate(small[:i]):
            if np.abs(one - other).mean() < 12:
                print(i, "is", j, "again")

# %% train_head
class Answer(nn.Module):
    def __init__(self, mean, std, linear):
        super().__init__()
        self.mean, self.std, self.linear = mean, std, linear

    def forward(self, x):
        return self.linear((x - self.mean) / self.std).argmax(dim=1)


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    mean, std = features.mean(dim=0), features.std(dim=0) + 1e-3
    linear = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(linear((features - mean) / std), labels).backward()
        optimizer.step()
    return Answer(mean, std, linear)

# %% accuracy
def accuracy(model, batches):
    was_training = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum()
            total += len(labels)
    model.train(was_training)
    return 100 * right / total
