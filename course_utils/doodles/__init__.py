"""Doodle pets: cats and dogs made of furry ellipsoids, lit, set before a background and photographed.

Photos of pets need a download; these take a few milliseconds each. An animal (`anatomy`) is a list of ellipsoids,
which are covered with fur and light (`fur`). Then come a background, things in front, and the faults of a camera
(`scene`).

Coordinates: x to the right, y up, z towards the viewer; one unit is about half the width of a head.
All chance comes from one numpy Generator, so that the same seed gives the same picture.
"""

from course_utils.doodles.scene import draw_pet

__all__ = ["draw_pet"]
