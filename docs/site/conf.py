"""Sphinx reads this. ``python -m course_utils.authoring.site`` copies it beside the lessons and runs Sphinx there.

Nothing of a page comes from another host: formulas are MathML, and no script for widgets is asked for.
"""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from course_utils.authoring.lessons import course_settings

project = "Pre-trained Vision Models"
language = "en"
extensions = ["myst_nb"]
myst_enable_extensions = ["deflist", "dollarmath", "substitution"]
myst_substitutions = {"repository": f"[the repository](https://github.com/{course_settings()['repository']})"}
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks bring their outputs
nb_ipywidgets_js = {}
nb_merge_streams = True

html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["course.css"]
html_js_files = [("judging.js", {"defer": "defer"}), ("practice.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_math_renderer = "mathml"


def mathml(node: nodes.math | nodes.math_block, as_block: bool = False) -> str:
    return tex2mathml(node.astext().replace(r"\dots", r"\ldots"), as_block=as_block)  # docutils knows one of the two


def formula(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(mathml(node))
    raise nodes.SkipNode


def displayed_formula(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (formula, None), (displayed_formula, None))
