"""Marking of submissions: strict reading, a sandbox, a judge outside of it, and one writer of nbgrader's gradebook."""
