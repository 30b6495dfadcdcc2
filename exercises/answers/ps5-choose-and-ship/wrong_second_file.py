# Writes the names into a second file, which stays at home; exports the weights instead of a program.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 0, export: 0}
# feedback:
#   - "No such file or directory"
#   - "torch.export.load cannot open the file"

# %% save_and_load
import json
from pathlib import Path


def save_classifier(model, categories, path):
    torch.save(model.state_dict(), path)
    Path(path).with_suffix(".json").write_text(json.dumps(list(categories)))


def load_classifier(path, make_model):
    categories = json.loads(Path(path).with_suffix(".json").read_text())
    model = make_model(len(categories))
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval(), categories

# %% export
def export(model, example, path):
    torch.save(model.eval().state_dict(), path)
