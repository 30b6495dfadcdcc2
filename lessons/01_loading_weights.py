# %% [markdown]
# # Loading weights: one line against 1.28 million pictures
#
# **After this lesson you can**
#
# - load pre-trained weights the way torchvision wants it today, and say what the old `pretrained=True` does,
# - read what a weights entry knows: accuracy, size, categories, preprocessing,
# - say where the file lies, and when it is downloaded again,
# - look into a *state dict*, load it into a model, and notice when nothing was loaded,
# - tell from an error message which call was wrong.
#
# **Time:** 40 minutes. **You need:** lesson 00.

# %% [markdown] covers=["S22"]
# ## The same network, with and without
#
# **Commit to an answer first.** To get a network that recognises things in photos, how much training code will you write
# in the next cells?
#
# - (a) a loop over pictures and labels
# - (b) a few lines that show it a handful of your photos
# - (c) none

# %%
from course_utils import load_pretrained, predict, sample_images

model, weights = load_pretrained("efficientnet_lite0")

# %% [markdown]
# None, it is (c). Now we build the same network again, with the same layers in the same order, but without loading
# anything. `weights=None` is how torchvision says that; PyTorch fills such a network with random numbers.

# %%
import torch

from course_utils.efficientnet_lite import efficientnet_lite0

torch.manual_seed(1)
untrained = efficientnet_lite0().eval()

# %% [markdown]
# Both networks see the same six photos. What will the untrained one do? Commit to an answer with the buttons.

# %%
from course_utils import commit, guesses, reveal

commit("untrained-network")

# %%
photos = sample_images()
squares = [photo.square for photo in photos.values()]
from_nothing = [answers[0] for answers in predict(untrained, weights, squares, k=1)]
answers = [answers[0] for answers in predict(model, weights, squares, k=1)]


def show_both():
    print(f"{'photo':14}{'untrained':34}loaded")
    for name, wild, answer in zip(photos, from_nothing, answers, strict=True):
        print(f"{name:14}{wild!s:34}{answer}")
    different = [len({answer.label for answer in column}) for column in (from_nothing, answers)]
    print("\ndifferent answers:", different[0], "and", different[1])
    if different[0] == len(photos):
        return "give a different wild guess for each photo"
    return "say much the same, whatever it is shown"


reveal("untrained-network", show_both)

# %%
from course_utils.plots import show_images

titles = [
    f"untrained: {wild.label}\nloaded: {answer.label}" for wild, answer in zip(from_nothing, answers, strict=True)
]
told = "; ".join(f"{name}, {title}" for name, title in zip(photos, titles, strict=True))
show_images(
    squares,
    titles,
    alt=f"The six photos, each with the answers of both networks: {told}.".replace("\n", ", "),
    columns=3,
)

# %% [markdown] covers=["S30"]
# The figure shows the six photos with both answers above each. Nothing stops: the untrained network says much the same whatever it is shown, and is never sure. The loaded one answers by what is in the photo. It is not always
# right: it has no category for astronauts or photographers, and the horse is only a silhouette.
#
# The layers are the same. All the difference is in the numbers. PyTorch keeps the two apart on purpose:
#
# - the **architecture** is Python code: which layers, how wide, in which order;
# - the **weights** are a file of numbers that fits this architecture.
#
# That is why you can put other weights into the same architecture, save yours after training, or exchange one layer and
# keep the rest.

# %% [markdown] covers=["S29"]
# ## What the numbers look like
#
# For a look inside we change to a ResNet-18, the network of most tutorials, with the weights that this course has trained. Its
# first layer has 64 small filters of 7 x 7 pixels. Each of them slides over the picture and answers strongly where the
# picture looks like the filter. So a filter can be drawn as a tiny picture of what it seeks. First 16 untrained ones:

# %%
from torchvision.models import resnet18

model, weights = load_pretrained("resnet18", "course")
categories = weights.meta["categories"]
new = resnet18(weights=None, num_classes=len(categories))

show_images(
    list(new.conv1.weight[:16]),
    alt="Sixteen filters of the untrained network: random coloured dots without structure.",
    columns=8,
)

