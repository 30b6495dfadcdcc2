# %% [markdown]
# # Problem set 4: find the fawn
#
# In May the meadows are mown, and roe deer hide their newborn fawns in exactly that grass. A fawn does not run from a
# machine. It lies still. So before sunrise volunteers fly a drone with a heat camera over the meadow, a network looks at
# the pictures, and where it says *fawn*, somebody walks out and carries the animal to the edge of the field.
#
# A false alarm costs a walk through wet grass. A fawn that is missed costs its life. And nearly all pictures show
# nothing but grass. The network is trained; last week its makers wrote: "98 % accuracy". Your task is everything
# that comes after the network: turn its scores into decisions, and find out what that 98 % is worth.
#
# | | function | points |
# |---|---|--:|
# | 1 | `decide(logits, categories)` turns scores into probabilities and names | 4 |
# | 2 | `accuracy(batches)` counts what is right | 3 |
# | 3 | `confusion(actual, predicted, categories, positive)` counts who is taken for whom | 4 |
# | 4 | `precision_recall(matrix)` reads two numbers off that table | 3 |
# | 5 | `choose_threshold(probabilities, is_fawn, wanted_recall)` decides how sure is sure enough | 4 |
# | 6 | `report(validation, test, wanted_recall)` says what to expect tomorrow morning | 4 |
# | 7 | `leaked(train, test)` finds the pictures that make every number above too good | 3 |
#
# **Before you start:** lesson 06. **Time:** about 60 minutes. No downloads and no network: the scores are made up, by
# arithmetic, so that you can check each function against numbers that you count yourself.
#
# **How it is graded.** Below each answer is a test cell. Run it as often as you like: it tells what is not right yet, and
# the number under it counts the checks that you can see. When your work is graded, the same checks run on other flights,
# other categories and some odd mornings. Each check is worth a share of the points.
#
# **The form of an answer is yours.** Where numbers are asked for, a list, a NumPy array or a tensor is fine. So is
# scikit-learn. The functions of `course_utils` would do most of this too, but you would learn little by calling them.

# %%
import numpy as np
import torch

from course_utils.grading import flights

CATEGORIES = ["grass", "hare", "fawn"]

# %% [markdown]
# ## First, a number to be suspicious of
#
# One morning: 1000 pictures, 20 of them with a fawn. Before you run the cell, commit to an answer: which accuracy has a
# "network" that says *grass* to every picture and was never trained at all?

# %%
_, is_fawn = flights.rare(1000, fawns=20, seed=1)
says_fawn = np.zeros(1000, dtype=bool)
print(f"accuracy: {(says_fawn == is_fawn).mean():.1%}, fawns found: {(says_fawn & is_fawn).sum()} of {is_fawn.sum()}")

# %% [markdown]
# The makers' number, without a network. It is not wrong, it answers another question. Let us ask better ones.
#
# ## 1. From scores to names
#
# Write `decide(logits, categories)`. `logits` is a `float32` tensor of shape (pictures, categories), as a network gives
# it; `categories` is a list of names in the order of the columns. Return two things:
#
# - the **probabilities**: the softmax of each picture's scores, of the same shape;
# - the **names**: the most probable category of each picture, as a word, in a list, a tuple or an array.
#
# Scores can be large. A network that is very sure gives 1000 without blinking, and `exp(1000)` is more than a float can
# hold; `exp(-1000)` is 0. The `logits` that you are given stay as they were.
#
# - **Worth 1.5 of 4: the probabilities of each picture add up to 1.**
# - **Worth 1 of 4: no score is too large or too low.**

# %% [markdown] hint="ps4.1"
# Softmax is `exp(score)` divided by the sum of `exp(score)` **of the same picture**, so each row adds up to 1.
# `logits.softmax(dim=...)` does it, also for large scores. Which `dim` runs along the categories of one picture?

# %% [markdown] hint="ps4.1"
# By hand: subtract the largest score of each row before `exp`. That changes no probability, and nothing overflows. For the
# names, `argmax` along the same dimension gives a number for each picture, and `categories[number]` the word.


# %% answer="decide"
def decide(logits, categories):
    """Return the probabilities (pictures, categories) and a list with the name of the likeliest category."""
    ### BEGIN SOLUTION
    probabilities = logits.softmax(dim=1)
    return probabilities, [categories[number] for number in probabilities.argmax(dim=1)]
    ### END SOLUTION


# %% [markdown] why="decide"
# Softmax runs along the categories, dimension 1, because the probabilities of *one picture* have to add up to 1. Along
# dimension 0 it would compare pictures with each other, and no error would tell. PyTorch's `softmax` subtracts the largest
# score of each row first; `exp` written by hand overflows near 89 in `float32`. The most probable category is also the one
# with the highest score, so `logits.argmax(dim=1)` gives the same names.

# %% test="decide" points=4
import numpy as np
import torch

from course_utils.grading import Points, each, expect, flights


