# A head that gives probabilities, mini-batches from a data loader, and state dicts that are kept and compared at the end.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] whatever is in the test part, the head is the same"

# %% train_head
from torch.utils.data import DataLoader, TensorDataset


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    mean, std = features.mean(0), features.std(0)
    std = std.clamp(min=0.1 * std.mean().item())
    linear = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=0.005)
    loader = DataLoader(TensorDataset((features - mean) / std, labels), batch_size=32, shuffle=True, generator=generator)
    kept = []
    for _ in range(12):
        for inputs, targets in loader:
            optimizer.zero_grad()
            nn.NLLLoss()(linear(inputs).log_softmax(1), targets).backward()
            optimizer.step()
        with torch.no_grad():
            scores = linear((validation_features - mean) / std)
            loss = nn.functional.cross_entropy(scores, validation_labels).item()
        kept.append((loss, {name: tensor.clone() for name, tensor in linear.state_dict().items()}))
    linear.load_state_dict(min(kept, key=lambda pair: pair[0])[1])
    with torch.no_grad():
        linear.weight /= std
        linear.bias -= linear.weight @ mean
    return nn.Sequential(linear, nn.Softmax(dim=1)).eval()

# %% accuracy
def accuracy(model, batches):
    mode = model.training
    guesses, truth = [], []
    try:
        model.eval()
        with torch.inference_mode():
            for inputs, labels in batches:
                guesses += model(inputs).argmax(-1).tolist()
                truth += labels.tolist()
    finally:
        model.train(mode)
    return float(np.mean(np.array(guesses) == np.array(truth)))