# %%
show_images(
    list(model.conv1.weight[:16]),
    alt="Sixteen filters of the pre-trained network: several are smooth stripes in different "
    "directions or patches of one colour beside another.",
    columns=8,
)

# %% [markdown]
# Above, random dots. Below them, the trained filters: stripes in different directions (they find edges) and colour against
# colour. Nobody drew these; they are what training on pictures arrives at. The layers behind combine edges into textures, and
# textures into shapes.

# %% [markdown] covers=["S49", "S52"]
# ## The one line
#
# `load_pretrained` is a helper of this course, which works without a network too. In your own projects you will write
# torchvision's line. The cell runs it where the file lies in your cache or can be downloaded (45 MB):

# %% tags=["nbval-ignore-output"]
from torchvision.models import ResNet18_Weights, resnet18

from course_utils.weights import can_download, imagenet_cached

if imagenet_cached("resnet18") or can_download(ResNet18_Weights.DEFAULT.url):
    plain = resnet18(weights=ResNet18_Weights.DEFAULT)  # or just weights="DEFAULT"
    plain.eval()  # ready to predict; lesson 03 shows why this matters
    print(predict(plain, ResNet18_Weights.DEFAULT, photos["cat"].square, k=1)[0][0])
else:
    print("Not in the cache, and the server cannot be reached from here: read the line, and go on without it.")

# %% [markdown] covers=["S49"]
# It is the same pattern for every model: `alexnet` and `AlexNet_Weights`, `vgg16` and `VGG16_Weights`. Such a class is an *enum*, a
# fixed list of named choices, its **entries**. (In Keras, the same idea reads `VGG16(weights="imagenet")`. In torchvision that
# value does not exist, as you will see below.)

# %% [markdown] covers=["S51"]
# ### A string, or the entry itself?
#
# You will meet both: `alexnet(weights="IMAGENET1K_V1")` and `alexnet(weights=AlexNet_Weights.IMAGENET1K_V1)`.
# **Commit to an answer first.** What is the difference?
#
# - (a) other weights
# - (b) the string downloads, the entry does not
# - (c) none
#
# AlexNet's file is large, so we only listen: `note_and_stand_in` takes the place of the method that would fetch it, notes
# who was asked for what, and returns random numbers of the right shapes.

# %% covers=["S51"]
from unittest import mock

from torchvision.models import AlexNet_Weights, alexnet

random_numbers = alexnet(weights=None).state_dict()


def note_and_stand_in(entry, **options):
    print(f"    {entry} is asked for {entry.url.split('/')[-1]}, {entry.meta['_file_size']:.0f} MB")
    return random_numbers


with mock.patch.object(AlexNet_Weights, "get_state_dict", note_and_stand_in):
    for asked in ("IMAGENET1K_V1", AlexNet_Weights.IMAGENET1K_V1, "DEFAULT", None):
        print(f"alexnet(weights={asked!r})")
        alexnet(weights=asked)

# %% [markdown] covers=["S51"]
# It is (c). The string is looked up in AlexNet's own enum, and there is only one such entry there, which `"DEFAULT"` names too. (With
# `None` nobody is asked for anything.) What, then, is the entry good for?

# %% covers=["S51"]
entry = AlexNet_Weights["IMAGENET1K_V1"]  # from the string to the entry
print("the same object:", entry is AlexNet_Weights.IMAGENET1K_V1)
print(
    "it knows its", len(entry.meta["categories"]), "categories, and crops to", *entry.transforms().crop_size, "pixels"
)

for asked in ("IMAGENET1K_V2", "imagenet1k_v1"):
    try:
        alexnet(weights=asked)
    except KeyError as error:
        print(f'alexnet(weights="{asked}"): KeyError: {error}')

# %% [markdown] covers=["S51"]
# The builder returns the network alone. Categories and preprocessing belong to the **entry**, and who wrote a string still has to get it. A
# string is also checked only when the line runs, down to its capitals; an entry's name is completed by **Tab**.

# %%
from course_utils import ask

ask("string-or-entry")

# %% [markdown]
# ### Which entries are there?

# %% covers=["S58"]
from torchvision.models import ResNet50_Weights

