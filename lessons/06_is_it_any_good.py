# %% [markdown]
# # Is it any good?
#
# "95 % accuracy" can be excellent, worthless, or simply wrong. This lesson trains one small classifier and then spends
# all its time on the question in the title. You will build each of the usual illusions yourself, see the good number that it
# gives, and take it apart.
#
# **After this lesson you can**
#
# - read a confusion matrix in any layout, because you name the positive class first,
# - compute precision, recall and F1, and set the threshold that decides between the first two,
# - unmask an accuracy that a program without eyes would reach as well,
# - say between which values a share measured on few pictures really lies, and whether one model beats another,
# - score more than two classes, and learn from the worst mistakes,
# - find pictures that lie on both sides of a split, and say what they did to the score,
# - see overfitting in two curves,
# - check whether "80 % sure" means right in eight cases out of ten, and repair it with one number.
#
# **Time:** 75 minutes; "Is the difference luck?" is a good place for a break. **You need:** lesson [05](05_fine_tuning_the_last_layer.ipynb). No network, no GPU.

# %%
import io

import numpy as np
import sklearn.metrics
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torchvision import models

from course_utils import Pictures, accuracy, ask, confusion_matrix, doodle_pets, extract_features, fit_head
from course_utils import load_pretrained, precision_recall, split, threshold_sweep
from course_utils.calibration import calibration_error, fit_temperature, reliability
from course_utils.metrics import compare_paired, f1_scores, ranking, wilson_interval
from course_utils.plots import show_bars, show_confusion, show_history, show_images, show_lines, show_reliability

# %% [markdown]
# ## One classifier, three sets of pictures
#
# The publisher of lesson 05 plans a book about cats. A program shall go through her drawings and find the cats. You know how
# to build it: a pre-trained backbone that stands still, and a new head.
#
# `split` divides the drawings into three parts with three jobs:
#
# | part | its job | how often you may look |
# |---|---|---|
# | **training** | the head learns from it | always |
# | **validation** | you decide with it: when to stop, which threshold, which model | often |
# | **test** | it answers the question in the title | once, at the end |

# %%
SOURCE = "course"  # "imagenet" is better, and on a CPU much slower
model, weights = load_pretrained("resnet18", SOURCE)
transform = weights.transforms()
pictures = doodle_pets(600, seed=0, size=transform.crop_size[0])
train, validation, test = split(pictures, (1 / 6, 1 / 3, 1 / 2))
for name, part in {"training": train, "validation": validation, "test": test}.items():
    print(f"{name:11}", part.counts())

# %% tags=["nbval-ignore-output"]
x_train, y_train = extract_features(model, transform, train)
x_validation, y_validation = extract_features(model, transform, validation)
x_test, y_test = extract_features(model, transform, test)

head, history = fit_head(x_train, y_train, num_classes=2, validation=(x_validation, y_validation))
logits = head(x_test).detach()
predicted = logits.argmax(dim=1)
print(f"right: {accuracy(y_test, predicted):.1%} of {len(test)} test pictures")

# %% [markdown] covers=["S62"]
# That is the number that everybody reports. Do not mix it with time: how long the training took is a
# **cost**, how often the answers are right is a **quality**. Lesson 07 is about costs, this one about quality.
#
# One number cannot say which mistakes were made. So let us count them.
#
# ## The confusion matrix
#
# First decide what you are **looking for**. That class is called **positive**. The word praises nothing; in a hospital the
# positive class is the illness. We look for cats.

# %% tags=["nbval-ignore-output"]
found = confusion_matrix(y_test, predicted, test.categories, positive="cat")
print(found.table())

# %% tags=["nbval-ignore-output"]
(tp, fn), (fp, tn) = found.matrix
show_confusion(
    found,
    alt=f"Confusion matrix with the actual classes as rows, cat first. Of {tp + fn} cats {tp} are called cat and {fn} dog; "
    f"of {fp + tn} dogs {fp} are called cat and {tn} dog.",
)

# %% [markdown]
# Each row is what the pictures **are**, each column what the program **said**. The darker a cell, the larger its share of the
# row. The four cells have names:
#
# | | said cat | said dog |
# |---|---|---|
# | **is a cat** | true positive (TP): found | false negative (FN): missed |
# | **is a dog** | false positive (FP): false alarm | true negative (TN): left in peace |
#
# The second word is what the program said, the first is whether that was true.

# %% [markdown] covers=["S63"]
# ### The same table in another order
#
# Many books draw the matrix as above, positive class first. scikit-learn sorts the labels instead. Take a textbook example:
# 95 positive cases, of which 85 are found, and 105 negative ones with 15 false alarms. As is usual, 1 stands for positive.
#
# **Commit to an answer first.** Which number will stand in the top left corner: 85, 90 or 15?

# %% covers=["S63"]
actual = [1] * 95 + [0] * 105
said = [1] * 85 + [0] * 10 + [1] * 15 + [0] * 90
print(sklearn.metrics.confusion_matrix(actual, said))
print("with labels=[1, 0]:")
print(sklearn.metrics.confusion_matrix(actual, said, labels=[1, 0]))

# %% [markdown]
# The top left corner holds the true **negatives**, because 0 is sorted before 1. Whoever reads the first matrix as if it were
# the second gets numbers that look perfectly sensible:

# %%
(a, b), (c, d) = sklearn.metrics.confusion_matrix(actual, said)
print(f"taken for the other layout: precision {a / (a + c):.1%}, recall {a / (a + b):.1%}")
print(f"in truth:                   precision {d / (b + d):.1%}, recall {d / (c + d):.1%}")

# %% [markdown]
# Nothing looks odd, and each number is wrong. It gets worse: in our data 0 is *cat* and 1 is *dog*. scikit-learn's scores take 1
# for the positive class unless you say otherwise.

