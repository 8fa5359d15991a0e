"""The cold-start teacher: acts as an ideal agent would, because it knows the gold passages."""

from training.teacher.composing import compose
from training.teacher.model import TEACHER, Teacher

__all__ = ["TEACHER", "Teacher", "compose"]