for choices in (ResNet18_Weights, ResNet50_Weights):
    print(choices.__name__, [entry.name for entry in choices], "DEFAULT is", choices.DEFAULT.name)

# %% [markdown]
# **Commit to an answer first.** ResNet-50 has two entries, `IMAGENET1K_V1` and `IMAGENET1K_V2`. Both are for the same architecture
# and the same 1000 categories. What changed from V1 to V2?
#
# - (a) more parameters
# - (b) more pictures
# - (c) how it was trained

# %%
for entry in ResNet50_Weights:
    accuracy = entry.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    recipe = entry.transforms()
    print(entry.name)
    print(f"    {entry.meta['num_params']:,} parameters, top-1 accuracy {accuracy} %")
    print(f"    pictures resized to {recipe.resize_size[0]}, cropped to {recipe.crop_size[0]}")

# %% [markdown]
# It is (c): same network, same pictures, a better training recipe, and some points of *top-1 accuracy* more (the share of test
# pictures whose first answer is right). Note the last numbers: **each entry brings its own preprocessing**. Tutorials that write 256 for every model are wrong for V2. You never need
# to remember this, because `weights.transforms()` knows; it is what lesson 02 is about.
#
# `DEFAULT` is another name for the entry that torchvision holds best, so it can change with a new version. For an experiment
# that others shall repeat, write the full name.

# %%
ask("default-weights")

# %% [markdown] covers=["S20", "S61"]
# ## The shelf
#
# An entry's `meta` is a dict with what is known about the weights. It is part of torchvision, so you can compare
# models without downloading one:

# %%
from torchvision import models

shelf = ["alexnet", "vgg16", "resnet18", "resnet50", "densenet121"]
shelf += ["mobilenet_v2", "efficientnet_b0"]

print(f"{'':17}parameters     file   top-1 accuracy on ImageNet")
for name in shelf:
    meta = models.get_model_weights(name).DEFAULT.meta
    millions, file = meta["num_params"] / 1e6, meta["_file_size"]
    accuracy = meta["_metrics"]["ImageNet-1K"]["acc@1"]
    print(f"{name:16}{millions:9.1f} M{file:6.0f} MB{accuracy:7.1f} %")

# %% [markdown]
# More parameters do not mean more accuracy: look at VGG-16 and EfficientNet-B0. What the columns do not tell is how *fast* a model
# is on your computer.
#
# The shelf grows slowly by now: torchvision's maintainers have said that they put little work into `models` any more
# ([pytorch/vision, issue 9036](https://github.com/pytorch/vision/issues/9036)). What is there stays, and all that you learn here
# holds for it. For architectures of the last years look at the library `timm`, which has the same ideas under other names.
#
# And the entry that you loaded last, the course's own? The names of its categories are in `meta`, too, in the order of the model's outputs. That beats a
# separate list of labels from the web, which may be in another order or gone.

# %% covers=["S56"]
print(weights)
for key in ("num_params", "_metrics", "_file_size"):
    print(f"{key:12}", weights.meta[key])
print("categories  ", categories[:4], "... and", len(categories) - 4, "more")

# %% [markdown] covers=["S34"]
# **Commit to an answer first.** True or false (the second of the four sayings of lesson 00): all the weights in torchvision
# come from ImageNet.
#
# The next cell goes through every model, not only classifiers, and counts on which data set each entry's accuracy was
# measured.

# %%
from collections import Counter

measured_on = Counter()
for name in models.list_models():
    for entry in models.get_model_weights(name):
        measured_on.update(list(entry.meta["_metrics"])[:1])

for dataset, count in measured_on.most_common():
    print(f"{count:4} {dataset}")

# %%
for entry in models.ViT_B_16_Weights:
    print(f"{entry.name:28} licence: {entry.meta.get('license', 'none of its own')}")

# %% [markdown]
# False, for two reasons. COCO is for finding and outlining objects, Kinetics for actions in videos, and Sintel and Kitti for
# motion. And among the classifiers, whose 1000 categories *are* ImageNet's, some saw other pictures first: the SWAG
# entries of the vision transformer above were pre-trained on pictures from Instagram, and have a licence of their
# own. "What was it trained on, and what may I do with it?" is worth a look before each use.

