"""The right patient: what a question and its conversation say of the patient, and what that rules out."""

from agent.patient.conflict import Conflict, FactKind, PassageConflicts, Weight, applies, rules_out, severity
from agent.patient.fitting import conflicts_of
from agent.patient.patient import NOBODY, Patient
from agent.patient.reading import read_patient
from agent.patient.unsaid import with_unsaid

__all__ = [
    "NOBODY",
    "Conflict",
    "FactKind",
    "PassageConflicts",
    "Patient",
    "Weight",
    "applies",
    "conflicts_of",
    "read_patient",
    "rules_out",
    "severity",
    "with_unsaid",
]
