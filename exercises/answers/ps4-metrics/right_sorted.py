# The threshold counted off a sorted list, with a look at ties; hashes of pixels for the leak.
#
# score: {decide: 4, accuracy: 3, confusion: 4, precision_recall: 3, choose_threshold: 4, report: 4, leaked: 3}
# feedback:
#   - "[passed] everything else is measured on the test pictures"

# %% choose_threshold
import math


def choose_threshold(probabilities, is_fawn, wanted_recall):
    of_fawns = sorted(probabilities[is_fawn].tolist(), reverse=True)
    needed = max(1, math.ceil(wanted_recall * len(of_fawns) - 1e-9))
    return of_fawns[needed - 1]

# %% leaked
import hashlib


def fingerprint(image):
    return hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()


def leaked(train, test):
    known = set(map(fingerprint, train))
    return {position for position, image in enumerate(test) if fingerprint(image) in known}
