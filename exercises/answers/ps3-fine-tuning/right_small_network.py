# BatchNorm scales, a hidden layer and dropout learn, patience stops; hooks are not needed for anything.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] a picture's neighbours do not matter"

# %% group_copies
def group_copies(images):
    small = torch.stack(
        [torch.tensor(list(image.resize((8, 8), Image.Resampling.BOX).tobytes()), dtype=torch.float) for image in images]
    )
    near = torch.cdist(small, small, p=1) / small.shape[1] < 12
    return [int(row.nonzero()[0]) for row in near]

# %% extract_features
def extract_features(backbone, images, batch_size):
    import copy

    frozen = copy.deepcopy(backbone).eval().requires_grad_(False)
    previous = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        return torch.vstack([frozen(images[i : i + batch_size]) for i in range(0, images.shape[0], batch_size)])
    finally:
        torch.set_grad_enabled(previous)

# %% train_head
import copy


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        width = features.shape[1]
        head = nn.Sequential(
            nn.BatchNorm1d(width, momentum=None), nn.Linear(width, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, num_classes)
        )
        head[0].eps = float(features.var(dim=0).mean()) / 100
        optimizer = torch.optim.Adam(head.parameters(), lr=3e-3)
        best, lowest, since = None, float("inf"), 0
        for _ in range(80):
            head.train()
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(head(features), labels, label_smoothing=0.1).backward()
            optimizer.step()
            head.eval()
            with torch.no_grad():
                loss = float(nn.functional.cross_entropy(head(validation_features), validation_labels))
            if loss < lowest:
                best, lowest, since = copy.deepcopy(head), loss, 0
            else:
                since += 1
            if since == 15:
                break
    return best.eval()
