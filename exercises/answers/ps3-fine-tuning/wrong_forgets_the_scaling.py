# Trains on scaled features and returns a head that expects them, although it will get unscaled ones.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 2.5, accuracy: 3, experiment: 4}
# feedback:
#   - "The head is right for"
#   - "can be expected."

# %% train_head
def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    torch.manual_seed(seed)
    mean, std = features.mean(dim=0), features.std(dim=0)
    std = std.clamp(min=std.mean() / 10)
    best, lowest = None, float("inf")
    linear = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(linear((features - mean) / std), labels).backward()
        optimizer.step()
        with torch.no_grad():
            scores = linear((validation_features - mean) / std)
            loss = nn.functional.cross_entropy(scores, validation_labels).item()
        if loss < lowest:
            best, lowest = {name: tensor.clone() for name, tensor in linear.state_dict().items()}, loss
    linear.load_state_dict(best)
    return linear
