"""What the test cells of the assignments are made of: points, questions and checks of networks."""

from course_utils.grading.points import Points, each, expect

__all__ = ["Points", "each", "expect"]
