# scikit-learn and SciPy do the work: connected pairs, logistic regression.
#
# score: {group_copies: 4, split: 4, extract_features: 5, train_head: 5, accuracy: 3, experiment: 4}
# feedback:
#   - "[passed] features are scaled, with numbers of the training pictures"

# %% group_copies
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist


def group_copies(images):
    small = np.stack([np.asarray(image.resize((16, 16), Image.Resampling.BOX), dtype=float).ravel() for image in images])
    return connected_components(cdist(small, small, "cityblock") / small.shape[1] < 12)[1]

# %% extract_features
from torch.utils.data import DataLoader, TensorDataset


@torch.no_grad()
def extract_features(backbone, images, batch_size):
    modes = [module.training for module in backbone.modules()]
    backbone.eval()
    features = [backbone(batch).detach().cpu() for (batch,) in DataLoader(TensorDataset(images), batch_size=batch_size)]
    for module, mode in zip(backbone.modules(), modes):
        module.training = mode
    return torch.cat(features)

# %% train_head
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class FromScikitLearn(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, features):
        return torch.from_numpy(self.model.predict_proba(features.numpy()))


def train_head(features, labels, validation_features, validation_labels, num_classes, seed):
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=200, random_state=seed)).fit(
            features.numpy(), labels.numpy()
        )
        for c in (1e-4, 1e-3, 1e-2, 1e-1)
    ]
    return FromScikitLearn(max(models, key=lambda model: model.score(validation_features.numpy(), validation_labels.numpy())))

# %% accuracy
from sklearn.metrics import accuracy_score


def accuracy(model, batches):
    before = model.training
    model.eval()
    with torch.no_grad():
        pairs = [(model(inputs).argmax(dim=1), labels) for inputs, labels in batches]
    model.train(before)
    return float(accuracy_score(torch.cat([labels for _, labels in pairs]), torch.cat([guess for guess, _ in pairs])))
