# The plainest head there is: Adam, two learning rates, the epoch that is right most often on validation.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] whatever is in the test part, the head is the same"

# %% split
def split(labels, groups, fractions, seed):
    rng = np.random.default_rng(seed)
    parts = [[] for _ in fractions]
    for label in set(labels):
        own = [i for i in range(len(labels)) if labels[i] == label]
        names = sorted({groups[i] for i in own})
        rng.shuffle(names)
        ends = np.cumsum(fractions) * len(own)
        done = 0
        for name in names:
            members = [i for i in own if groups[i] == name]
            place = int(np.searchsorted(ends, done + len(members) / 2))
            parts[min(place, len(parts) - 1)] += members
            done += len(members)
    return parts

# %% train_head
import copy


class Scale(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, x):
        return (x - self.mean) / self.std


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    std = features.std(0)
    scale = Scale(features.mean(0), torch.where(std < std.mean() / 10, std.mean(), std))
    best, best_right = None, -1
    for lr in (0.01, 0.003):
        torch.manual_seed(seed)
        head = nn.Sequential(scale, nn.Linear(features.shape[1], num_classes))
        optimizer = torch.optim.Adam(head.parameters(), lr=lr)
        for epoch in range(50):
            loss = nn.functional.cross_entropy(head(features), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                right = (head(validation_features).argmax(1) == validation_labels).sum().item()
            if right > best_right:
                best, best_right = copy.deepcopy(head), right
    return best
