"""Where a recommendation plainly does not fit the coded patient: what it states itself, held against the record.

Only what is certain both ways is said: a whole population ("Adults ..."), a stated contraindication, a number. Silence
here means nothing more than that none of these rules found a conflict.
"""

from __future__ import annotations

import re

from retrieval import Passage
from service.cds.patient import CodedPatient

#: "Adults" begin at 16 in some guidelines and at 18 in others.
_NO_ADULT_UNDER = 16
_NO_CHILD_FROM = 18

_YOUNG = re.compile(r"\b(?:child|children|young|adolescents?|infants?|bab(?:y|ies)|newborns?|girls|boys|neonat\w*)\b")
_OLD = re.compile(r"\b(?:adults?|people|patients|persons?|everyone|women|men|individuals|travellers)\b")
_AT_LEAST = re.compile(r"\baged (\d{1,3})(?: years?)? (?:and|or) (?:over|older|above)\b")
_BETWEEN = re.compile(r"\baged (\d{1,3}) to (\d{1,3})\b(?! (?:month|week|day))")
_UNDER = re.compile(r"\b(?:under|younger than) (\d{1,3})\b(?! (?:month|week|day|kg))")
_LEADING = r"^(?:all |asymptomatic |non-pregnant |pregnant |healthy )*"
_WOMEN = re.compile(_LEADING + r"(?:women|girls|woman)\b")
_PREGNANT_ONLY = re.compile(r"(?:all |asymptomatic )*pregnant (?:women|people|adolescents|patients)\b(?! and women\b)")
_MEN = re.compile(_LEADING + r"(?:men|boys)\b")

_PREGNANCY = re.compile(r"^pregnancy\b|\bin pregnancy$|\bin pregnancy and\b", re.IGNORECASE)
_PART_OF_PREGNANCY = re.compile(r"trimester|planned|\bterm\b|\blate\b", re.IGNORECASE)
_ALLERGY = re.compile(
    r"((?:[a-z-]+ or )?[a-z-]+) (?:allergy|hypersensitivity)\b"
    r"|\b(?:allergy|hypersensitivity) to (?:the |an? )?([a-z-]+(?: or [a-z-]+)?)",
    re.IGNORECASE,
)
#: Words that stand there and are no substance.
_NO_SUBSTANCE = frozenset("severe serious known previous vaccine iron topical nasal product class".split())  # noqa: SIM905
_EGFR_BELOW = re.compile(r"\begfr (?:is )?(?:below|under|less than) (\d{1,3})\b", re.IGNORECASE)

#: Classes that contraindications name, by what the names of their substances look like.
_CLASSES = {
    "penicillin": re.compile(r"\w+cillin\b|amoxiclav|augmentin|tazocin|tazobactam"),
    "cephalosporin": re.compile(r"\b(?:cef|ceph)\w+"),
    "macrolide": re.compile(r"\w+thromycin\b"),
    "tetracycline": re.compile(r"\w+cycline\b"),
    "quinolone": re.compile(r"\w+floxacin\b"),
    "fluoroquinolone": re.compile(r"\w+floxacin\b"),
    "rifamycin": re.compile(r"\brifa\w+"),
    "nsaid": re.compile(r"\bnsaids?\b|non-?steroidal|ibuprofen|naproxen|diclofenac|ketorolac|indomethacin|indometacin"),
    "aspirin": re.compile(r"acetylsalicylic"),
}


def conflicts(passage: Passage, patient: CodedPatient) -> tuple[str, ...]:
    """Sentences on what in the record is against this recommendation; none where nothing certain was found."""
    population = (passage.population or "").casefold()
    said = [*_by_age(population, patient), *_by_sex(population, patient)]
    if patient.pregnant and re.match(r"non-pregnant|.*(?:^|[,;] )not pregnant", population):
        said.append("Pregnancy is recorded. This recommendation is for people who are not pregnant.")
    if not patient.pregnant and _PREGNANT_ONLY.match(population):
        said.append("Pregnancy is not recorded. This recommendation is for pregnancy.")
    for stated in passage.contraindications:
        said += [f"{recorded} Stated contraindication: {stated.rstrip('.')}." for recorded in _against(stated, patient)]
    return tuple(dict.fromkeys(said))


def _by_age(population: str, patient: CodedPatient) -> list[str]:
    if patient.age is None:
        return []
    least, most = patient.age
    # Beyond the first comma stand inclusions and other groups.
    group = re.split(r"[,;(]", population, maxsplit=1)[0]
    young, old = bool(_YOUNG.search(group)), bool(_OLD.search(group))
    ages = [*_AT_LEAST.findall(group), *_BETWEEN.findall(group), *_UNDER.findall(group)]
    # "Adults aged 60 and over, and adults with diabetes": the age is not everybody's.
    whole = len(ages) == 1 and not (young and old) and not re.search(r"[,;] (?:and|or) ", population)
    bounds = _bounds(group) if whole else None
    if bounds is None and not ages and "any age" not in population:
        if re.match(r"(?:non-pregnant )?adults?\b", group) and not _YOUNG.search(population):
            bounds = (_NO_ADULT_UNDER, 200)
        elif young and not old and not _OLD.search(population):
            bounds = (0, _NO_CHILD_FROM - 1)
    if bounds is None or (least <= bounds[1] and most >= bounds[0]):
        return []
    years = str(least) if least == most else f"{least} to {most}"
    return [f"Age {years} is recorded. This recommendation is for another age group."]


def _bounds(group: str) -> tuple[int, int] | None:
    if match := _AT_LEAST.search(group):
        return int(match[1]), 200
    if match := _BETWEEN.search(group):
        return int(match[1]), int(match[2])
    if match := _UNDER.search(group):
        return 0, int(match[1]) - 1
    return None


def _by_sex(population: str, patient: CodedPatient) -> list[str]:
    group = re.split(r"[,;(]", population, maxsplit=1)[0]
    other = bool(re.search(r"\b(?:people|adults|children|everyone)\b", population))
    if patient.sex == "male" and _WOMEN.match(group) and not other and not re.search(r"\bmen\b", population):
        return ["Male sex is recorded. This recommendation is for women."]
    if patient.sex == "female" and _MEN.match(group) and not other and not re.search(r"\bwomen\b", population):
        return ["Female sex is recorded. This recommendation is for men."]
    return []


def _against(stated: str, patient: CodedPatient) -> list[str]:
    """What is recorded that this contraindication names."""
    found = []
    if patient.pregnant and _PREGNANCY.search(stated) and not _PART_OF_PREGNANCY.search(stated):
        found.append("Pregnancy is recorded.")
    for first, second in _ALLERGY.findall(stated):
        for substance in (first or second).casefold().split(" or "):
            found += [
                f"An allergy is recorded: {name}."
                for name in patient.allergies or ()
                if substance not in _NO_SUBSTANCE and _is_of(name.casefold(), substance)
            ]
    if patient.egfr is not None and (match := _EGFR_BELOW.search(stated)) and patient.egfr.value < int(match[1]):
        on = f" on {patient.egfr.on}" if patient.egfr.on else ""
        found.append(f"An eGFR of {patient.egfr.value:g} is recorded{on}.")
    return list(dict.fromkeys(found))


def _is_of(allergen: str, substance: str) -> bool:
    """Whether the allergen is that substance, or one of that class."""
    singular = substance.removesuffix("s")
    named = re.search(rf"\b{re.escape(singular)}s?\b", allergen)
    kind = _CLASSES.get(singular)
    return bool(named) or (kind is not None and bool(kind.search(allergen)))
