"""Units as clinicians write them, for the number checker alone: each spelling's dimension and its size in it.

Written for `eval.answers` and shared with nothing: a checker that used the gate's table would share its mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple


class Unit(NamedTuple):
    """What a spelling measures, and how many of the dimension's own unit it is."""

    dimension: str
    size: Fraction


#: By dimension: spellings with their size. "month" is apart from "time": months differ in length.
_SIZES: dict[str, dict[str, str]] = {
    "mass": {
        "ng nanogram nanograms": "1/1000",
        "mcg μg ug microgram micrograms microgrammes": "1",
        "mg mgs milligram milligrams": "1000",
        "g gram grams gm": "1000000",
        "kg kilogram kilograms kilo kilos": "1000000000",
    },
    "volume": {
        "μl microlitre microlitres microliter microliters": "1/1000",
        "ml mls millilitre millilitres milliliter milliliters cc": "1",
        "dl decilitre decilitres deciliter deciliters": "100",
        "l litre litres liter liters": "1000",
    },
    "time": {
        "s sec secs second seconds": "1",
        "min mins minute minutes": "60",
        "h hr hrs hour hours hourly": "3600",
        "day days daily": "86400",
        "wk wks week weeks weekly": "604800",
        "fortnight fortnights fortnightly": "1209600",
    },
    "month": {"month months monthly": "1", "yr yrs year years yearly annually": "12"},
    "amount": {
        "pmol": "1/1000000000",
        "nmol": "1/1000000",
        "μmol micromol micromoles": "1/1000",
        "mmol millimol millimoles": "1",
        "mol mole moles": "1000",
    },
    "charge": {"meq": "1"},
    "length": {"mm": "1", "cm centimetre centimetres centimeter centimeters": "10", "m metre metres meter": "1000"},
    "area": {"m2": "1"},
    "pressure": {"mmhg": "1"},
    "kilopascal": {"kpa": "1"},
    "activity": {"u iu unit units": "1", "mu megaunit megaunits": "1000000"},
    "per cent": {"% percent": "1"},
    "celsius": {"°c": "1"},
    "fahrenheit": {"°f": "1"},
    "energy": {"kcal": "1"},
    "grey": {"gy": "1"},
}
#: Things that are counted: the plural and the singular are the same, and no two things are.
_COUNTED = (
    "time times x",
    "dose doses",
    "tablet tablets",
    "capsule capsules",
    "puff puffs",
    "drop drops",
    "spray sprays",
    "sachet sachets",
    "patch patches",
    "ampoule ampoules",
    "vial vials",
    "beat beats",
    "breath breaths",
    "point points",
    "cycle cycles",
    "visit visits",
    "episode episodes",
)


def _spellings() -> Iterator[tuple[str, Unit]]:
    for dimension, sizes in _SIZES.items():
        for spellings, size in sizes.items():
            for spelling in spellings.split():
                yield spelling, Unit(dimension, Fraction(size))
    for spellings in _COUNTED:
        for spelling in spellings.split():
            yield spelling, Unit(f"count of {spellings.split()[0]}", Fraction(1))


UNITS: dict[str, Unit] = dict(_spellings())
#: "twice", "3 times": occasions, not a length of time.
OCCASION = UNITS["times"]
#: How often in a day, as prescriptions say it.
DOSING: dict[str, int] = {"bd": 2, "bid": 2, "tds": 3, "tid": 3, "qds": 4, "qid": 4, "once": 1, "twice": 2, "thrice": 3}