# %% tags=["nbval-ignore-output"]
by_default = sklearn.metrics.recall_score(y_test, predicted)
_, recall_cat = precision_recall(y_test, predicted, test.categories, positive="cat")
_, recall_dog = precision_recall(y_test, predicted, test.categories, positive="dog")
print(f"recall_score(actual, predicted): {by_default:.3f}")
print(f"recall of cat: {recall_cat:.3f}   recall of dog: {recall_dog:.3f}")

# %% [markdown]
# `recall_score` answered a question about dogs, and nobody had asked it. So the course's functions want the class **by its name**.

# %%
ask("accuracy-from-matrix")

# %% [markdown] covers=["S64"]
# ## Precision and recall
#
# Look at the figure again.
#
# - **Recall** is read along the first **row**: of all the cats, which share was found? TP / (TP + FN).
# - **Precision** is read down the first **column**: of all that was called cat, which share is one? TP / (TP + FP).

# %% covers=["S64"] tags=["nbval-ignore-output"]
print(f"precision: {tp} / ({tp} + {fp}) = {tp / (tp + fp):.3f}")
print(f"recall:    {tp} / ({tp} + {fn}) = {tp / (tp + fn):.3f}")
for positive in test.categories:
    precision, recall = precision_recall(y_test, predicted, test.categories, positive)
    print(f"positive = {positive}: precision {precision:.3f}, recall {recall:.3f}")

# %% [markdown]
# One classifier, one set of answers, two pairs of numbers. "Quality control needs precision, safety needs recall" is a rule you
# will read; it says nothing until the positive class is named. In a factory that looks for *defects*, a defect that
# slips through is a false negative, and that is a question of recall. Name the class, name the mistake that costs most, and the
# metric follows.

# %% [markdown] covers=["S63"]
# ### Names that you will meet
#
# The textbook example from above, all of its usual numbers at once. **F1** is the harmonic mean of precision and recall: it is high only
# if both are.

# %% covers=["S63"]
print(f"accuracy     {(d + a) / 200:.3f}   of all, the share that is right")
print(f"precision    {d / (d + b):.3f}   of those called positive, the share that is")
print(f"recall       {d / (d + c):.3f}   of the positive ones, the share that was found; also: sensitivity")
print(f"specificity  {a / (a + b):.3f}   of the negative ones, the share left in peace")
print(f"F1           {2 * d / (2 * d + b + c):.3f}   = 2 TP / (2 TP + FP + FN)")
print("scikit-learn says", round(sklearn.metrics.f1_score(actual, said), 3))

# %%
ask("name-the-positive-class")

# %% [markdown] covers=["S65"]
# ## The threshold decides
#
# So far a picture counted as a cat when "cat" got more than 50 %. Nobody forces you to cut there. Require 90 %, and only clear
# cases remain. Require 10 %, and hardly a cat escapes.
#
# **Commit to an answer first.** You raise the threshold. Which of the two can only fall or stay, and never rise?
#
# - (a) precision
# - (b) recall

# %% [markdown]
# We look at the **validation** pictures. A threshold is something one chooses, and whatever is chosen on the test pictures
# spoils them as a test.

# %% covers=["S65"] tags=["nbval-ignore-output"]
on_validation = head(x_validation).detach().softmax(dim=1)
sweep = threshold_sweep(y_validation, on_validation, test.categories, positive="cat")
show_lines(
    sweep.threshold,
    {"precision": sweep.precision, "recall": sweep.recall},
    xlabel="threshold: call it a cat from this probability on",
    ylabel="share",
    alt="Precision and recall of cat on the validation pictures, against the threshold from 0 to 1. Recall starts at 1 and falls all the way; precision "
    "starts at the share of cats, one half, and climbs with small dips towards 1.",
)

# %% tags=["nbval-ignore-output"]
print("threshold  called cat  precision  recall")
for threshold in (0.1, 0.3, 0.5, 0.7, 0.9):
    called_cat = on_validation[:, 0] >= threshold
    precision, recall = precision_recall(y_validation, 1 - called_cat.long(), test.categories, "cat")
    print(f"{threshold:9.1f}  {int(called_cat.sum()):10}  {precision:9.3f}  {recall:6.3f}")

# %% [markdown]
# It is (b). A stricter threshold can only remove pictures from those that were called cat, so no cat is found that was
# missed before. Precision usually climbs, but not at every step: when the picture that drops out was a cat, it dips. You see the dips in the
# curve.
#
# "Pre-trained models balance precision and recall" is another sentence that you will meet. A better model moves both curves up. Where
# you stand **between** them is the threshold's doing, whatever the weights.
#
# The publisher says: *missing a cat is worse than looking at a dog; find 95 % of the cats.* The threshold for that is chosen on the
# validation pictures, and only then tried on the test pictures.

# %% tags=["nbval-ignore-output"]
chosen = max(sweep.threshold[sweep.recall >= 0.95])
probabilities = logits.softmax(dim=1)
called_cat = probabilities[:, 0] >= float(chosen)
precision, recall = precision_recall(y_test, 1 - called_cat.long(), test.categories, "cat")
print(f"threshold {chosen:.2f}: on the test pictures precision {precision:.1%}, recall {recall:.1%}")

# %% [markdown]
# ### Was that luck?
#
# One split gave one number. Features are cheap to keep, so we can do the whole thing again with forty other splits of the same 600
# drawings: train a head, choose the threshold on 200 validation pictures, look at the recall on 300 test pictures.
#
# **Commit to an answer first.** In how many of the 40 does the test recall reach 95 %?
#
# - (a) in nearly all of them
# - (b) in fewer than two thirds
# - (c) in nearly none


