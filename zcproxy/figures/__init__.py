"""Figures: one style, axes of plots, and files that are the same whenever the same thing is drawn."""

from zcproxy.figures.files import check_figures as check_figures, save as save
from zcproxy.figures.style import drawing as drawing
