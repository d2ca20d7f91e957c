"""Configuration of the documentation site: `make docs` builds it into build/site, notebooks executed."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "docs"
sys.path.insert(0, str(HERE))

# Notebooks see what the package has and nothing else, so that they show the same on every machine.
os.environ["ZCPROXY_CACHE"] = str(BUILD / "cache")
os.environ["ZCPROXY_DATA"] = str(BUILD / "no-data")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

project = "zcproxy"
author = "zcproxy contributors"
copyright = author
version = release = version_of("zcproxy")
html_title = f"zcproxy {version}"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "pages"]
default_role = "code"

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
myst_links_external_new_tab = False

# `off` leaves notebooks as they are stored, for tests of everything else.
nb_execution_mode = os.environ.get("ZCPROXY_NOTEBOOKS", "force")
nb_execution_in_temp = True
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": False}