# %% [markdown] covers=["S32"]
# ## Where the file lives
#
# The first of the four sayings was: asking for pre-trained weights downloads them every time. torchvision leaves downloads to
# `torch.hub`, so let us watch `torch.hub` at work. We play both sides: a folder on your disk stands in for the
# server, and the file on it is the state dict of your model.

# %%
import contextlib
import io
import tempfile
from pathlib import Path

playground = tempfile.TemporaryDirectory()
server, cache = Path(playground.name, "server"), Path(playground.name, "cache")
server.mkdir()
torch.save(model.state_dict(), server / "mine.pth")
url = (server / "mine.pth").as_uri()  # file://... instead of https://...


def fetch():
    heard = io.StringIO()  # catches torch's "Downloading: ..." instead of showing it
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        numbers = torch.hub.load_state_dict_from_url(url, str(cache), progress=False)
    how = "downloaded" if "Downloading" in heard.getvalue() else "read from the cache"
    print(f"{how}, {len(numbers)} entries")


fetch()

# %% [markdown]
# The first time it was downloaded. **Commit to an answer first.** Which of these three will fail?
#
# 1. the same call again,
# 2. the same call after the file was deleted *on the server*,
# 3. the same call after somebody put *another file with the same name* into the cache.

# %%
fetch()

(server / "mine.pth").unlink()
fetch()

torch.save({"something else": torch.zeros(1)}, cache / "mine.pth")
fetch()

# %% [markdown]
# None of them. A file with the right name is taken from the cache, and the server is not asked. So the saying is
# **false**: one download, then it works offline. It also means that torch *trusts the name*: whatever lies there under it is
# loaded. A download that breaks off is no danger, because torch writes to a temporary file and gives it the right name
# only when it is complete. But if the file is changed or damaged later, you will hear of it late or never; the cure is to delete
# it and load again.
#
# torchvision puts the first digits of a file's checksum into its name (after the hyphen), so that one can be compared with
# the other. torch does so only while downloading; `load_pretrained` does it each time.

# %% tags=["nbval-ignore-output"]
checkpoints = Path(torch.hub.get_dir(), "checkpoints")
print("Your cache:", str(checkpoints).replace(str(Path.home()), "~"))
print("The file of ResNet-18:", ResNet18_Weights.DEFAULT.url.split("/")[-1])

# %%
ask("second-call-downloads")

# %% [markdown] covers=["S27"]
# ## What is in the file: the state dict
#
# The file holds a **state dict**: a dictionary from names to tensors. The names follow the architecture, so
# `layer1.0.conv1.weight` belongs to the first convolution of the first block of layer 1.

# %%
state = model.state_dict()

