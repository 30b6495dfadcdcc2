# The released notebook as it was: nothing written, nothing earned, nothing crashed.
#
# score: {facts: 0, pick: 0, pareto_front: 0, latency: 0, save_and_load: 0, export: 0}
# unchanged: true
# feedback:
#   - "facts returned None. Does it end with a `return`?"
#   - "pick returned None, but 'edelweiss' keeps all limits."
#   - "pareto_front returned None. Does it end with a `return`?"
#   - "latency returned None. Does it end with a `return`?"
#   - "After save_classifier there is no file at the path that it was given."
#   - "After export there is no file at the path that it was given."
