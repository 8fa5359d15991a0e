"""Turns of phrase that say one thing, each written one way before a text is read.

For what words alone cannot tell alike: the phrase has parts in another order, or a "not" where the other has none.
Sentence and passage pass through the same list, so a phrase is never for one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_COUNTED = (
    "hour|day|week|month|year|minute|second|night|decade|gram|mg|g|kg|litre|ml|unit|drop|puff|"
    "sachet|capsule|third|half|hundred|thousand|million|billion"
)
_EVIDENCE = (
    "(?:(?:the )?(?:current|existing|available|present) )?evidence"
    "(?: (?:at present|available now|available|now|at the moment|to date))?"
)
_TOO_LITTLE = "(?:insufficient|inadequate|not sufficient|not adequate|not enough|too limited|lacking)"
_WEIGHING = "assess|determine|weigh|judge|evaluate|establish|estimate"
_WEIGHED = f"(?:{_WEIGHING})"
_WEIGHED_PAST = "(?:assessed|determined|weighed|judged|evaluated|established|estimated)"
_AS_TOO_LITTLE = (
    rf"(?:(?:because|as|since) (?:(?:the )?{_EVIDENCE} is (?:currently )?{_TOO_LITTLE}|"
    rf"there is (?:currently )?(?:insufficient|inadequate|not enough|too little) {_EVIDENCE})|"
    rf"(?:because of|owing to|due to|given) (?:the )?(?:insufficient|inadequate|a lack of|lack of) {_EVIDENCE})"
)
_ADVISER = "(?:USPSTF|US Preventive Services Task Force|task force|work group|guideline(?: panel)?|panel|committee)"
_UNCERTAIN = "(?:uncertain|unclear|unknown|not known|not clear)"
_EITHER_WAY = "(?:either )?for or against"
_BALANCE = r"(?:the balance (?:of|between) )?(?:the )?benefits (?:and|against|versus) (?:the )?(?:harms|risks) of"
#: What every way of saying so is written as; what it is said of follows.
_CANNOT_BE_WEIGHED = "the current evidence is insufficient to assess the balance of benefits and harms of"
#: What is weighed: words of one clause, so no verb and no mark between clauses.
_MATTER = (
    r"((?:(?!(?<!who )(?<!that )\b(?:is|are|was|were|has|but|while|whereas|although|that of|can|cannot)\b)[^.;:])"
    r"{3,400}?)"
)
_HARMS = "(?:the|its|their) (?:harms|risks)(?! of)"
_OUTWEIGH = rf"whether the benefits of {_MATTER} outweigh {_HARMS}"

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven")
_DAYS = tuple(enumerate(_NUMBERS, start=1))[1:]


def _and_a_half(found: re.Match[str]) -> str:
    return f"{_NUMBERS.index(found[1].casefold()) + 1}.5"


def _said_before_and_after(*ways: str, becomes: str) -> list[tuple[str, str]]:
    """The ways of saying it with the reason, that evidence is insufficient, behind them and before them.

    Without that reason nothing is read so: "no recommendation is made" may have others.
    """
    return [
        (found, rf"{becomes} \1")
        for way in ways
        for found in (rf"{way},? {_AS_TOO_LITTLE}", rf"{_AS_TOO_LITTLE},? {way}")
    ]


_WORDINGS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    ("normal saline", "0.9% sodium chloride"),
    ("international units?", "units"),
    (
        "cannot be (?:assessed|determined|judged) because (?:the )?(?:current |available )?evidence is "
        "(?:insufficient|inadequate)",
        "insufficient to assess",
    ),
    (
        rf"the balance (?:of|between) (?:the )?benefits and (?:the )?(?:harms|risks) of {_MATTER} can(?:not| not) be "
        rf"(?:assessed|determined|judged|weighed) (?:from|on|with|by) {_EVIDENCE}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (
        rf"assessment of the balance (?:of|between) benefits and (?:harms|risks) of {_MATTER} is "
        rf"(?:not possible|impossible) (?:from|on|with|by) {_EVIDENCE}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (
        rf"(?:there is )?(?:not enough|insufficient|inadequate|too little) {_EVIDENCE} to "
        rf"(?:say|tell|know|{_WEIGHING}) {_OUTWEIGH}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (
        rf"{_EVIDENCE} is (?:currently )?{_TOO_LITTLE} to (?:say|tell|know|{_WEIGHING}) {_OUTWEIGH}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (
        rf"{_EVIDENCE} is (?:currently )?{_TOO_LITTLE} to weigh the benefits of {_MATTER} against {_HARMS}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (
        rf"(?:there is )?(?:not enough|insufficient|inadequate|too little) {_EVIDENCE} to weigh the benefits of "
        rf"{_MATTER} against {_HARMS}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (rf"(?:the )?{_EVIDENCE} (?:does|do) not (?:show|tell|establish) {_OUTWEIGH}", rf"{_CANNOT_BE_WEIGHED} \1"),
    (
        rf"{_OUTWEIGH} can(?:not| not) be (?:said|known|{_WEIGHED_PAST}) (?:from|on|with|by|given) "
        rf"(?:the )?{_EVIDENCE}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (
        rf"(?:the )?{_EVIDENCE} (?:does|do) not (?:allow|permit) the balance (?:of|between) benefits and "
        rf"(?:harms|risks) of {_MATTER} to be {_WEIGHED_PAST}",
        rf"{_CANNOT_BE_WEIGHED} \1",
    ),
    (
        rf"(?:the )?{_EVIDENCE} (?:does|do) not (?:allow|permit) (?:an )?(?:assessment|evaluation|estimation) of "
        rf"{_BALANCE}",
        _CANNOT_BE_WEIGHED,
    ),
    *_said_before_and_after(
        rf"(?:it is |it remains )?{_UNCERTAIN} {_OUTWEIGH}",
        rf"(?:(?:the )?{_ADVISER} )?(?:cannot|could not|can not) (?:say|tell|know|{_WEIGHING}) {_OUTWEIGH}",
        rf"(?:(?:the )?{_ADVISER} )?(?:is|was|were) (?:not able|unable) to {_WEIGHED} {_BALANCE} {_MATTER}",
        rf"(?:(?:the )?{_ADVISER} )?(?:cannot|could not|can not) {_WEIGHED} {_BALANCE} {_MATTER}",
        rf"(?:the )?balance (?:of|between) (?:the )?benefits and (?:harms|risks) of {_MATTER} "
        rf"(?:is|remains) {_UNCERTAIN}",
        rf"(?:the )?balance (?:of|between) (?:the )?benefits and (?:harms|risks) of {_MATTER} "
        rf"(?:cannot|can not|could not) be {_WEIGHED_PAST}",
        becomes=_CANNOT_BE_WEIGHED,
    ),
    *_said_before_and_after(
        rf"no recommendation (?:(?:is|was|has been|can be|could be) made )?{_EITHER_WAY} {_MATTER}(?: can be made)?",
        rf"neither a recommendation for nor (?:one )?against {_MATTER} (?:can be|is|was) made",
        rf"(?:the )?{_ADVISER} (?:neither recommends for nor against|recommends neither for nor against|"
        rf"neither recommends nor advises against|(?:makes|made|can make) no recommendation {_EITHER_WAY}|"
        rf"does not recommend {_EITHER_WAY}|does not make a recommendation {_EITHER_WAY}) {_MATTER}",
        becomes="there is insufficient evidence to recommend for or against",
    ),
    (
        rf"(?:there is )?(?:not enough|insufficient|inadequate|too little) {_EVIDENCE} to {_WEIGHED} {_BALANCE}",
        _CANNOT_BE_WEIGHED,
    ),
    (rf"(?:the )?{_EVIDENCE} (?:is )?(?:currently )?{_TOO_LITTLE} to {_WEIGHED} {_BALANCE}", _CANNOT_BE_WEIGHED),
    ("not (?:sufficient|adequate)", "insufficient"),
    # A condition that is said not to matter is none; a universal that the passage has to have too.
    ("whether or not(?! to)|no matter (?:whether|if|how|what)", "regardless"),
    ("either for or against", "for or against"),
    ("no recommendation can be made for or against", "insufficient to recommend for or against"),
    ("can(?:not| not) be (?:used|given|taken) because of (?:a )?contraindications?", "is contraindicated"),
    ("as a single immediate dose|as a single dose at once", "stat"),
    ("nocte", "every night"),
    ("including,? but not limited to,?", "including"),
    ("half an hour", "30 minutes"),
    ("once every", "every"),
    (r"max(?:imum|[.])? duration(?: of treatment)?:? (?=\d)", "no longer than "),
    ("(?:who|that) weighs?", "weighing"),
    ("difficulty (?:in |with )?swallowing|swallowing difficult(?:y|ies)", "dysphagia"),
    (
        "(?:stop|quit|stopping|quitting|giving up|give up) (?:using |the use of )?(tobacco|smoking)(?: use)?"
        "(?! cessation)",
        r"\1 cessation",
    ),
    (r"pap(?:anicolaou)? (?:test(?:ing|s)?|smears?)", "cervical cytology"),
    (r"(\d+) ?(?:1/2|½)(?= hours?| days?| weeks?| tablets?)", r"\1.5"),
    (rf"({'|'.join(_NUMBERS)}) and a half(?= hours?| days?| weeks?| tablets?)", _and_a_half),
    (r"not to be (?:used|given|taken) for more than (?=\d)|for no (?:more|longer) than (?=\d)", "for a maximum of "),
    (r"maximum (?:treatment )?duration (?:of|is) (?=\d)", "no longer than "),
    ("in the event (?:that|of)|in case of", "if"),
    (
        r"(?:up to and including|no older than) (\d+) years (?:of age|old)|no older than (\d+) years",
        r"aged \1\2 years or younger",
    ),
    (
        r"from (?:the age of|age) (\d+)(?: years)?"
        r"(?! ?(?:\d|to|-|–|up to|until|till|through|and|or|weeks?|months?|days?)\b)(?! ?[-–.]\d)",
        r"aged \1 years or older",
    ),
    ("(?:on )?alternate days", "every 2 days"),
    ("every second day", "every 2 days"),
    *((f"{word} days (?:per|a|each) week", f"{n} days a week") for n, word in _DAYS),
    ("at least one", "at least 1"),
    ("T2DM", "type 2 diabetes"),
    ("T1DM", "type 1 diabetes"),
    ("type II", "type 2"),
    ("mgso4", "magnesium sulfate"),
    ("s[pa]o2", "oxygen saturation"),
    (r"pao2", "pao2"),
    ("vitamin b9", "folic acid"),
    ("vitamin b1", "thiamine"),
    ("vitamin b6", "pyridoxine"),
    ("c(?:lostridi(?:um|oides))?[.]? diff(?:icile)?", "clostridioides difficile"),
    (r"(?<=\w) only(?=\s*(?:[.,;:]|$))", ""),
    # "One" before a noun is "a"; of doses it says how many.
    (r"one (?=(?:more )?(?:dose|injection|infusion|tablet)\b)", "a single "),
    (r"one (?=[a-z-]+ (?:dose|injection|infusion)\b)", "a single "),
    (rf"one (?!of|or|to|in|and|time|more|{_COUNTED})(?=[a-z])", "a "),
    ("makes sense", "is reasonable"),
    ("(?:must|should|need)(?: not|n't) be delayed|do not delay|without delay", "promptly"),
    ("stage three|stage 3 of labour|third stage of labour|third stage", "third-stage labour"),
)
_PATTERNS = tuple(
    (
        re.compile(phrase if phrase.startswith("(?<") else rf"\b(?:{phrase})\b", re.IGNORECASE),
        becomes,
        # Most texts have no such word, and these patterns are the slow ones.
        "evidence" in phrase,
    )
    for phrase, becomes in _WORDINGS
)

#: "U.S. Preventive Services": no sentence ends there.
_STATES = re.compile(r"\bU[.] ?S[.](?= [A-Z])")
#: "E. coli": the letter alone is no word.
_GENUS = re.compile(r"\b[A-Z]\. ?(?=[a-z]{4})")
_ION = re.compile(r"\b(K|Na|Ca|Mg)(?:2?\+|²?⁺)")
_IONS = {"K": "potassium", "Na": "sodium", "Ca": "calcium", "Mg": "magnesium"}


def in_one_wording(text: str) -> str:
    """The text with what can be said in several ways said in one."""
    text = _STATES.sub("US", text)
    of_evidence = "evidence" in text.casefold()
    for pattern, becomes, needs_evidence in _PATTERNS:
        if of_evidence or not needs_evidence:
            text = pattern.sub(becomes, text)
    text = _ION.sub(lambda match: _IONS[match[1]], text)
    return _GENUS.sub("", text)
