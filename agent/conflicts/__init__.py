"""Conflicts: current recommendations of different publishers or regions that disagree on one point.

They are shown side by side, each in its own words with its date and strength, and never blended. What is compared is
what a program can be sure of: for or against, the drug of first choice, its dose, how long, from which age, how often.
"""

from agent.conflicts.conflict import Conflict, Difference, DifferenceKind
from agent.conflicts.finding import conflicts_of, disagreement, opposing

__all__ = ["Conflict", "Difference", "DifferenceKind", "conflicts_of", "disagreement", "opposing"]