for name in ("conv1.weight", "bn1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "fc.bias"):
    print(f"{name:24}{tuple(state[name].shape)}")
print(len(state), "entries")

# %% [markdown]
# **Commit to an answer first.** "A state dict holds the weights and biases", you will read. Is that all?

# %%
parameters = dict(model.named_parameters())
buffers = dict(model.named_buffers())

print(len(parameters), "parameters:", *list(parameters)[:3], "...")
print(len(buffers), "buffers:   ", *list(buffers)[:3], "...")

# %% [markdown]
# Not all. **Parameters** (weights and biases) are what training changes by gradients. **Buffers** are numbers that a layer
# keeps besides: here the running mean and variance of each BatchNorm layer, which say how large its inputs usually are. Nearly
# half of the entries are buffers.
#
# Do they matter? Let us load only the parameters. (`strict=False` is needed for that; more on it in a moment.)
#
# With every weight and bias in place, but the buffers as they were in a new network, what will the answers be worth?

# %%
commit("without-buffers")

# %%
without_buffers = resnet18(weights=None, num_classes=len(categories))
without_buffers.load_state_dict(parameters, strict=False)

with_all, without = (predict(network, weights, squares, k=1) for network in (model, without_buffers))


def show_without():
    for name, (whole,), (crippled,) in zip(photos, with_all, without, strict=True):
        print(f"{name:14}{whole!s:30}{crippled}")
    kept = sum(whole.label == crippled.label for (whole,), (crippled,) in zip(with_all, without, strict=True))
    return "they will be useless" if kept <= 1 else "they will be slightly different"


reveal("without-buffers", show_without)

# %% [markdown]
# Left with all entries, right without the buffers. The percentages do not give it away: they may even sound *surer* than before. Only the names do, where the same one
# comes again and again. When somebody sends you "the weights", ask for the whole state dict.

# %%
ask("state-dict-entries")

# %% [markdown] covers=["S28"]
# ## When the file does not fit
#
# **Commit to an answer first.** Your task has 10 categories, so you build a ResNet-18 with 10 outputs and load the
# state dict of the model with many. What happens?
#
# - (a) what fits is loaded, the rest is skipped
# - (b) an error

# %% tags=["raises-exception"]
ten = resnet18(weights=None, num_classes=10)
ten.load_state_dict(model.state_dict())

# %% [markdown]
# It is (b). By default `strict=True`: every name and every shape must match, or you get an error. The last lines name the two
# entries and both shapes. Only the last layer, `fc`, does not fit.
#
# On the web you will find the advice to add `strict=False`. **Commit to an answer first.** Does that help here?

# %%
try:
    ten.load_state_dict(model.state_dict(), strict=False)
except RuntimeError as error:
    print(type(error).__name__, "-", str(error).splitlines()[1].strip())

# %% [markdown] covers=["S38"]
# No. `strict=False` forgives missing and surplus **names**, not wrong **shapes**. What does help is to leave out the two
# entries that cannot fit:

# %%
everything = model.state_dict()
without_fc = {name: everything[name] for name in everything if not name.startswith("fc.")}

result = ten.load_state_dict(without_fc, strict=False)
print("missing:   ", result.missing_keys)
print("unexpected:", result.unexpected_keys)

# %% [markdown] covers=["S37"]
# Read those two lists each time. Missing is exactly the new last layer, which has to be random because nobody has trained it yet,
# and unexpected is nothing. (So "how are pre-trained weights initialised?" is a question about this new layer only. The
# rest is not initialised, it is loaded.) In lesson 04 you will meet a shorter way to the same model.
#
# Now the dangerous case. Some training set-ups put `module.` before each name. **Commit to an answer first.** What
# does `strict=False` say to a state dict in which *no* name matches?

# %%
shipped = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}

fresh = resnet18(weights=None, num_classes=len(categories))
before = fresh.conv1.weight.clone()
result = fresh.load_state_dict(shipped, strict=False)
print("no error; changed anything?", not torch.equal(before, fresh.conv1.weight))
print(len(result.missing_keys), "missing,", len(result.unexpected_keys), "unexpected")

# %% [markdown]
# No error and no weight loaded: you would go on with a random network and wonder about its accuracy. The returned lists are
# the only sign. The repair is to mend the names and to load strictly:

# %%
mended = {name.removeprefix("module."): tensor for name, tensor in shipped.items()}
print(fresh.load_state_dict(mended))

# %%
ask("which-loading-fails")

# %% [markdown] covers=["S21", "S58", "S59"]
# ## What `pretrained=True` was
#
# Older tutorials load with `resnet18(pretrained=True)`. It still runs. Let us catch what it says. (So that the cell needs no
# download, the state dict of a new network stands in for the file.)

# %%
import textwrap
import warnings

stand_in = resnet18(weights=None).state_dict()

with (
    mock.patch.object(ResNet18_Weights, "get_state_dict", lambda *args, **kwargs: stand_in),
    warnings.catch_warnings(record=True) as caught,
):
    warnings.simplefilter("always")
    resnet18(pretrained=True)

for warning in caught:
    print(textwrap.fill(f"{warning.category.__name__}: {warning.message}", 100), "\n")

# %% [markdown]
# Since torchvision 0.13 the argument is called `weights`. The second warning says what the old one means for a ResNet-18:
# `IMAGENET1K_V1`, also where better weights have come since. `pretrained=False` means `weights=None`, random numbers.
#
# **Commit to an answer first.** Is it `IMAGENET1K_V1` for *every* classifier?