def _logits_become_decisions(logits, categories):
    before = logits.clone()
    answer = decide(logits, categories)
    expect(answer is not None, "decide returned None. Does it end with `return probabilities, names`?")
    two = isinstance(answer, tuple | list) and len(answer) == 2
    expect(two, "decide should return two things: the probabilities and the names.")
    probabilities = flights.numbers(answer[0], "The probabilities", tuple(logits.shape))
    if not np.isfinite(probabilities).all():
        row = before[int(np.argwhere(~np.isfinite(probabilities))[0, 0])]
        why = (
            f"exp({row.max():.0f}) is more than a float can hold"
            if row.max() > 80
            else "exp of each of them is 0 in float32, and so is their sum"
        )
        scores = [round(score, 1) for score in row.tolist()[:4]]
        expect(False, f"For the scores {scores} you give something that is no number (nan or inf): {why}.")
    sums = probabilities.sum(axis=1)
    worst = sums[np.abs(sums - 1).argmax()]
    expect(
        abs(worst - 1) < 1e-4,
        f"The probabilities of one picture should add up to 1. In one row they add up to {worst:.3f}.",
    )
    off = np.abs(probabilities - before.double().softmax(dim=1).numpy()).max()
    rounded = np.array_equal(probabilities, probabilities.round(4))
    why = "Are they rounded?" if rounded and off < 0.01 else "Softmax is exp(score), divided by the sum of the row."
    expect(off < 2e-5, f"The rows add up to 1, and yet one probability is off by {off:.2g}. {why}")
    names = flights.words(answer[1], "The names", len(logits))
    for row, name in zip(before, names, strict=True):
        expect(name in categories, f"{name!r} is none of the categories {categories}.")
        expect(
            row[categories.index(name)] == row.max(),
            f"For the scores {[round(score, 2) for score in row.tolist()]} of {categories} you chose {name!r}.",
        )
    expect(torch.equal(before, logits), "The logits that decide was given are not the same any more.")


points = Points(4)
points.check(
    "four pictures", _logits_become_decisions, flights.scored(4, 3, seed=0)[0], ["grass", "hare", "fawn"], worth=0.5
)
_sure = torch.tensor([[1000.0, -50.0], [0.0, 3.0]])
points.check("a very sure network", _logits_become_decisions, _sure, ["grass", "fawn"], worth=0.5)
### BEGIN HIDDEN TESTS
points.check(
    "the probabilities of each picture add up to 1",
    each(_logits_become_decisions),
    (flights.scored(3, 3, seed=4)[0], ["a", "b", "c"]),
    (flights.scored(40, 3, seed=5)[0], ["fawn", "grass", "hare"]),
    (flights.scored(1, 4, seed=6)[0], ["w", "x", "y", "z"]),
    (flights.scored(500, 12, seed=7)[0], list("abcdefghijkl")),
    worth=1.5,
)
points.check(
    "no score is too large or too low",
    each(_logits_become_decisions),
    (torch.tensor([[-400.0, -399.0], [-900.0, -901.0]]), ["p", "q"]),
    (torch.tensor([[89.0, 90.0, 3.0], [-120.0, 5000.0, 4999.0]]), ["p", "q", "r"]),
)
points.check(
    "a network that has no idea",
    _logits_become_decisions,
    torch.tensor([[0.5, 0.5, 0.5], [-1.0, 2.0, 2.0]]),
    ["p", "q", "r"],
    worth=0.5,
)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 2. Count, do not average averages
#
# A flight is too large for one batch, so the scores come in several. Write `accuracy(batches)`: `batches` gives pairs
# (`logits`, `labels`), where `labels` are the right columns as whole numbers, shape (pictures,). Return the share of **all
# pictures** that the network got right, a number from 0 to 1.
#
# The last batch is usually smaller than the others. And `batches` can be what a data loader is: something that you can
# walk through once, and that has no length.
#
# - **Worth 1.25 of 3: a picture counts as much in a small batch.**
# - **Worth 0.75 of 3: the batches are walked through once.**

# %% [markdown] hint="ps4.2"
# In the mean of the batches' accuracies, a picture in a small batch counts more than a picture in a large one. Keep two
# numbers instead while you walk through the batches: how many were right, and how many there were.


# %% answer="accuracy"
def accuracy(batches):
    """Return the share of right pictures, 0 to 1, counted over all batches."""
    ### BEGIN SOLUTION
    right = total = 0
    for logits, labels in batches:
        right += (logits.argmax(dim=1) == labels).sum().item()
        total += len(labels)
    return right / total
    ### END SOLUTION


# %% [markdown] why="accuracy"
# Two counters and one division at the end. Everything else weighs pictures by the size of the batch that they happened to be
# in: with batches of 64, 64 and 2, the mean of the three accuracies lets two pictures decide a third of the result. The
# same goes for the loss, and for every other number that is a mean over pictures.

# %% test="accuracy" points=3
import torch

from course_utils.grading import Points, each, expect, flights


