# An endless loop, an exit(), a report that is a tuple, and a function that is spelt wrongly: none stops the grading.
#
# score: {decide: 4, accuracy: 0, confusion: 0, precision_recall: 3, choose_threshold: 4, report: 0, leaked: 0}
# feedback:
#   - "Your code called exit()."
#   - "report should return a dictionary, not a tuple."
#   - "Is there a loop that never ends?"
#   - "NameError: name 'find_the_leaks' is not defined"

# %% accuracy
def accuracy(batches):
    exit()

# %% confusion
def confusion(actual, predicted, categories, positive):
    matrix = np.zeros((len(categories), len(categories)))
    i = 0
    while i < len(actual):
        matrix[categories.index(actual[i]), categories.index(predicted[i])] += 1
    return matrix

# %% report
def report(validation, test, wanted_recall):
    threshold = choose_threshold(*validation, wanted_recall)
    said = test[0] >= threshold
    return threshold, (said == test[1]).mean(), (~test[1]).mean()

# %% leaked
def leaked(train, test):
    return find_the_leaks(train, test)
