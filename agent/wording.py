"""Fixed sentences the service says itself. What is not gated is not free text: it is here."""

from __future__ import annotations

from agent.actions import Missing, ReplyKind
from agent.budget import BudgetName
from retrieval import SearchFilters

CLARIFYING_QUESTIONS: dict[Missing, str] = {
    Missing.AGE: "How old is the patient?",
    Missing.SEX: "What is the patient's sex?",
    Missing.PREGNANCY: "Is the patient pregnant, or could she be?",
    Missing.BREASTFEEDING: "Is the patient breast-feeding?",
    Missing.RENAL_FUNCTION: "What is the patient's renal function (eGFR or creatinine clearance)?",
    Missing.HEPATIC_FUNCTION: "What is the patient's liver function?",
    Missing.ALLERGY: "Does the patient have any drug allergy, and what was the reaction?",
    Missing.SEVERITY: "How severe is it (observations, severity score if there is one)?",
    Missing.SETTING: "Where is the patient being treated (community, emergency department, ward)?",
    Missing.DURATION: "How long has this been going on?",
    Missing.CURRENT_DRUGS: "Which drugs does the patient take now?",
    Missing.CONDITION: "Which condition or problem is this about?",
}
NOT_IN_CORPUS = (
    "The guidelines searched do not hold an answer to this. "
    "The nearest recommendations found are listed; they may not apply."
)
NOTHING_FOUND = "The guidelines searched hold nothing on this. Try other words, or another source."
NOTHING_FOR_AUDIENCE = "This service holds nothing that may be shown to this audience. Ask whoever runs it."
NOTHING_WITHIN = (
    "The guidelines searched hold nothing on this within these filters: {filters}. "
    "Look at their spelling, take one away, or try other words."
)
UNDATED_LEFT_OUT = "Guidance that gives no date is left out by a filter on dates."
SEARCH_FAILED = "The guidelines could not be searched just now. Try again in a moment; nothing was lost."
REPLIES: dict[ReplyKind, str] = {
    ReplyKind.THANKS: "You are welcome.",
    ReplyKind.ABOUT: (
        "This service searches clinical guidelines and answers from them. Every sentence of an answer names the "
        "recommendation it rests on; open the number to read it whole. "
        "It does not know your patient and does not replace your judgement."
    ),
}
LISTED = "These are the recommendations found, shown whole; some may not apply."
MODEL_FAILED_LABEL = f"The model could not be used for this question. {LISTED}"
RECOMMENDATIONS_LABEL = f"The model in use does not write answers. {LISTED}"
NOTHING_VERIFIED_LABEL = f"No sentence the model wrote could be verified. {LISTED}"
CUT_OFF_LABEL = "The answer was cut off. The recommendations found follow, shown whole; some may not apply."
NONE_FITS_LABEL = (
    "As far as the question tells, none of the recommendations found applies to this patient. Each says why; "
    "look for guidance on this patient's situation."
)
NOT_FOR_PATIENT_LABEL = (
    "Part of the model's answer rests on recommendations that do not apply to this patient and is not shown."
)
CHOSE_WHAT_DOES_NOT_FIT_LABEL = f"What the model chose does not apply to this patient and is not shown. {LISTED}"
LENGTH_LABEL = "The answer reached its length limit and its last sentence is not shown. Open the sources."
WITHDRAWN_LABEL = "Guidance found for this question was withdrawn while it was answered and is not shown. Ask again."
PARTLY_WITHHELD_LABEL = "Part of the model's answer could not be verified and is not shown. Open the sources."
BUDGET_LABELS: dict[BudgetName, str] = {
    "steps": "The search took too many steps and was stopped. These are the recommendations found so far.",
    "tokens": "The search used too many tokens and was stopped. These are the recommendations found so far.",
    "wall_clock": "The search took too long and was stopped. These are the recommendations found so far.",
}


def nothing_found(filters: SearchFilters) -> str:
    """What is said where a search found nothing: a filter that shuts everything out is not taken for no guidance."""
    told = filters.in_words()
    if not told:
        return NOTHING_FOUND
    sentence = NOTHING_WITHIN.format(filters=", ".join(told))
    return f"{sentence} {UNDATED_LEFT_OUT}" if filters.dated else sentence