# %%
classifiers = models.list_models(module=models)
entries = {name: models.get_model_weights(name) for name in classifiers}
newer = [name for name in classifiers if entries[name].DEFAULT.name != "IMAGENET1K_V1"]
without_v1 = [name for name in classifiers if "IMAGENET1K_V1" not in entries[name].__members__]
print(f"DEFAULT is something else for {len(newer)} of {len(classifiers)}, for example {', '.join(newer[:4])}")
print("no V1 at all:", ", ".join(without_v1))

for name in without_v1:
    try:
        models.get_model_builder(name)(pretrained=True)
    except ValueError as error:
        print(f"{name}(pretrained=True): {type(error).__name__}: {error}")

# %% [markdown]
# Nearly: it is V1 wherever there is a V1. The two without one came later, with other weights, and refuse the old argument.

# %%
ask("what-pretrained-true-means")

# %% [markdown] covers=["S50"]
# ## Wrong calls and their messages
#
# Nine calls that people have written. **Commit to an answer first:** which of them raise an error, and which mistake will the
# message name? Cover the output and go through the list.

# %%
import torchvision

attempts = {
    'resnet18(weights="imagenet")': lambda: resnet18(weights="imagenet"),
    'resnet18(weights="IMAGENET1K_V2")': lambda: resnet18(weights="IMAGENET1K_V2"),
    "resnet18(weights=ResNet50_Weights.DEFAULT)": lambda: resnet18(weights=ResNet50_Weights.DEFAULT),
    'models.ResNet50(weights="DEFAULT")': lambda: models.ResNet50(weights="DEFAULT"),
    'torchvision.load_model("resnet50")': lambda: torchvision.load_model("resnet50"),
    'torch.load("resnet50")': lambda: torch.load("resnet50"),
    "models.resnet(weights=None)": lambda: models.resnet(weights=None),
    'resnet18(weights="DEFAULT", num_classes=10)': lambda: resnet18(weights="DEFAULT", num_classes=10),
    "resnet18(weights=None)": lambda: resnet18(weights=None),
}

for call, attempt in attempts.items():
    try:
        attempt()
        outcome = "no error"
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    print(call, textwrap.indent(outcome, "    "), sep="\n")

# %% [markdown]
# What to take from the messages:
#
# - `KeyError` with your own word in it: that word is none of the entries. `"imagenet"` is Keras; ResNet-18 has no V2.
# - The builders are functions in lower case (`resnet50`). `models.resnet` is a *module*, a file of code, which cannot be called.
# - `torch.load` reads a file that **you** have. It knows no model names.
# - Pre-trained weights and `num_classes=10` contradict each other: the file has a last layer for its own categories. Load
#   first, then replace the last layer (lesson 04).
# - The last call is the only one without an error, and gives a network that knows nothing. **No error is no proof.** Look at a
#   prediction.
#
# The helper of this course raises one kind of error, which says what to do:

# %%
from course_utils import WeightsError

try:
    load_pretrained("resnet81")
except WeightsError as error:
    print(error)

# %%
ask("weights-of-another-model")

# %% [markdown]
# ## What you now know
#
# - `resnet18(weights=ResNet18_Weights.DEFAULT)` builds the architecture and fills it. `weights=None` leaves random numbers.
# - A weights entry knows its categories, accuracy, size, licence and **its own preprocessing**. V1 and V2 differ in the training
#   recipe, and in the resize.
# - Files are downloaded once and then trusted by name. A broken one has to be deleted.
# - A state dict is names → tensors: parameters **and buffers**.
# - `strict=True` refuses any mismatch. `strict=False` forgives names but not shapes, and can load nothing without a word: read
#   what it returns.
# - `pretrained=True` is the old spelling of V1, where there is a V1.
#
# Your guesses, and what was measured:

# %%
guesses("01")

# %% [markdown]
# ## Where to practise
#
# More questions on this lesson: `ask("how-much-code")`, `ask("not-only-imagenet")`, `ask("calling-a-state-dict")`. The graded
# assignment **quiz-1** asks for several of these calls.
#
# [Next: Preprocessing](02_preprocessing.ipynb)