def _counts_every_picture(sizes, num_classes, seed, as_loader=False):
    batches = flights.batches(sizes, num_classes, seed)
    shares = [(logits.argmax(dim=1) == labels).double().mean().item() for logits, labels in batches]
    expected = sum(share * size for share, size in zip(shares, sizes, strict=True)) / sum(sizes)
    answer = accuracy(iter(batches) if as_loader else batches)
    expect(answer is not None, "accuracy returned None. Does it end with a `return`?")
    found = flights.number(answer, "The accuracy")
    if flights.same(found, expected):
        return
    expect(0 <= found <= 1, f"The accuracy should be from 0 to 1. Yours is {found:.4g}.")
    expect(
        not flights.same(found, sum(shares) / len(shares)),
        f"{found:.4f} is the mean of the batches' accuracies. Counted picture by picture it is {expected:.4f}.",
    )
    expect(False, f"Counted picture by picture the accuracy is {expected:.4f}. Yours is {found:.4f}.")


def _all_wrong():
    answer = accuracy([(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([1, 0]))])
    expect(answer is not None, "accuracy returned None. Does it end with a `return`?")
    expect(flights.number(answer, "The accuracy") == 0, "The network got both pictures wrong, so the accuracy is 0.")


points = Points(3)
points.check("three batches of 20", _counts_every_picture, [20, 20, 20], 3, 0, worth=0.25)
points.check("two batches of 32 and one of 3", _counts_every_picture, [32, 32, 3], 3, 1, worth=0.5)
points.check("both pictures wrong", _all_wrong, worth=0.25)
### BEGIN HIDDEN TESTS
points.check(
    "a picture counts as much in a small batch",
    each(_counts_every_picture),
    ([7, 1, 30, 2, 11], 10, 2),
    ([1], 3, 3),
    ([2, 64, 64], 2, 9),
    worth=1.25,
)
points.check("the batches are walked through once", _counts_every_picture, [16, 16, 5], 4, 4, True, worth=0.75)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 3. Who is taken for whom
#
# Write `confusion(actual, predicted, categories, positive)`. `actual` and `predicted` are lists of names, one for each picture.
# Return the confusion matrix as whole numbers, shape (categories, categories):
#
# - the **actual** category in the rows, the **predicted** one in the columns;
# - the category named by `positive`, the one that you are looking for, **first**, in rows and columns alike; the others
#   after it, in the order of `categories`.
#
# - **Worth 1.25 of 4: the actual category in the rows, the positive one first.**
# - **Worth 1.25 of 4: a category that is missing keeps its place.**
#
# A category may be missing on a morning without hares. It keeps its row and its column. For two categories the matrix then
# reads
#
# | | called fawn | called grass |
# |---|--:|--:|
# | **is a fawn** | found (TP) | missed (FN) |
# | **is grass** | false alarm (FP) | rightly left alone (TN) |

# %% [markdown] hint="ps4.3"
# Make the order first: a new list that begins with `positive`, followed by all other categories. Then the place of a picture
# in the matrix is `order.index(actual)`, `order.index(predicted)`.

# %% [markdown] hint="ps4.3"
# scikit-learn's `confusion_matrix(actual, predicted, labels=order)` counts too. Without `labels` it sorts the names
# and leaves out those that do not appear.


# %% answer="confusion"
def confusion(actual, predicted, categories, positive):
    """Return the counts (categories, categories): actual in rows, predicted in columns, positive first."""
    ### BEGIN SOLUTION
    order = [positive, *(name for name in categories if name != positive)]
    matrix = np.zeros((len(order), len(order)), dtype=int)
    for actual_name, predicted_name in zip(actual, predicted, strict=True):
        matrix[order.index(actual_name), order.index(predicted_name)] += 1
    return matrix
    ### END SOLUTION


# %% [markdown] why="confusion"
# The order is written down before anything is counted, so nothing depends on which names happen to appear. scikit-learn puts
# the lowest label first, which for 0 and 1 is the *negative* one: read such a table as if the positive came first, and found
# and rightly left alone change places. Naming the positive category costs one argument and saves that mistake. The new list
# matters as well: `categories.remove(positive)` would shorten the caller's list.

# %% test="confusion" points=4
import numpy as np

from course_utils.grading import Points, each, expect, flights


def _a_morning(count, categories, seed):
    random = np.random.default_rng(seed)
    actual = [str(name) for name in random.choice(categories, count)]
    guesses = [str(name) for name in random.choice(categories, count)]
    return actual, [a if random.random() < 0.6 else guess for a, guess in zip(actual, guesses, strict=True)]


def _counts_the_confusions(actual, predicted, categories, positive):
    kept = list(categories)
    order = [positive, *(name for name in kept if name != positive)]
    pairs = list(zip(actual, predicted, strict=True))
    expected = np.array([[pairs.count((row, column)) for column in order] for row in order])
    answer = confusion(actual, predicted, categories, positive)
    expect(answer is not None, "confusion returned None. Does it end with a `return`?")
    seen = sorted({name for pair in pairs for name in pair})
    expect(
        len(seen) == len(kept) or np.shape(answer) != (len(seen), len(seen)),
        f"Only {' and '.join(seen)} appear that morning, and the others have no row and no column in your matrix.",
    )
    matrix = flights.numbers(answer, "The matrix", (len(kept), len(kept)))
    if not np.array_equal(matrix, expected):
        expect(
            not np.array_equal(matrix.T, expected),
            "Every count is right, but rows and columns have changed places: the actual category belongs in the rows.",
        )
        expect(
            sorted(matrix.ravel()) != sorted(expected.ravel()),
            f"The counts are right, but not in their places: the order should be {', '.join(order)}.",
        )
        row, column = np.argwhere(matrix != expected)[0]
        expect(
            False,
            f"{expected[row, column]} pictures are {order[row]} and were called {order[column]}. "
            f"Your matrix has {matrix[row, column]:g} there.",
        )
    expect(list(categories) == kept, f"The list of categories has changed: it was {kept} and is {list(categories)}.")


