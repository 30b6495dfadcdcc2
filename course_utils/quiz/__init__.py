"""Practice questions: the bank, how an answer is understood and judged, and what a notebook shows of it."""