# %% tags=["nbval-ignore-output"]
x_all, y_all = torch.cat([x_train, x_validation, x_test]), torch.cat([y_train, y_validation, y_test])


def recall_at_chosen_threshold(seed):
    order = torch.randperm(600, generator=torch.Generator().manual_seed(seed))
    learn, choose, examine = order[:100], order[100:300], order[300:]
    one, _ = fit_head(x_all[learn], y_all[learn], num_classes=2)
    sweep = threshold_sweep(y_all[choose], one(x_all[choose]).detach().softmax(dim=1), test.categories, "cat")
    p_cat = one(x_all[examine]).detach().softmax(dim=1)[:, 0]
    found = p_cat >= float(max(sweep.threshold[sweep.recall >= 0.95]))
    return found[y_all[examine] == 0].double().mean().item()


recalls = np.array([recall_at_chosen_threshold(seed) for seed in range(40)])
print(f"recall on the test pictures: mean {recalls.mean():.1%}, from {recalls.min():.1%} to {recalls.max():.1%}")
print(f"at least 95 % in {int((recalls >= 0.95).sum())} of 40 splits")

# %% tags=["nbval-ignore-output"]
show_lines(
    range(1, 41),
    {"recall on the test pictures": np.sort(recalls), "the aim": [0.95] * 40},
    xlabel="split, the lowest recall first",
    ylabel="recall of cat",
    alt=f"Recall on the test pictures for forty splits, sorted: from {recalls.min():.0%} to {recalls.max():.0%}, around a mean of "
    f"{recalls.mean():.0%}. A dashed line marks the aim of 95 percent, which {int((recalls >= 0.95).sum())} of them reach.",
)

# %% [markdown]
# It is (b). On average the promise nearly holds, because the threshold was chosen on pictures that no head had learned from; a little is
# lost, since we took the strictest one that just reached the aim there. **A single split** is another matter. With 100 cats to choose by and
# 150 to test on, the recall misses its aim by several points, up or down. If 95 % must hold, choose with a margin, and with more pictures.

# %% [markdown] covers=["S67"]
# ## The accuracy paradox
#
# The next box on her desk holds 500 drawings from a dog breeder's club. A few cats have got in.

# %%
rare = doodle_pets(500, seed=2, size=transform.crop_size[0], cat_fraction=0.02)
x_rare, y_rare = extract_features(model, transform, rare)
print(rare.counts())

# %% [markdown]
# Three programs compete: one that says "dog" to everything, without opening its eyes; our head with its usual threshold; and our
# head with a threshold so strict that it cries "cat" only when it is all but certain.
#
# **Commit to an answer first.** Which of the three has the highest accuracy, and which is the most useful?

# %% covers=["S67"] tags=["nbval-ignore-output"]
p_cat = head(x_rare).detach().softmax(dim=1)[:, 0]
strict = p_cat.sort().values[-3]  # only the three surest
programs = {
    "always dog": torch.zeros(len(rare), dtype=torch.bool),
    "our head": p_cat > 0.5,
    "strict head": p_cat >= strict,
}
print("program      accuracy  cats found  false alarms")
for name, called_cat in programs.items():
    answer = 1 - called_cat.long()
    (hits, _), (alarms, _) = confusion_matrix(y_rare, answer, rare.categories, positive="cat").matrix
    print(f"{name:11}  {accuracy(y_rare, answer):8.1%}  {hits:10}  {alarms:12}")

# %% [markdown]
# This is the **accuracy paradox**. The program that never looks beats the one that finds cats, because on rare classes
# accuracy is almost only a statement about the common one. Sorted by accuracy, the useful program comes last.
#
# So before you believe any accuracy, ask what "always the commonest class" would get. And look at what happened to our head: it is
# the same head, with the same threshold, as above.

# %% tags=["nbval-ignore-output"]
mixtures = {"half cats": (y_test, predicted), "2 % cats": (y_rare, 1 - programs["our head"].long())}
for name, (labels, answers) in mixtures.items():
    precision, recall = precision_recall(labels, answers, rare.categories, "cat")
    print(f"{name:9}  precision {precision:5.1%}   recall {recall:5.1%}")

# %% [markdown]
# Recall stays in the same region, as far as ten cats can tell. Precision collapses: there are about fifty dogs for each cat now, and
# a small share of many dogs is a large pile of false alarms. Recall belongs to the classifier. **Precision belongs to the
# classifier and to the mixture of pictures it meets.** A precision measured on a balanced test set promises nothing
# for a box in which cats are rare.

# %% [markdown] covers=["S67"]
# ### Scores without a threshold
#
# Two numbers sum up all thresholds at once. Both begin with sorting the pictures by "how likely a cat".
#
# - **ROC-AUC**: the chance that a cat stands before a dog, if you draw one of each. A coin has 0.5. It is the area under recall
#   over *false alarm rate*, the share of dogs that are called cat.
# - **Average precision** (PR-AUC): the area under precision over recall. A coin has the share of cats.
#
# **Commit to an answer first.** The same head, on half cats and on 2 % cats. Which of the two numbers collapses?

# %% covers=["S67"] tags=["nbval-ignore-output"]
mixed = {"half cats": (y_test, probabilities), "2 % cats": (y_rare, head(x_rare).detach().softmax(dim=1))}
print("           ROC-AUC  average precision  share of cats")
for name, (labels, scores) in mixed.items():
    roc_auc, average_precision = ranking(labels, scores, test.categories, "cat")
    print(f"{name:9}  {roc_auc:7.3f}  {average_precision:17.3f}  {(labels == 0).double().mean():13.2f}")