points = Points(4)
points.check(
    "six pictures, by hand",
    _counts_the_confusions,
    ["fawn", "grass", "fawn", "fawn", "grass", "grass"],
    ["fawn", "grass", "grass", "grass", "grass", "fawn"],
    ["grass", "fawn"],
    "fawn",
    worth=0.5,
)
_three = ["grass", "hare", "fawn"]
points.check("looking for hares", _counts_the_confusions, *_a_morning(200, _three, 0), list(_three), "hare", worth=1)
### BEGIN HIDDEN TESTS
points.check(
    "the actual category in the rows, the positive one first",
    each(_counts_the_confusions),
    (*_a_morning(200, _three, 1), list(_three), "fawn"),
    (*_a_morning(150, ["dog", "cat"], 2), ["dog", "cat"], "dog"),
    (*_a_morning(400, list("gfaecbd"), 4), list("gfaecbd"), "e"),
    worth=1.25,
)
points.check(
    "a category that is missing keeps its place",
    each(_counts_the_confusions),
    (*_a_morning(100, ["grass", "fawn"], 3), list(_three), "fawn"),
    (["grass", "hare", "grass", "grass"], ["grass"] * 4, ["grass", "hare"], "hare"),
    worth=1.25,
)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 4. Two questions
#
# The farmer asks: when the drone calls me out, is there really a fawn? That is **precision**: of all that were called
# positive, the share that is. The deer would ask: will I be found? That is **recall**: of all that are positive, the share
# that was called so.
#
# Write `precision_recall(matrix)` for a matrix as above: a list of rows, positive first, with two categories or more. Return both
# numbers, from 0 to 1.
#
# A share of nothing is no number. When nothing was called positive, precision has no value, and when there was nothing to
# find, recall has none. Return `float("nan")` then: 0 would say that everything went wrong, and 1 that all was well.
#
# - **Worth 0.75 of 3: a share of nothing is nan.**
# - **Worth 0.75 of 3: false alarms stand in several rows.**

# %% [markdown] hint="ps4.4"
# Both shares have the same numerator, the fawns that were found. The denominator of recall is everything that *is* a fawn,
# one row; that of precision everything that was *called* one, one column.

# %% [markdown] hint="ps4.4"
# `sum(row[0] for row in matrix)` adds up the first column of a list of rows. Look whether a sum is 0 before you divide by it.


# %% answer="precision_recall"
def precision_recall(matrix):
    """Return precision and recall of the first category, NaN for a share of nothing."""
    ### BEGIN SOLUTION
    found = matrix[0][0]
    called, actual = sum(row[0] for row in matrix), sum(matrix[0])
    precision = found / called if called else float("nan")
    recall = found / actual if actual else float("nan")
    return precision, recall
    ### END SOLUTION


# %% [markdown] why="precision_recall"
# Precision looks down the first column, recall along the first row; with more than two categories the false alarms stand in
# several rows, which is why the whole column is added up. NaN is the honest answer to a share of nothing, and it spreads: a mean
# that contains it is NaN too, and somebody looks. scikit-learn returns 0 here with a warning; `zero_division=np.nan` asks it
# for the same as ours.

# %% test="precision_recall" points=3
from course_utils.grading import Points, each, expect, flights


def _reads_the_matrix(matrix, precision, recall):
    answer = precision_recall([list(row) for row in matrix])
    expect(answer is not None, "precision_recall returned None. Does it end with `return precision, recall`?")
    try:
        answer = list(answer)
    except TypeError:
        answer = []
    expect(len(answer) == 2, "precision_recall should return two numbers: precision and recall.")
    answer = [float("nan") if value is None else value for value in answer]
    found = [flights.number(answer[0], "Precision"), flights.number(answer[1], "Recall")]
    swapped = flights.same(found[0], recall) and flights.same(found[1], precision)
    for name, value, expected in (("Precision", found[0], precision), ("Recall", found[1], recall)):
        if flights.same(value, expected):
            continue
        expect(not swapped, "The two numbers are right but swapped: precision comes first, then recall.")
        expect(expected == expected, f"{name} is a share of nothing here, so it should be nan. Yours is {value:.4g}.")
        expect(False, f"For the matrix {matrix} {name.lower()} is {expected:.4f}. Yours is {value:.4g}.")


