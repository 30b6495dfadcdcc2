"""Questions for other platforms: one module a format, each with a function from questions to the file's bytes.

    gift.py          Moodle's GIFT, a text format that many other tools read, too
    moodle_xml.py    Moodle's XML, which also carries points and hints
    qti.py           IMS QTI 2.1, a zip with one XML file a question, for most other platforms

The same questions give the same bytes on every machine. `markup.py` holds what they share.
"""