# %% tags=["nbval-ignore-output"]
share = np.linspace(0, 1, 201)
roc, pr = {}, {}
for name, (labels, scores) in mixed.items():
    alarms, found, _ = sklearn.metrics.roc_curve(labels == 0, scores[:, 0])
    roc[name] = np.interp(share, alarms, found)
    precision, recall, _ = sklearn.metrics.precision_recall_curve(labels == 0, scores[:, 0])
    pr[name] = np.interp(share, recall[::-1], precision[::-1])
show_lines(
    share,
    roc,
    xlabel="share of dogs called cat (false alarm rate)",
    ylabel="recall",
    alt="ROC curves of the same head on half cats and on 2 percent cats: both climb steeply at the left and lie near each other.",
)
show_lines(
    share,
    pr,
    xlabel="recall",
    ylabel="precision",
    alt="Precision over recall. On half cats it starts near 1 and falls to one half; on 2 percent cats it lies far below "
    "from the beginning.",
)

# %% [markdown]
# Average precision collapses; ROC-AUC hardly notices (with ten cats it wobbles by itself). Both axes of the ROC curve are shares **within** a class, so
# the mixture does not enter. Whoever searches for something rare wants to know how many false alarms come with each find, and
# that is in the lower figure only.

# %%
ask("always-no")

# %% [markdown] covers=["S70"]
# ### A report to judge
#
# "Our fraud detector has 98 % accuracy and 12 % recall." Good? Here are 10 000 cases that fit, 200 of them fraud.

# %% covers=["S70"]
fraud = [1] * 200 + [0] * 9800
flagged = [1] * 24 + [0] * 176 + [1] * 24 + [0] * 9776
reports = {"the detector": flagged, "never flags": [0] * 10_000, "flags everything": [1] * 10_000}
for name, answers in reports.items():
    precision, recall = precision_recall(fraud, answers, ("honest", "fraud"), positive="fraud")
    print(f"{name:17} accuracy {accuracy(fraud, answers):5.1%}   recall {recall:4.0%}   precision {precision:4.0%}")

# %% [markdown]
# The detector does not beat the program that does nothing, and it misses 88 of 100 frauds. But "recall is what counts" is too
# quick as well: the last line has all the recall there is and is of no use to anybody. (`nan` means "no number": a program that
# flags nothing has no precision.) Report precision **and** recall, the share of the rare class, and what each mistake costs.

# %% [markdown] covers=["S66", "S71"]
# ## What is a good number?
#
# "Above 85 % is good, below 70 % is bad" is easy to remember, and wrong. A number needs something to stand beside.

# %% covers=["S66"] tags=["nbval-ignore-output"]
imagenet = models.ResNet18_Weights.DEFAULT.meta["_metrics"]["ImageNet-1K"]["acc@1"]
print(f"ResNet-18 on ImageNet: {imagenet:.1f} %   guessing among 1000 classes: {100 / 1000:.1f} %")
print(f"our head on half cats: {100 * accuracy(y_test, predicted):.1f} %   guessing: 50.0 %")
print(f"always dog on 2 % cats: {100 * accuracy(y_rare, torch.ones_like(y_rare)):.1f} %")

# %% [markdown]
# By that rule the first is bad, and it is a respectable result; the last is excellent, and it is nothing. Compare with
# guessing, with the commonest class, with what is in use today, and with what the task needs.
#
# A number also needs to say **how exact** it is. Suppose you had labelled fewer test pictures. Here are ten random handfuls of each size
# from the same test set, and the same answers:

# %% covers=["S71"] tags=["nbval-ignore-output"]
right = (predicted == y_test).double()
generator = torch.Generator().manual_seed(0)
handfuls = {
    f"{size} pictures": [right[torch.randperm(len(right), generator=generator)[:size]].mean().item() for _ in range(10)]
    for size in (20, 50, 150)
}
show_bars(
    handfuls,
    alt="Accuracy of the same answers on ten random handfuls of 20, 50 and 150 test pictures. The means are alike; the spread "
    "is widest for 20 pictures and narrowest for 150.",
)

# %% [markdown]
# With 20 pictures luck alone decides about several places in a ranking. So a share needs an **interval**. The rule of thumb is
# twice the standard error, $p \pm 2\sqrt{p(1-p)/n}$, named after Wald. Let us try it on a good day: 20 of 20 right.

# %% covers=["S71"]
for right_of_20 in (20, 19, 15):
    p = right_of_20 / 20
    wald = 2 * (p * (1 - p) / 20) ** 0.5
    low, high = wilson_interval(right_of_20, 20)
    print(f"{right_of_20} of 20: rule of thumb {p - wald:6.1%} to {p + wald:6.1%}   Wilson {low:6.1%} to {high:6.1%}")

# %% [markdown]
# Twenty right answers in a row, and the rule of thumb is certain that the next million will be right too; one mistake, and it goes
# above 100 %. **Wilson's interval** (1927) asks instead: for which true shares would our result be no surprise? Its ends
# never leave 0 to 100 %. Does it keep what it promises, to hold the true value 95 times in 100? Here the true value is known, 95 %:

# %% covers=["S71"]
true_share, n = 0.95, 20
counts = np.random.default_rng(0).binomial(n, true_share, 10_000)
p = counts / n
wald = 2 * np.sqrt(p * (1 - p) / n)
print(f"rule of thumb holds the truth in {np.mean(abs(p - true_share) <= wald):.0%} of 10 000 tests")
ends = np.array([wilson_interval(k, n) for k in range(n + 1)])[counts]
print(f"Wilson's interval holds it in    {np.mean((ends[:, 0] <= true_share) & (true_share <= ends[:, 1])):.0%}")

# %% [markdown]
# Nearly, and the rule of thumb does not. Small tests and shares near 100 % are where it fails, and those are common. For our head:

