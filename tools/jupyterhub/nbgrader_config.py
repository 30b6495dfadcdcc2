"""nbgrader's settings for everybody on the hub: /etc/jupyter/nbgrader_config.py in the image.

The same exchange and the same course as in exercises/nbgrader_config.py, which instructors start nbgrader with.
"""

import os

c = get_config()  # noqa: F821 - nbgrader puts it here

c.Exchange.root = os.environ["COURSE_EXCHANGE"]
c.CourseDirectory.course_id = "pretrained-vision"