points = Points(3)
points.check(
    "85 found, 10 missed, 15 false alarms", _reads_the_matrix, [[85, 10], [15, 90]], 85 / 100, 85 / 95, worth=0.5
)
points.check("nothing was called a fawn", _reads_the_matrix, [[0, 3], [0, 97]], float("nan"), 0.0, worth=0.5)
### BEGIN HIDDEN TESTS
points.check(
    "false alarms stand in several rows",
    each(_reads_the_matrix),
    ([[12, 1, 5], [2, 30, 4], [9, 8, 60]], 12 / 23, 12 / 18),
    ([[3, 1, 0, 2], [0, 30, 4, 1], [5, 8, 60, 1], [1, 0, 0, 9]], 3 / 9, 3 / 6),
    worth=0.75,
)
points.check(
    "a share of nothing is nan",
    each(_reads_the_matrix),
    ([[0, 0], [7, 93]], 0.0, float("nan")),
    ([[0, 0, 0], [0, 5, 1], [0, 2, 9]], float("nan"), float("nan")),
    ([[0, 3, 1], [0, 9, 0], [0, 0, 4]], float("nan"), 0.0),
    worth=0.75,
)
points.check(
    "all of them, and none of them",
    each(_reads_the_matrix),
    ([[20, 0], [0, 980]], 1.0, 1.0),
    ([[20, 0], [980, 0]], 0.02, 1.0),
    ([[0, 4], [6, 90]], 0.0, 0.0),
    worth=0.5,
)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 5. How sure is sure enough?
#
# The most probable category is a decision for somebody to whom all mistakes cost the same. Here they do not, so we only
# look at the probability of a fawn and choose the bar ourselves: somebody walks out when `probability >= threshold`.
#
# Write `choose_threshold(probabilities, is_fawn, wanted_recall)`. The first two are NumPy arrays, one entry for each picture:
# the probability of a fawn, and whether there is one (`True` or `False`). Return the **highest** threshold at which the
# recall is at least `wanted_recall`. A lower one would find those fawns as well, with more walks for nothing.
#
# There is at least one fawn. Several pictures may have the same probability. A number between two probabilities will do as
# well, if it calls the same pictures.
#
# - **Worth 1.5 of 4: the highest one that finds enough.**
# - **Worth 1 of 4: at the threshold itself somebody walks out.**

# %% [markdown] hint="ps4.5"
# Only at the probabilities of the fawns themselves does the recall change. So these are all the thresholds
# worth trying.

# %% [markdown] hint="ps4.5"
# For each candidate: `found = probabilities[is_fawn] >= candidate`, and `found.mean()` is the recall. Keep the largest candidate
# that reaches the wanted recall. A grid such as 0.00, 0.01, 0.02 steps over the best one.


# %% answer="choose_threshold"
def choose_threshold(probabilities, is_fawn, wanted_recall):
    """Return the highest threshold with recall >= wanted_recall, where a fawn is called at probability >= threshold."""
    ### BEGIN SOLUTION
    of_fawns = probabilities[is_fawn]
    return max(candidate for candidate in of_fawns if (of_fawns >= candidate).mean() >= wanted_recall)
    ### END SOLUTION


# %% [markdown] why="choose_threshold"
# Recall is counted among the fawns only, so between two neighbouring probabilities of fawns it does not change, and nothing is
# gained by trying other values. The lower the bar, the more is found: among all candidates that find enough, the highest
# sends out the fewest people. Equal probabilities need no special care, because they are compared, not counted off.

# %% test="choose_threshold" points=4
import numpy as np

from course_utils.grading import Points, each, expect, flights


def _bar_is_as_high_as_can_be(probabilities, is_fawn, wanted):
    kept = probabilities.copy(), is_fawn.copy()
    answer = choose_threshold(probabilities, is_fawn, wanted)
    expect(answer is not None, "choose_threshold returned None. Does it end with a `return`?")
    threshold = flights.number(answer, "The threshold")
    probabilities, is_fawn = kept
    recall = (probabilities[is_fawn] >= threshold).mean()
    expect(
        recall >= wanted - 1e-9,
        f"At your threshold of {threshold:.4f} {recall:.1%} of the fawns are found, and {wanted:.1%} are wanted.",
    )
    best = max(
        value for value in set(probabilities[is_fawn]) if (probabilities[is_fawn] >= value).mean() >= wanted - 1e-9
    )
    walks, enough = (probabilities >= threshold).sum(), (probabilities >= best).sum()
    expect(
        walks == enough,
        f"At your threshold of {threshold:.4f} enough fawns are found, with {walks} walks. A higher one needs only {enough}: "
        f"{best:.7g}, the probability of a fawn.",
    )


_ten = np.arange(10, 0, -1) / 16  # float32 holds these exactly
_five_fawns = np.array([True, True, False, True, False, False, True, False, True, False])