# %% tags=["nbval-ignore-output"]
hits = int((predicted == y_test).sum())
low, high = wilson_interval(hits, len(y_test))
print(f"our head: {hits} of {len(y_test)}, that is {hits / len(y_test):.1%}, from {low:.1%} to {high:.1%}")
for size in (20, 75, 300, 1200):
    low, high = wilson_interval(round(0.84 * size), size)
    print(f"84 % of {size:4} pictures: {low:.1%} to {high:.1%}, {100 * (high - low):.0f} points wide")

# %% [markdown]
# To halve the width you need **four times** as many pictures.

# %%
ask("is-70-per-cent-bad")

# %%
ask("a-result-to-check")

# %% [markdown] covers=["S71"]
# ## Is the difference luck?
#
# A second classifier on the same features: the five nearest training pictures vote.

# %% covers=["S71"] tags=["nbval-ignore-output"]
neighbours = KNeighborsClassifier(5).fit(x_train, y_train)
votes = torch.tensor(neighbours.predict(x_test))
for name, answers in {"head": predicted, "neighbours": votes}.items():
    hits = int((answers == y_test).sum())
    low, high = wilson_interval(hits, len(y_test))
    print(f"{name:10} {hits / len(y_test):.1%}, from {low:.1%} to {high:.1%}")

# %% [markdown]
# The intervals overlap widely. But both answered **the same pictures**, and an interval for each alone does not use that: an easy
# picture is easy for both. What tells them apart is only where **one is right and the other wrong**. If both are equally good, each
# wins such a picture as by the toss of a coin.
#
# **Commit to an answer first.** Suppose they differ on 33 pictures, and one wins 20 to 13. How often would a fair coin be at least as uneven:
# in 3, in 30 or in 60 of 100 tries?

# %% covers=["S71"] tags=["nbval-ignore-output"]
paired = compare_paired(y_test, predicted, votes)
print(f"both right {paired.both_right}, both wrong {paired.neither}")
print(f"only the head {paired.only_first}, only the neighbours {paired.only_second}")
print(f"a fair coin is at least as uneven in {paired.p_value:.0%} of all tries")

# %% covers=["S71"]
print(f"20 to 13: {compare_paired([0] * 33, [0] * 20 + [1] * 13, [1] * 20 + [0] * 13).p_value:.0%}")
print(f"25 to 8:  {compare_paired([0] * 33, [0] * 25 + [1] * 8, [1] * 25 + [0] * 8).p_value:.1%}")

# %% [markdown]
# About 30 of 100. That is McNemar's test, in its exact form. A share far below 5 % says: hardly luck. A large one does **not** say that both are
# equally good; these pictures are too few to tell. And ten such comparisons are ten chances for a lucky one.

# %% [markdown] covers=["S71"]
# ## More than two classes
#
# Handwritten digits, 1797 of which come with scikit-learn: ten classes, eight by eight pixels, written by people. We enlarge 700 of them and train a head
# on 300.

# %% covers=["S71"] tags=["nbval-ignore-output"]
digits = load_digits()
sheets = [Image.fromarray(np.uint8(255 - 15 * sheet)).convert("RGB").resize((64, 64)) for sheet in digits.images[:700]]
names = tuple(str(digit) for digit in range(10))
written = Pictures(sheets, digits.target[:700], names)
x_written, y_written = extract_features(model, transform, written)
digit_head, _ = fit_head(x_written[:300], y_written[:300], num_classes=10)
read = digit_head(x_written[300:]).argmax(dim=1)
of_digits = confusion_matrix(y_written[300:], read, names)
print(f"right: {accuracy(y_written[300:], read):.1%} of {len(read)}")

# %% tags=["nbval-ignore-output"]
off = of_digits.matrix.copy()
np.fill_diagonal(off, 0)
row, column = np.unravel_index(off.argmax(), off.shape)
show_confusion(
    of_digits,
    alt=f"Confusion matrix of ten digits. Most counts lie on the diagonal; the most frequent mistake is a {row} read as a {column}, "
    f"{off[row, column]} times.",
)

# %% [markdown]
# Now each class can be the positive one, so there are ten precisions, ten recalls, and ten F1. The mean of the F1, each class
# counting alike, is the **macro F1**.
#
# **Commit to an answer first.** We leave only three pictures of the digit that is read worst in the test and keep all the others. What happens to the
# accuracy, and what to the macro F1?

# %% covers=["S71"] tags=["nbval-ignore-output"]
truth = y_written[300:]
each = f1_scores(truth, read, names)
worst = min(each, key=each.get)
print("F1:", *(f"{name}: {score:.2f}" for name, score in each.items()))
keep = (truth != int(worst)) | ((truth == int(worst)).cumsum(dim=0) <= 3)
print("                         accuracy  macro F1")
for name, some in {"all digits": torch.ones_like(keep), f"few of digit {worst}": keep}.items():
    macro = np.mean(list(f1_scores(truth[some], read[some], names).values()))
    print(f"{name:24} {accuracy(truth[some], read[some]):8.1%}  {macro:8.2f}")

# %% [markdown]
# The accuracy rises, because the digit that spoiled it has become rare. The macro F1 falls: the few real ones drown among the
# false ones, and to the mean a rare class is as much as a common one. Report both, and the class that is worst.
#
# ### Look at the worst mistakes
#
# Numbers say how many; pictures say **why**. Sort the mistakes by how sure the head was, and look at the surest ones.

# %% tags=["nbval-ignore-output"]
sure = probabilities.max(dim=1).values
wrong = [i for i in sure.argsort(descending=True).tolist() if predicted[i] != y_test[i]]
show_images(
    [test.images[i] for i in wrong[:10]],
    [f"said {test.categories[predicted[i]]}\n{sure[i]:.0%} sure" for i in wrong[:10]],
    alt=f"The ten mistakes of which the head was surest, between {sure[wrong[9]]:.0%} and {sure[wrong[0]]:.0%} sure: drawn cats that "
    "were called dog, and dogs that were called cat.",
)

