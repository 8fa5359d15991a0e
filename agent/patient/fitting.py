"""Whether a recommendation is for a patient: its text, population and contraindications against what was said.

Only what is certain rules a recommendation out: a contraindication or population that it states itself, or an allergy
to the drug it advises or to that drug's class. Nothing here approves a recommendation: without a conflict it is shown
as it is, with its population and contraindications.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.patient.advice import Advice, advice_of
from agent.patient.allergens import ALLERGY, stated_allergens
from agent.patient.alternatives import gives_instead, offers_instead
from agent.patient.conflict import Conflict, FactKind, Weight, weightiest
from agent.patient.contraindications import allergy_in_words, contraindication_conflicts, may_be_desensitised
from agent.patient.filtration import filtration_conflicts
from agent.patient.intolerances import tolerated_drugs
from agent.patient.names import Named, drug_names, spoken
from agent.patient.patient import Allergy, Patient
from agent.patient.population import addressed_conflicts, only_pregnant, population_conflicts
from retrieval import Passage, PassageKind

#: The people of a recommendation that states no population: what its text begins with.
_OPENING = re.compile(r"\s*(?:for|in)\s+(?P<who>[^,;.]{3,160})", re.IGNORECASE)
_SEVERE_ONLY = re.compile(
    r"\b(?:severe|serious|anaphyla\w+)\b[^.;]*\b(?:allerg\w+|hypersensitiv\w+|anaphyla\w+)", re.IGNORECASE
)


def conflicts_of(patient: Patient, passage: Passage) -> tuple[Conflict, ...]:
    """What rules this passage out for this patient or has to be checked, what rules out most first."""
    if not patient.is_known:
        return ()
    advice = advice_of(passage.text)
    opening = _OPENING.match(passage.text)
    population = passage.population or (opening["who"] if opening else "")
    found = _allergies(patient, passage, advice)
    provided = {item.fact for item in found if item.provided_for}
    stated = contraindication_conflicts(
        patient, passage.contraindications, advice, for_pregnant=only_pregnant(population)
    )
    # The same allergy, said once more among the contraindications.
    found += [
        item.model_copy(update={"provided_for": item.weight is Weight.PART and item.fact in provided})
        for item in stated
    ]
    if population:
        found += population_conflicts(patient, population)
    if passage.kind is PassageKind.RECOMMENDATION:
        found += addressed_conflicts(patient, passage.text)
        found += filtration_conflicts(patient, passage.text)
        found += filtration_conflicts(patient, f"People with {passage.population}" if passage.population else "")
    found += _for_those_who_tolerate(patient, passage)
    if passage.kind is PassageKind.NARRATIVE:
        # Text around recommendations advises nothing by itself.
        found = [item.model_copy(update={"weight": Weight.CHECK}) for item in found]
    return weightiest(found)


def _allergies(patient: Patient, passage: Passage, advice: Advice) -> list[Conflict]:
    """Allergies to what is advised, whether or not the recommendation says so."""
    found = []
    # What is left must be left by all of them.
    barred = [drug for drug in advice.drugs if any(_is_of(allergy, drug) for allergy in patient.allergies)]
    for allergy in patient.allergies:
        hit = [drug for drug in advice.drugs if _is_of(allergy, drug)]
        if not hit:
            continue
        stated = next((item for item in passage.contraindications if _names(allergy, item)), None)
        desensitised = any(
            may_be_desensitised(words, pregnant=patient.is_pregnant) for words in (passage.text, stated or "")
        )
        names = {spoken(name) for drug in hit for name in drug.names}
        all_hit = len({drug.names for drug in hit}) == len({drug.names for drug in advice.drugs})
        found.append(
            Conflict(
                kind=FactKind.ALLERGY,
                weight=Weight.CHECK if desensitised else _weight(allergy, stated, whole=all_hit),
                fact=allergy_in_words(allergy),
                against=f"the recommendation {'is' if all_hit else 'names'} {', '.join(sorted(names))}",
                question_words=allergy.words,
                recommendation_words=stated or passage.text[hit[0].start : hit[-1].end],
                provided_for=_provides(passage, advice, barred, allergy),
            )
        )
    return found


def _is_of(allergy: Allergy, drug: Named) -> bool:
    return any(drug_names().cross_reacts(allergy.names, name) for name in drug.names)


def _provides(passage: Passage, advice: Advice, barred: Sequence[Named], allergy: Allergy) -> bool:
    """Whether a recommendation that advises what is barred says itself what this patient gets."""
    if offers_instead(passage.text, advice.drugs, barred):
        return True
    # What is given instead for an allergy may be too near to what was life-threatening.
    return not allergy.severe and gives_instead(passage.text, advice.drugs, barred, lambda drug: _is_of(allergy, drug))


def _for_those_who_tolerate(patient: Patient, passage: Passage) -> list[Conflict]:
    """ "In patients who are able to tolerate statins": not for one who is not, to be checked for one who took one."""
    names = drug_names()
    return [
        Conflict(
            kind=FactKind.ALLERGY,
            # One member that was not borne says little of its class.
            weight=Weight.WHOLE if allergy.names & {name, *names.classes_of(name)} else Weight.CHECK,
            fact=allergy_in_words(allergy),
            against=f"the recommendation is for those who tolerate {spoken(name)}",
            question_words=allergy.words,
            recommendation_words=words,
        )
        for name, words in tolerated_drugs(passage.text).items()
        for allergy in patient.allergies
        if names.covers(allergy.names, name)
    ]


def _names(allergy: Allergy, item: str) -> bool:
    return ALLERGY.search(item) is not None and any(
        drug_names().cross_reacts(allergy.names, name) for name in stated_allergens(item)
    )


def _weight(allergy: Allergy, stated: str | None, *, whole: bool) -> Weight:
    if allergy.intolerance or (allergy.severe is False and stated is not None and _SEVERE_ONLY.search(stated)):
        return Weight.CHECK
    return Weight.WHOLE if whole else Weight.PART
