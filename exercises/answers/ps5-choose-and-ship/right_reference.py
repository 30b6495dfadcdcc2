# The reference solution of the source notebook, cell by cell.
#
# score: {facts: 3, pick: 4, pareto_front: 4, latency: 6, save_and_load: 5, export: 3}
# feedback:
#   - "[passed] every limit is kept, the limit itself included"
#   - "[passed] any number of pictures"
