"""Disagreements: current recommendations of different publishers or regions that disagree on one point.

They are shown side by side, each in its own words with its date and strength, and never blended. What is compared is
what a program can be sure of: for or against, the drug of first choice, its dose, how long, from which age, how often.
"""

from agent.disagreements.disagreement import Difference, DifferenceKind, Disagreement
from agent.disagreements.finding import differences_between, disagreements_of, opposing

__all__ = ["Difference", "DifferenceKind", "Disagreement", "differences_between", "disagreements_of", "opposing"]
