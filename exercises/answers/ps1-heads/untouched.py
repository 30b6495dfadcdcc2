# The released notebook as it was: nothing written, nothing earned, nothing crashed.
#
# score: {find_head: 0, replace_head: 0, freeze_backbone: 0, what_moved: 0}
# unchanged: true
# feedback:
#   - "find_head returned None. Does it end with `return name, layer`?"
#   - "replace_head returned None. Does it end with `return model`?"
#   - "freeze_backbone returned None. Does it end with `return model`?"
#   - "what_moved returned None."