points = Points(4)
points.check("ten pictures, 80 % of five fawns", _bar_is_as_high_as_can_be, _ten, _five_fawns, 0.8, worth=0.25)
points.check(
    "a flight of 1000 with 20 fawns, 90 %", _bar_is_as_high_as_can_be, *flights.rare(1000, 20, seed=3), 0.9, worth=0.5
)
### BEGIN HIDDEN TESTS
_close = 0.5 + np.arange(400) / 2**20  # no grid is as fine as this
points.check(
    "the highest one that finds enough",
    each(_bar_is_as_high_as_can_be),
    (*flights.rare(1000, 25, seed=4), 1.0),
    (*flights.rare(3000, 400, seed=5), 0.5),
    (*flights.rare(500, 30, seed=6), 0.95),
    (*flights.rare(2000, 60, seed=8, skill=0.3), 0.75),
    (_close, np.arange(400) % 7 == 0, 0.8),
    worth=1.5,
)
_same_for_many = np.array([0.25, 0.5, 0.5, 0.5, 0.5, 0.75, 0.25, 0.5])
_fawn_or_not = np.array([True, True, True, False, True, True, False, True])
points.check(
    "at the threshold itself somebody walks out",
    each(_bar_is_as_high_as_can_be),
    (_same_for_many, _fawn_or_not, 0.5),
    (np.array([1.0, 1.0, 0.5, 1.0]), np.array([True, True, False, False]), 1.0),
    (np.array([0.0, 0.5, 0.25]), np.array([True, True, False]), 1.0),
)
points.check(
    "one fawn, nothing but fawns, a network that is sure of everything",
    each(_bar_is_as_high_as_can_be),
    (*flights.rare(300, 1, seed=7), 0.9),
    (_ten, np.ones(10, dtype=bool), 0.6),
    (0.96875 + _ten / 32, _five_fawns, 0.4),
    worth=0.75,
)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 6. What to expect tomorrow
#
# A threshold is chosen, so it has seen the answers, like a student who has seen the exam. What it promises has to be
# measured on pictures that had no say in choosing it.
#
# Write `report(validation, test, wanted_recall)`. `validation` and `test` are pairs (`probabilities`, `is_fawn`) as in step 5.
# Choose the threshold on the validation pictures, measure on the test pictures, and return a dictionary:
#
# | key | value |
# |---|---|
# | `"threshold"` | chosen with the validation pictures |
# | `"accuracy"` | the share of test pictures that are decided rightly at that threshold |
# | `"lazy_accuracy"` | the share of test pictures that "there is never a fawn" decides rightly, even where most show one |
# | `"precision"`, `"recall"` | of the decisions on the test pictures; `nan` for a share of nothing |
#
# - **Worth 1 of 4: the threshold comes from the validation pictures.**
# - **Worth 1 of 4: everything else is measured on the test pictures.**
#
# Before you run the test cell, commit to an answer: at a threshold that finds 90 % of the fawns, is the accuracy higher
# or lower than that of the lazy rule?

# %% [markdown] hint="ps4.6"
# `says_fawn = probabilities >= threshold` are the decisions. `says_fawn & is_fawn` are the fawns found, and the mean of an array
# of `True` and `False` is a share.

# %% [markdown] hint="ps4.6"
# Three functions of yours fit together here: `choose_threshold` on validation, and `confusion` with `precision_recall` on test.
# The names for `confusion` could be `["fawn" if x else "grass" for x in is_fawn]`. Or count with arrays, and mind a sum that is 0.


# %% answer="report"
def report(validation, test, wanted_recall):
    """Choose the threshold on validation, measure on test; return a dictionary of five numbers."""
    ### BEGIN SOLUTION
    threshold = choose_threshold(*validation, wanted_recall)
    probabilities, is_fawn = test
    says_fawn = probabilities >= threshold
    found, missed = (says_fawn & is_fawn).sum(), (~says_fawn & is_fawn).sum()
    false_alarms, left_alone = (says_fawn & ~is_fawn).sum(), (~says_fawn & ~is_fawn).sum()
    precision, recall = precision_recall([[found, missed], [false_alarms, left_alone]])
    return {
        "threshold": threshold,
        "accuracy": (says_fawn == is_fawn).mean(),
        "lazy_accuracy": (~is_fawn).mean(),
        "precision": precision,
        "recall": recall,
    }
    ### END SOLUTION


# %% [markdown] why="report"
# The threshold comes from the validation pictures alone; the test pictures are looked at once, at the end. That is why the recall
# on test may fall below the wanted one: with 20 fawns one fawn is five percentage points, and the honest report says so. The
# accuracy is *below* that of the lazy rule, and yet this is the better rule: it finds fawns. Accuracy counts a walk
# through wet grass and a dead fawn as one mistake each, and where 98 of 100 pictures are grass, it is nearly all about grass.

# %% test="report" points=4 earlier="confusion precision_recall choose_threshold"
import numpy as np

from course_utils.grading import Points, expect, flights


def _the_report(validation, test, wanted):
    copies = [(probabilities.copy(), is_fawn.copy()) for probabilities, is_fawn in (validation, test)]
    answer = report(*copies, wanted)
    expect(answer is not None, "report returned None. Does it end with a `return`?")
    expect(isinstance(answer, dict), f"report should return a dictionary, not a {type(answer).__name__}.")
    keys = ["threshold", "accuracy", "lazy_accuracy", "precision", "recall"]
    missing = [key for key in keys if key not in answer]
    expect(not missing, f"The report has no {', '.join(missing)}.")
    answer = {key: float("nan") if answer[key] is None else answer[key] for key in keys}
    return {key: flights.number(answer[key], f"The {key}") for key in keys}


def _just_enough(pictures, threshold, wanted):
    probabilities, is_fawn = pictures
    of_fawns = probabilities[is_fawn]
    best = max(value for value in of_fawns if (of_fawns >= value).mean() >= wanted - 1e-9)
    return (probabilities >= threshold).sum() == (probabilities >= best).sum()