# %% [markdown]
# What do they share: a pose, a colour, the shape of the ears? That is a reason for other training pictures, and worth more than
# another decimal. In real collections the top of this list has a second use: there are **wrong labels** in it. We plant six, in
# 300 test pictures:

# %% tags=["nbval-ignore-output"]
planted = torch.randperm(300, generator=torch.Generator().manual_seed(1))[:6]
labels = y_test.clone()
labels[planted] = 1 - labels[planted]
loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
ranked = loss.argsort(descending=True)
for looked_at in (10, 30, 60, 150):
    print(
        f"among the {looked_at:3} worst of 300: {int(torch.isin(planted, ranked[:looked_at]).sum())} of 6 wrong labels"
    )

# %% [markdown]
# A tenth of the pictures, picked blindly, would hold 0.6 of the six on average. Correct them in every part, not only where the score gains
# by it.

# %% [markdown] covers=["S68"]
# ## Leakage: when the test is known beforehand
#
# We plant a disaster. The publisher's drawings have wandered through mailboxes: of 240 drawings each exists twice now. Half of the copies are
# exact, the other half were saved again as JPEG, which changes nearly every pixel a little. Somebody shuffles the whole
# pile and splits it at random.


# %%
def saved_again(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return Image.open(file).convert("RGB")


originals = pictures.subset(range(240))
copies = originals.images[:120] + tuple(saved_again(image) for image in originals.images[120:])
pile = Pictures(originals.images + copies, originals.labels * 2, originals.categories)
x_pile, y_pile = extract_features(model, transform, pile)

order = torch.randperm(len(pile), generator=torch.Generator().manual_seed(0)).tolist()
learn, examine = order[:288], order[288:]
print(len(learn), "for training,", len(examine), "for the test")


# %% tags=["nbval-ignore-output"]
def right_answers(learn, examine):
    """Train a head on some pictures of the pile; for each of the others, is the answer right?"""
    head, _ = fit_head(x_pile[learn], y_pile[learn], num_classes=2, lr=0.01)
    return head(x_pile[examine]).argmax(dim=1) == y_pile[examine]


right = right_answers(learn, examine)
print(f"right: {right.float().mean():.1%} of {len(right)} pictures")

# %% [markdown]
# A fine number. Is it true? First look for **exact copies**: two pictures are the same if their bytes are.

# %% tags=["nbval-ignore-output"]
known = {pile.images[i].tobytes() for i in learn}
exact = torch.tensor([pile.images[i].tobytes() in known for i in examine])
print(f"{int(exact.sum())} of {len(examine)} test pictures are in the training set, byte for byte")
print(f"right among these: {right[exact].float().mean():.1%}   among the others: {right[~exact].float().mean():.1%}")

# %% [markdown]
# `split` would have kept those together, because it compares the bytes. But a picture that was saved again has other bytes.
#
# **Commit to an answer first.** How could you find the remaining copies, without looking at 38 000 pairs?
#
# You have the tool already. Features describe what is in a picture, and a copy shows the same. So compare
# **features**: for each test picture, the most similar training picture. (Similarity here is the cosine: 1 for the same
# direction. The mean is taken off first, because what all pictures share tells nothing.)

# %% tags=["nbval-ignore-output"]
centred = torch.nn.functional.normalize(x_pile - x_pile[learn].mean(dim=0), dim=1)
similarity, nearest = (centred[examine] @ centred[learn].T).max(dim=1)
ranking = [i for i in similarity.argsort(descending=True).tolist() if not exact[i]]
shown, titles = [], []
for i in (ranking[0], ranking[30], ranking[-1]):
    shown += [pile.images[examine[i]], pile.images[learn[nearest[i]]]]
    titles += [f"test\nsimilarity {similarity[i]:.2f}", "most similar\ntraining picture"]
show_images(
    shown,
    titles,
    columns=6,
    alt="Three test pictures, each with its most similar training picture. The first two pairs show the same drawing; the last pair "
    "shows two different animals.",
)

# %% [markdown]
# At the top of the ranking the pairs are the same drawing, at the bottom two different animals. Where does the one end and
# the other begin? That is a threshold once more. We planted the copies, so for once we can check: drawing number 7 and its copy stand
# 240 places apart in the pile.

# %% tags=["nbval-ignore-output"]
twin = torch.tensor([examine[i] % 240 == learn[nearest[i]] % 240 for i in range(len(examine))])
hidden = twin & ~exact
print("similarity from   called copies   really copies   copies missed")
for limit in (0.97, 0.95, 0.9, 0.8, 0.7, 0.6):
    called = (similarity >= limit) & ~exact
    print(
        f"{limit:15}   {int(called.sum()):13}   {int((called & hidden).sum()):13}   {int((hidden & ~called).sum()):13}"
    )

# %% [markdown]
# Precision and recall, of a finder of copies. In real life nobody has planted anything: go down the list with your own eyes until
# the pairs stop being copies. We take 0.8.

# %% covers=["S68"] tags=["nbval-ignore-output"]
near = (similarity >= 0.8) & ~exact
scores = {
    "all test pictures": right,
    "without exact copies": right[~exact],
    "without any copies": right[~exact & ~near],
}
for name, answers in scores.items():
    print(f"{name:21} {len(answers):4} pictures  {answers.float().mean():6.1%}")
show_bars(
    {name: answers.float().mean().item() for name, answers in scores.items()},
    alt="Accuracy on all test pictures, without exact copies, and without any copies: it falls from bar to bar.",
)

# %% [markdown]
# The score falls as the copies go. Nothing has happened to the classifier; the first number was about remembering, the last
# one is about cats. This is called **leakage**: the test knew something of the training.
#
# Throwing pictures out of the test set is first aid. The cure is to split by **what belongs together**: everything that stems from one drawing
# goes to one side. scikit-learn can do it if you say which picture belongs to which group.

# %% tags=["nbval-ignore-output"]
groups = [i % 240 for i in range(len(pile))]  # a drawing and its copy have the same number
learn, examine = next(GroupShuffleSplit(test_size=0.4, random_state=0).split(groups, groups=groups))
print("drawings on both sides:", len({groups[i] for i in learn} & {groups[i] for i in examine}))
print(f"right: {right_answers(learn, examine).float().mean():.1%} of {len(examine)} pictures")

# %% [markdown] covers=["S68"]
# One split each is one draw each. So once more in a loop: twenty random splits against twenty splits by drawing, always 288 pictures
# to learn from and 192 to examine.

# %% covers=["S68"] tags=["nbval-ignore-output"]
leaky, honest = [], []
for seed in range(20):
    order = torch.randperm(len(pile), generator=torch.Generator().manual_seed(seed)).tolist()
    leaky.append(right_answers(order[:288], order[288:]).double().mean().item())
    by_drawing = GroupShuffleSplit(test_size=0.4, random_state=seed).split(groups, groups=groups)
    honest.append(right_answers(*next(by_drawing)).double().mean().item())
print(f"leaky splits:  mean {np.mean(leaky):.1%}, from {min(leaky):.1%} to {max(leaky):.1%}")
print(f"honest splits: mean {np.mean(honest):.1%}, from {min(honest):.1%} to {max(honest):.1%}")
show_bars(
    {"leaky": leaky, "honest": honest},
    alt=f"Accuracy for twenty leaky and twenty honest splits of the same pile, each a dot. The leaky ones reach {np.mean(leaky):.0%} on "
    f"average, the honest ones {np.mean(honest):.0%}; the two groups of dots hardly touch.",
)

# %% [markdown] covers=["S68"]
# About eleven points of the good number were memory.
#
# Copies are only the simplest leak. The test also knows something beforehand when
#
# - you **augment before the split**, so that a picture trains and its mirror image is tested,
# - **one subject** has several pictures: frames of a film, photos of one dog, slices of one patient,
# - the **mean and deviation** for normalising are computed over all pictures, the test pictures included,
# - you try many thresholds, seeds or models and keep the one that is best **on the test set**.
#
# The last one hurts even where there is nothing to learn. Here are 100 "classifiers" that toss a coin, on 50 pictures:

# %% covers=["S68"]
generator = torch.Generator().manual_seed(0)
truth = torch.randint(0, 2, (50,), generator=generator)
coins = torch.randint(0, 2, (100, 50), generator=generator)
shares = (coins == truth).double().mean(dim=1)
print(f"mean of the hundred: {shares.mean():.0%}   the best of the hundred: {shares.max():.0%}")

# %% [markdown]
# "The best of 100 models reaches ..." is a sentence about luck, unless the winner is measured again on pictures that nobody has
# used for choosing. That is why there are three parts and not two.

# %%
ask("augment-then-split")

# %% [markdown] covers=["S68"]
# ### Few pictures: cross-validation
#
# With 300 pictures it hurts to set 100 aside. **Cross-validation** cuts them into five parts; each part is once the one that is examined, while
# the other four are learned from. Five numbers instead of one, and every picture answered once by a model that did not know it.

# %% covers=["S68"] tags=["nbval-ignore-output"]
x_five, y_five = torch.cat([x_train, x_validation]), torch.cat([y_train, y_validation])
classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
folds = cross_val_score(classifier, x_five, y_five, cv=StratifiedKFold(5, shuffle=True, random_state=0))
print("five folds:", *(f"{fold:.1%}" for fold in folds), f"  mean {folds.mean():.1%}")
print(f"on the test pictures: {classifier.fit(x_five, y_five).score(x_test, y_test):.1%}")

# %% [markdown]
# The scaler is **inside** the pipeline, so its mean and deviation are learned from the four parts alone. The folds share most of
# their training pictures; do not take their spread for the ± of the mean. And it cannot see a leak by itself. The pile
# with the copies once more:

# %% covers=["S68"] tags=["nbval-ignore-output"]
careless = cross_val_score(classifier, x_pile, y_pile, cv=StratifiedKFold(5, shuffle=True, random_state=0))
by_drawing = cross_val_score(classifier, x_pile, y_pile, groups=groups, cv=GroupKFold(5))
print(f"folds at random:  {careless.mean():.1%}")
print(f"folds by drawing: {by_drawing.mean():.1%}")

# %% [markdown] covers=["S69"]
# ## Overfitting, in two curves
#
# Now we let the head train on without mercy: a hundred epochs with a high learning rate on 100 pictures, and watch
# it on the validation pictures.
#
# **Commit to an answer first.** What will the validation **loss** do?
#
# - (a) fall like the training loss, only more slowly
# - (b) fall and then stay
# - (c) fall and then rise

# %% covers=["S69"] tags=["nbval-ignore-output"]
_, history = fit_head(x_train, y_train, num_classes=2, lr=0.003, validation=(x_validation, y_validation))
show_history(
    history,
    alt="Left: the training loss falls towards zero, the validation loss falls for a few epochs, then rises and levels off above "
    "its lowest point, which a ring marks. Right: the training accuracy reaches 100 percent, the validation accuracy stays well below.",
)
best, last = history.best_epoch - 1, history.epochs - 1
for name, epoch in {"lowest validation loss": best, "end": last}.items():
    print(
        f"{name:22} epoch {epoch + 1:3}   loss: training {history.train_loss[epoch]:.2f}, "
        f"validation {history.validation_loss[epoch]:.2f}   validation accuracy {history.validation_accuracy[epoch]:.1%}"
    )

# %% [markdown]
# It is (c). After the ring the head learns the training pictures by heart, and what it learns there does not help
# elsewhere: **overfitting**. The sign is a training loss that goes on falling while the validation loss **rises**. A gap between
# the two curves alone is no alarm; there is nearly always one.
#
# Compare with *validation* pictures, not with the test set. Whoever stops where the test score is best has used the test set
# to decide. `fit_head` keeps the weights at the ring when you give it validation pictures, and with `patience=5` it stops soon
# after.
#
# And now look closely: between ring and end the validation **loss** has grown by about a quarter, and the **accuracy** has
# moved by a few points at most. How can the loss grow so much when nearly as many answers are right?

# %%
ask("sign-of-overfitting")

# %% [markdown]
# ## Does 80 % mean eight out of ten?
#
# Lesson 03 left this open: the number behind an answer is a score, and no promise. Now we have labelled pictures to hold it against.
# We take the head that nobody stopped, sort its test answers by how sure it was, and count.

# %% tags=["nbval-ignore-output"]
overfitted, _ = fit_head(x_train, y_train, num_classes=2, lr=0.003)  # the same training, to its end
logits = overfitted(x_test).detach()
table = reliability(logits, y_test, bins=10)
print("sure from  answers  mean of the probabilities  share that is right")
for lower, confidence, share, count in zip(*table, strict=True):
    print(f"{lower:9.0%}  {count:7}  {confidence:25.1%}  {share:19.1%}")

# %% [markdown]
# Small groups scatter. Read the last line, where most answers are: how sure, and how often right. A classifier is **calibrated** if the two agree in every line. This one is
# too sure of itself. That is the answer to the riddle above: once every training picture is right, the loss falls further
# mainly by making all logits larger. Most answers stay what they were; each mistake is made with ever
# more conviction, and the loss counts conviction.
#
# The repair follows from the cause. If the logits are too large, divide them by a number, the **temperature** $T$:
#
# $$p = \text{softmax}(\text{logits} / T)$$
#
# Which $T$? The one with the lowest loss on the validation pictures. (Not on the training pictures: there the head is always right.)

# %% tags=["nbval-ignore-output"]
on_validation = overfitted(x_validation).detach()
for T in (0.5, 1, 2, 4, 8):
    print(f"T = {T:3}   validation loss {torch.nn.functional.cross_entropy(on_validation / T, y_validation):.3f}")
temperature = fit_temperature(on_validation, y_validation)
print(f"best: T = {temperature:.2f}")

# %% tags=["nbval-ignore-output"]
show_reliability(
    {"as trained": table, f"divided by T = {temperature:.2f}": reliability(logits / temperature, y_test, bins=10)},
    alt="How often answers are right over how sure they were. As trained, most answers are in the last group, and nearly all marks lie below "
    "the diagonal: too sure. After division by the temperature the answers spread out, and the marks lie nearer to the diagonal.",
)
print("                 calibration error  accuracy")
for name, scores in {"as trained": logits, "with temperature": logits / temperature}.items():
    print(
        f"{name:16} {calibration_error(scores, y_test, bins=10):17.1%}  {accuracy(y_test, scores.argmax(dim=1)):8.1%}"
    )

# %% [markdown]
# Each mark stands for the answers of one group; the small numbers say how many. Below the dashed line means too sure. The
# **calibration error** is the mean distance from that line, weighted by the number of answers.
#
# One number, fitted in a moment, brings the marks closer to the line and changes **no answer**: dividing keeps the order, so the accuracy is
# the same to the last picture. This is temperature scaling (Guo et al. 2017, [On Calibration of Modern Neural
# Networks](https://arxiv.org/abs/1706.04599)).
#
# Two limits. A temperature corrects *how sure*, not *how right*; no calibration makes a bad classifier good. And it holds for
# pictures like those it was fitted on. For noise, or for a horse, the head still shares out 100 % between cat and dog.

# %% [markdown] covers=["S71"]
# ## What you now know
#
# - Name the **positive class** first. scikit-learn sorts labels, so its top left corner is usually the true negatives.
# - **Recall**: how much of what is there was found. **Precision**: how much of what was called is true. The **threshold** trades one for the
#   other, and is chosen on validation pictures.
# - Where a class is rare, "always no" has a high **accuracy**; precision depends on the mixture of the pictures.
# - A number needs a comparison and an interval. "84 % of 300 pictures, 79 to 88 %, chance 50 %" can be checked; "works well" cannot.
# - Two models on the same pictures are compared **where they differ**. One split, one seed, one fold is one draw.
# - More classes: look at F1 class by class, at the **macro F1** beside the accuracy, and at the worst mistakes with your own eyes.
# - What is rare is judged by **average precision**, not by ROC-AUC.
# - **Leakage** makes tests easy. Split by what belongs together, look for near copies with features, and touch the test set once.
# - **Overfitting** is a validation loss that rises while the training loss falls.
# - Softmax says how sure, not how often right. One **temperature** brings the two closer, and changes no answer.
#
# ## Where to practise
#
# - Raise the 100 training pictures to 300 (change the fractions of `split`) and run the lesson again. Predict first: what happens to the
#   temperature?
# - Take `style="shifted"` for the test pictures. Is the temperature from the plain ones still right?
# - More questions: `ask("quality-or-cost")`. The graded assignments **quiz-4** and **ps4-metrics** (in
#   `exercises/release/`, or from your instructor) go with this lesson.
#
# [Next: choosing a model](07_choosing_a_model.ipynb)
