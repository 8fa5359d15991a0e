"""What is looked up for a patient: the names of coded problems, and of the medicines that are being ordered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from retrieval.expansion import expansions
from service.cds.fhir import ICD10, RXNORM, SNOMED, CodeableConcept, Coding, Condition, MedicationRequest, resources
from service.cds.markdown import plain
from service.cds.patient import CodedPatient, check_same_patient

#: Problems looked up at once: each is a search, and a card that nobody asked for must not take long.
MAX_CONDITIONS = 3
MAX_ORDERS = 3
#: Longest name that is searched for, in characters.
MAX_NAME_CHARS = 160
#: What coding systems add to a name for the coder and no guideline says.
_FOR_CODERS = re.compile(
    r"\s*\((?:disorder|finding|situation|product|medicinal product|substance|primary)\)"
    r"|,? (?:unspecified(?: [a-z]+)?|not elsewhere classified|NOS|NEC)\b"
    r"|,? without (?:complications?|ha?ematuria|mention of [a-z ]+)\b",
    re.IGNORECASE,
)
_STRENGTH = re.compile(
    r"\b\d[\d.,]*\s*(?:mg|mcg|ug|g|ml|unt|units?|iu|meq|mmol|hr|actuat|%)?(?:/[\d.]*\s*\w+)?(?!\w)", re.IGNORECASE
)
_FORMS = frozenset(
    "oral suspension solution tablet tablets capsule capsules injection injectable topical cream ointment gel "  # noqa: SIM905
    "inhaler inhalation spray nasal ophthalmic otic rectal suppository powder product pack prefilled syringe "
    "extended release delayed chewable disintegrating film coated metered dose actuat sodium potassium hydrochloride "
    "hydrate monohydrate trihydrate dihydrate sulfate sulphate phosphate acetate maleate mesylate besylate succinate "
    "tartrate citrate fumarate calcium magnesium chloride acid intravenous for and in per unt".split()
)

#: Gives the official name of an ICD-10 code, or None.
NameOfCode = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to look up."""

    #: What is searched for.
    query: str
    #: Why, for the clinician: "Pneumonia (J18.9)", or an order with the problem it was looked up with.
    reason: str
    #: The code behind it, where there is one.
    topic: Coding | None
    #: Name of the problem; None where a medicine was looked up alone.
    condition: str | None
    #: For an order: what a recommendation has to name, in one of these ways.
    drugs: tuple[tuple[str, ...], ...] = ()


def of_conditions(patient: CodedPatient, name_of: NameOfCode) -> tuple[Subject, ...]:
    """The problems to look up, those of the encounter and the newest first; one that has no name is left out."""
    found: dict[str, Subject] = {}
    for condition in patient.conditions:
        # Not one more: a code without a name is a search of its own.
        if len(found) == MAX_CONDITIONS:
            break
        name, topic = condition_name(condition.code, name_of), _topic(condition.code, *ICD10, SNOMED)
        if name and name.casefold() not in found:
            code = f" ({topic.code})" if topic else ""
            found[name.casefold()] = Subject(query=name, reason=f"{name}{code}", topic=topic, condition=name)
    return tuple(found.values())


def of_orders(
    drafts: JsonValue, selections: Iterable[str], patient: CodedPatient, patient_id: str, name_of: NameOfCode
) -> tuple[Subject, ...]:
    """The selected medicines, each with the problem it is for, else with every problem that is looked up.

    Raises:
        ProblemError: the drafts cannot be read, or are for another patient.
    """
    chosen = {item.removeprefix("MedicationRequest/") for item in selections}
    orders = resources(drafts, MedicationRequest, "context.draftOrders") or ()
    check_same_patient(orders, patient_id, "context.draftOrders")
    found: list[Subject] = []
    for order in [item for item in orders if item.id in chosen][:MAX_ORDERS]:
        said, topic = _medicine(order)
        drugs = drug_names(said)
        if not drugs:
            continue
        reasons = tuple(Condition(code=reason) for reason in order.reason_code) or patient.conditions
        named = _first_names(reasons, name_of)
        words, wanted = " ".join(drugs), wordings(drugs)
        for condition in named:
            reason = f"order of {words}, and {condition}"
            found.append(Subject(f"{words} for {condition}", reason, topic, condition, wanted))
        if not named:
            found.append(Subject(words, f"order of {words}", topic, None, wanted))
    return tuple(found)


def condition_name(code: CodeableConcept, name_of: NameOfCode) -> str | None:
    """How a problem is called: in the clinician's words, else in those of a code, without what is for coders only."""
    displays = [item.display for system in (SNOMED, *ICD10) for item in code.coding if item.system == system]
    others = [item.display for item in code.coding]
    said = next((name for name in (code.text, *displays, *others) if name and name.strip()), None)
    if said is None:
        said = next(
            filter(None, (name_of(item.code) for item in code.coding if item.system in ICD10 and item.code)), ""
        )
    name = plain(_FOR_CODERS.sub("", plain(said)))
    return name[:MAX_NAME_CHARS].strip(" ,") or None


def drug_names(said: str) -> tuple[str, ...]:
    """Names of what is in a medicine, without strengths, forms and salts.

    "Amoxicillin 120 MG/ML / clavulanate potassium 8.58 MG/ML Oral Suspension" -> amoxicillin, clavulanate.
    """
    bare = _STRENGTH.sub(" ", re.sub(r"\[[^\]]*\]", " ", plain(said)))
    # After a comma stands what kind of it: "nitrofurantoin, macrocrystals / nitrofurantoin, monohydrate".
    parts = " ".join(part.partition(",")[0] for part in bare.split("/"))
    words = (word.casefold() for word in re.findall(r"[^\W\d_][\w'-]{2,}", parts))
    return tuple(dict.fromkeys(word for word in words if word not in _FORMS))[:4]


def wordings(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Ways to name a medicine, each as words that must all stand there: acetaminophen is paracetamol, too."""
    said = " ".join(names)
    found = [names]
    for item in expansions(said):
        other = tuple(item.words.casefold().split())
        rest = tuple(f"{said[: item.start]} {said[item.end :]}".split())
        found.append((*rest, *other))
    return tuple(found)


def _first_names(conditions: Iterable[Condition], name_of: NameOfCode) -> tuple[str, ...]:
    """The names of the first `MAX_CONDITIONS` problems that have one, each once."""
    found: dict[str, None] = {}
    for condition in conditions:
        if len(found) == MAX_CONDITIONS:
            break
        if name := condition_name(condition.code, name_of):
            found[name] = None
    return tuple(found)


def _medicine(order: MedicationRequest) -> tuple[str, Coding | None]:
    concept = order.medication_codeable_concept
    if concept is None:
        return (order.medication_reference.display or "" if order.medication_reference else ""), None
    displays = [item.display for item in concept.coding if item.display]
    return concept.text or next(iter(displays), ""), _topic(concept, RXNORM)


def _topic(code: CodeableConcept, *systems: str) -> Coding | None:
    """Its first code in one of the systems; in the order of the systems."""
    return next((item for system in systems for item in code.coding if item.system == system and item.code), None)