def _threshold_comes_from_validation(validation, test, wanted):
    threshold = _the_report(validation, test, wanted)["threshold"]
    if _just_enough(validation, threshold, wanted):
        return
    expect(
        not (test[1].any() and _just_enough(test, threshold, wanted)),
        f"Your threshold of {threshold:.4f} was chosen on the test pictures. It knows the answers that it is measured on.",
    )
    expect(False, f"{threshold:.4f} is not the threshold that the validation pictures give.")


def _measured_on_test(validation, test, wanted, key):
    found = _the_report(validation, test, wanted)

    def measure(probabilities, is_fawn):
        says_fawn = probabilities >= found["threshold"]

        def share(part, whole):
            return part.sum() / whole.sum() if whole.any() else float("nan")

        return {
            "accuracy": (says_fawn == is_fawn).mean(),
            "lazy_accuracy": 1 - is_fawn.mean(),
            "precision": share(says_fawn & is_fawn, says_fawn),
            "recall": share(says_fawn & is_fawn, is_fawn),
        }[key]

    expected, elsewhere = measure(*test), measure(*validation)
    if flights.same(found[key], expected):
        return
    what = key.replace("_", " ")
    expect(not flights.same(found[key], elsewhere), f"This {what} belongs to the validation pictures: {elsewhere:.4f}.")
    expect(False, f"On the test pictures the {what} at your threshold is {expected:.4f}. Yours is {found[key]:.4f}.")


def _paradox(validation, test, wanted):
    _measured_on_test(validation, test, wanted, "accuracy")
    _measured_on_test(validation, test, wanted, "lazy_accuracy")
    found = _the_report(validation, test, wanted)
    expect(found["recall"] > 0, "At this threshold no fawn is found. The threshold is not right yet.")
    return (
        f"Accuracy {found['accuracy']:.1%}, and {found['lazy_accuracy']:.1%} for the lazy rule, which finds nothing. "
        f"Yours finds {found['recall']:.1%} of the fawns."
    )


_this_week = flights.rare(1000, 20, seed=11), flights.rare(1000, 20, seed=12)

points = Points(4)
points.check("the threshold of this week", _threshold_comes_from_validation, *_this_week, 0.9, worth=0.75)
points.check("both accuracies, on the test pictures", _paradox, *_this_week, 0.9, worth=0.25)
points.check("precision on the test pictures", _measured_on_test, *_this_week, 0.9, "precision", worth=0.25)
points.check("recall on the test pictures", _measured_on_test, *_this_week, 0.9, "recall", worth=0.25)
### BEGIN HIDDEN TESTS
_another = flights.rare(800, 40, seed=13), flights.rare(1500, 90, seed=14)
_no_fawns = flights.rare(800, 40, seed=15), flights.rare(400, 0, seed=16)
_quiet = flights.rare(800, 40, seed=17), (np.linspace(0, 0.001, 300), np.arange(300) == 299)
_herd = flights.rare(800, 40, seed=18), flights.rare(300, 200, seed=19)


def _at_the_threshold_itself(key):
    validation = flights.rare(800, 40, seed=20)
    threshold = _the_report(validation, validation, 0.75)["threshold"]
    test = np.array([threshold, threshold, threshold, 0.0, 1.0]), np.array([True, True, False, False, True])
    found, expected = _the_report(validation, test, 0.75)[key], {"accuracy": 0.8, "precision": 0.75, "recall": 1.0}[key]
    expect(
        flights.same(found, expected),
        f"Three test pictures have exactly the threshold as their probability. They are called, so the {key} is "
        f"{expected:.4g}. Yours is {found:.4g}.",
    )


def _everything_else():
    for key in ("accuracy", "precision", "recall"):
        _at_the_threshold_itself(key)
    for key in ("precision", "recall", "accuracy", "lazy_accuracy"):
        _measured_on_test(*_another, 0.75, key)
        _measured_on_test(*_herd, 0.75, key)


def _nothing_there():
    _measured_on_test(*_no_fawns, 0.9, "recall")
    _measured_on_test(*_no_fawns, 0.9, "precision")
    _measured_on_test(*_quiet, 0.5, "precision")


points.check("the threshold comes from the validation pictures", _threshold_comes_from_validation, *_another, 0.75)
points.check("everything else is measured on the test pictures", _everything_else)
points.check("a morning without a fawn, a morning without an alarm", _nothing_there, worth=0.5)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## 7. The leak
#
# One number in the makers' letter is left to explain. Their test pictures came from the same folder as the training pictures, drawn
# at random, and the drone hovers: it stores one view several times. A test picture that was in the training set tests
# memory, not sight.
#
# Write `leaked(train, test)`. Both are lists of PIL images of mode RGB. Return the positions in `test` of all pictures whose
# size and pixels are the same as those of some picture in `train`: a list, a set or an array of whole numbers, each once, in
# any order.
#
# - **Worth 1 of 3: the same pixels are the same picture, whatever the file says.**
# - **Worth 0.75 of 3: nearly the same is another picture.**

# %% [markdown] hint="ps4.7"
# `image in train` compares each picture with each other, which takes long, and it takes a note in the file, such as the time, for
# a difference. `image.tobytes()` holds nothing but the pixels, and a set of such values knows at once what it contains.

# %% [markdown] hint="ps4.7"
# `tobytes()` says nothing about the shape: a gray picture of 40 x 30 and one of 30 x 40 have the same bytes. Put
# `(image.size, image.tobytes())` into the set.


# %% answer="leaked"
def leaked(train, test):
    """Return the positions in test of the pictures that are in train as well."""
    ### BEGIN SOLUTION
    known = {(image.size, image.tobytes()) for image in train}
    return [position for position, image in enumerate(test) if (image.size, image.tobytes()) in known]
    ### END SOLUTION


# %% [markdown] why="leaked"
# A set answers "have I seen this?" in one step, so thousands of pictures take a second; comparing every pair takes minutes. Equal
# pixels are the leak that is easiest to find, and not the only one. Frames of one flight, photos of one animal, or a picture and
# its mirrored copy are not equal, and still give the answer away. Against those only one thing helps: split by flight or by
# animal, before anything else happens to the pictures.

# %% test="leaked" points=3
import numpy as np
from PIL import Image

from course_utils.grading import Points, expect, flights


def _finds_the_leaks(train, test, expected):
    answer = leaked(list(train), list(test))
    expect(answer is not None, "leaked returned None. Does it end with a `return`?")
    try:
        values = list(answer)
        mask = len(values) == len(test) and values and all(isinstance(value, bool | np.bool_) for value in values)
        expect(not mask, "This is a list of True and False. Positions are asked: 0 for the first picture, and so on.")
        positions = sorted(int(position) for position in values)
    except (TypeError, ValueError):
        positions = None
    expect(positions is not None, "leaked should return positions in `test`, as whole numbers in a list or a set.")
    missed, invented = sorted(set(expected) - set(positions)), sorted(set(positions) - set(expected))
    some = ", ".join(map(str, (missed or invented)[:3]))
    expect(not missed, f"Your answer leaves out pictures that are in the training set, at position {some}.")
    expect(
        not invented,
        f"Your answer names pictures that are not in the training set, at position {some}.",
    )
    expect(len(set(positions)) == len(positions), "Each position should appear once.")


points = Points(3)
points.check(
    "two of four were in the training set",
    _finds_the_leaks,
    [flights.frame(seed) for seed in range(6)],
    [flights.frame(seed) for seed in (9, 2, 8, 5)],
    [1, 3],
    worth=0.5,
)
### BEGIN HIDDEN TESTS


def _many():
    train, fresh = [flights.frame(seed) for seed in range(20)], [flights.frame(seed) for seed in range(20, 30)]
    _finds_the_leaks(train, fresh, [])
    train = [flights.frame(seed % 120) for seed in range(200)]
    test = [flights.frame(seed) for seed in (*range(100, 150), 101, 149, 149, 30)]
    _finds_the_leaks(train, test, [*range(20), 50, 53])


def _one_pixel_is_another():
    image = flights.frame(1)
    for x, y in ((23, 15), (0, 0), (11, 7)):
        other = image.copy()
        red, green, blue = other.getpixel((x, y))
        other.putpixel((x, y), (red, green, blue ^ 1))
        _finds_the_leaks([image, flights.frame(2)], [other, image.copy()], [1])


def _same_bytes_in_another_shape():
    wide, high = Image.new("RGB", (40, 30), "gray"), Image.new("RGB", (30, 40), "gray")
    _finds_the_leaks([wide, flights.frame(3)], [high, wide.copy(), flights.frame(3, 16, 24)], [1])


def _same_pixels_in_another_order():
    image = flights.frame(4)
    _finds_the_leaks([image], [image.transpose(Image.Transpose.ROTATE_180), image.copy()], [1])


def _nearly_the_same():
    _one_pixel_is_another()
    _same_bytes_in_another_shape()
    _same_pixels_in_another_order()


def _the_file_does_not_matter():
    image, copy = flights.frame(5), flights.frame(5)
    image.info["time"], copy.info["time"] = "05:12", "05:13"
    image.filename, copy.filename = "one.png", "two.png"
    _finds_the_leaks([image], [flights.frame(6), copy], [1])


points.check("no leak at all, and many pictures", _many, worth=0.75)
points.check("nearly the same is another picture", _nearly_the_same, worth=0.75)
points.check("the same pixels are the same picture, whatever the file says", _the_file_does_not_matter)
### END HIDDEN TESTS
points.total()

# %% [markdown]
# ## The letter to the makers
#
# No points here. If your functions work, this cell prints what the drone's team should know before its first morning.

# %%
try:
    told = report(flights.rare(1000, 20, seed=21), flights.rare(1000, 20, seed=22), 0.9)
    for key, value in told.items():
        print(f"{key.replace('_', ' '):15} {float(value):.3f}")
except Exception as error:
    print(f"Not yet: {type(error).__name__}: {error}")

# %% [markdown]
# ## Before you hand in
#
# Choose **Restart Kernel and Run All Cells**, and read what the test cells say. Then hand in this one file, under the
# name that it has.
