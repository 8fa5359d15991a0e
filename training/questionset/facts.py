"""Facts: what a question can ask of the library with the passages that answer it for certain."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from retrieval import DocumentId, PassageId, PassageKind
from retrieval.sentences import sentence_spans
from retrieval.tokens import tokenise
from training.questionset.conditions import Clusters, condition_of, core, lowered
from training.questionset.library_words import LibraryWords, Located
from training.questionset.phrases import Phrase, PhraseKind, Says, has_cue, neighbours, phrases_of
from training.questionset.terms import terms

#: A question that more passages answer is too broad to have a certain gold.
MAX_GOLD = 4
_MIN_WORDS, _MAX_WORDS = 4, 120
#: Times two words stand together in the library to be one name.
_COMMON_PAIR = 4

_BROKEN = re.compile(
    r"\(part \d+ of \d+|\bet al\b|https?:|\bdoi\b|[|\t]|\.{4,}|original guideline document|^(?:table|figure|"
    r"box|topic|note|remarks?|appendix)\b",
    re.IGNORECASE,
)
_CHILD = re.compile(
    r"\b(?:child|infant|neonat|newborn|bab(?:y|ies)|adolescen|paediatric|pediatric|toddler|boys?\b|girls?\b|school)",
    re.I,
)
#: A passage that says what holds in children, or in pregnancy, rather than naming them.
FOR_CHILDREN = re.compile(
    r"\bChild(?:ren)?\b\s*[:\-–]|\b(?:in|for) (?:a |an )?(?:child|children|infants)\b|\bchildren (?:should|"
    r"aged|under|over)",
    re.I,
)
FOR_PREGNANCY = re.compile(
    r"(?<!including )\b(?:in|during) pregnan|(?<!non-)(?<!including )pregnant (?:wom[ae]n|person|people|patient)", re.I
)
_PREGNANT = re.compile(
    r"\b(?:pregnan|antenatal|prenatal|gestation|labou?r\b|postpartum|breast-?feeding|obstetric|eclampsia|deliver)", re.I
)
_OF_A_SEX = re.compile(
    r"\b(?:prostat|cervi|ovar|uter|vagin|breast|testic|testis|penile|penis|erectile|menstru|menorrh|"
    r"menopaus|endometri|gyn|wom[ae]n|men\b|female|"
    r"male\b|matern|hypospad|orchit|bph\b|semen|sperm|vulv|contracept|pelvic inflammatory|fibroid|abortion|"
    r"midwi|eld|older|"
    r"aged?\b|newborn|birth|acne|puber)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to ask, and what answers it."""

    #: Name of the wordings that ask it, see frames.yaml.
    asks: str
    condition: str
    gold: tuple[PassageId, ...]
    #: The clusters' first document; what is asked of one cluster stays in one part.
    cluster: str
    source: str
    licence: str
    origin: str
    phrase: str = ""
    population: str = ""
    #: Other names of the condition.
    other_names: tuple[str, ...] = ()
    says: frozenset[Says] = field(default_factory=frozenset)
    #: Whether it holds for an adult of either sex, so that a case may be described.
    any_adult: bool = False
    child: bool = False
    pregnant: bool = False

    @property
    def key(self) -> str:
        """What it asks, whatever the wording."""
        return "|".join((self.asks, self.condition, self.phrase, self.population)).casefold()


class FactFinder:
    """Finds the facts of a library."""

    def __init__(self, words: LibraryWords) -> None:
        self._words = words
        self.conditions: dict[int, str] = {}
        cores: defaultdict[DocumentId, set[frozenset[str]]] = defaultdict(set)
        for number, located in enumerate(words.located):
            if located.document.source != "guidelines" or not words.current(number):
                continue
            if (name := condition_of(located)) is not None:
                self.conditions[number] = name
                cores[located.document.id].add(core(name))
        for located in words.located:
            if located.document.source == "patient_information" and located.passage.section:
                cores[located.document.id].add(core(located.passage.section[0]))
        self.clusters = Clusters(words, cores)
        self.condition_cores = frozenset(one for of in cores.values() for one in of)
        pairs: Counter[tuple[str, str]] = Counter()
        for located in words.located:
            if located.document.source == "guidelines":
                pairs.update(neighbours(located.passage.text))
        self._common = frozenset(pair for pair, count in pairs.items() if count >= _COMMON_PAIR)
        self._about: dict[int, frozenset[frozenset[str]]] = {}

    def recommendation_facts(self) -> Iterator[Fact]:
        """What recommendations say of drugs, tests, procedures and vaccines."""
        for number in self.conditions:
            located = self._words.located[number]
            if not located.recommends or not sound(located):
                continue
            found = list(phrases_of(located.passage.text, self._common))
            for phrase in found:
                yield from self._of_phrase(number, located, phrase)

    def _of_phrase(self, number: int, located: Located, phrase: Phrase) -> Iterator[Fact]:
        condition = self.conditions[number]
        about = core(condition)
        if phrase.terms <= about | core(" ".join(located.passage.section[:1])):
            return
        if not _is_about(located, phrase):
            return
        gold = self._gold(number, about, phrase.terms, lambda other: self._is_asked_of(other, phrase))
        if gold is None:
            return
        text = f"{located.passage.text} {located.passage.population or ''} {condition}"
        base = {
            "condition": condition,
            "gold": gold,
            "phrase": _plural(phrase),
            "other_names": _names(located),
            "says": phrase.says,
            "child": bool(_CHILD.search(text)),
            "pregnant": bool(_PREGNANT.search(text)),
            "any_adult": not (_CHILD.search(text) or _PREGNANT.search(text) or _OF_A_SEX.search(text)),
        }
        asks = {
            PhraseKind.DRUG: "drug_plain",
            PhraseKind.DRUG_CLASS: "drug_plain",
            PhraseKind.TEST: "test_plain",
            PhraseKind.PROCEDURE: "procedure_plain",
            PhraseKind.VACCINE: "vaccine_plain",
        }[phrase.kind]
        yield self._fact(asks, located, **base)
        # A dose is asked for only where one passage alone speaks of the drug, or another would give another dose.
        if Says.DOSE in phrase.says and len(gold) == 1:
            yield self._fact("drug_dose", located, **base)
        if Says.DURATION in phrase.says and len(gold) == 1:
            yield self._fact("drug_duration", located, **base)
        if Says.INTERVAL in phrase.says and len(gold) == 1:
            yield self._fact("interval", located, **base)
        if Says.CONTRAINDICATED in phrase.says and len(gold) == 1:
            yield self._fact("drug_contraindicated", located, **base)

    def screening_facts(self) -> Iterator[Fact]:
        """Who is to be screened, from recommendations that name a population."""
        for number, condition in self.conditions.items():
            located = self._words.located[number]
            text = located.passage.text
            if not located.recommends or not sound(located) or not re.search(r"\bscreen", text, re.I):
                continue
            match = _SCREENED.search(text)
            if match is None:
                continue
            population = _tidy_population(match[1])
            wanted = frozenset(tokenise(population))
            if len(wanted) < 2 or len(population.split()) > 16 or _NO_POPULATION.search(population):
                continue
            gold = self._gold(number, core(condition), wanted | frozenset(tokenise("screening")))
            if gold is None:
                continue
            yield self._fact(
                "screening_population",
                located,
                condition=re.sub(r"\s+in .*$", "", condition),
                gold=gold,
                population=population,
                phrase="screening",
                other_names=_names(located),
            )

    def heading_facts(self) -> Iterator[Fact]:
        """What stands under a heading that names the treatment of a condition."""
        sections: defaultdict[tuple[DocumentId, tuple[str, ...]], list[int]] = defaultdict(list)
        for number in self.conditions:
            passage = self._words.located[number].passage
            if len(passage.section) == 2:
                sections[(passage.document_id, passage.section)].append(number)
        for (_, section), numbers in sections.items():
            asks = _HEADINGS.get(section[-1].casefold())
            all_sound = all(sound(self._words.located[number]) for number in numbers)
            if asks is None or len(numbers) > 3 or not all_sound:
                continue
            located = self._words.located[numbers[0]]
            if not located.recommends:
                continue
            condition = self.conditions[numbers[0]]
            # Another document on the condition may treat it otherwise.
            about = {self._words.located[n].document.id for n in self._same_condition(core(condition))}
            if len(about) > 1:
                continue
            gold = tuple(self._words.located[number].passage.id for number in numbers)
            yield self._fact(asks, located, condition=condition, gold=gold, other_names=_names(located))

    def patient_facts(self) -> Iterator[Fact]:
        """What patient information says under its headings, which are questions."""
        sections: defaultdict[tuple[frozenset[str], str], list[int]] = defaultdict(list)
        for number, located in enumerate(self._words.located):
            passage = located.passage
            if located.document.source == "patient_information" and len(passage.section) == 2:
                sections[(core(passage.section[0]), _asked(passage.section[1], passage.section[0]))].append(number)
        for (_, asks), numbers in sections.items():
            if not asks or len(numbers) > 3:
                continue
            located = self._words.located[numbers[0]]
            texts = [self._words.located[number].passage.text for number in numbers]
            if any(_NO_ANSWER.search(text) for text in texts) or len(texts[0].split()) < 12:
                continue
            condition = _patient_condition(located)
            if condition is None:
                continue
            own = core(condition)
            if asks in _CLINICAL and any(one <= own for one in self._guideline_cores):
                continue
            gold = tuple(self._words.located[number].passage.id for number in numbers)
            yield self._fact(asks, located, condition=condition, gold=gold, other_names=_names(located))

    @cached_property
    def _guideline_cores(self) -> frozenset[frozenset[str]]:
        return frozenset(core(name) for name in self.conditions.values())

    def code_facts(self) -> Iterator[Fact]:
        """Codes by what they mean, where one code alone has that meaning."""
        meant: defaultdict[str, list[Located]] = defaultdict(list)
        for located in self._words.codes:
            if (meaning := code_meaning(located)) is not None:
                meant[meaning.casefold()].append(located)
        for same in meant.values():
            meaning = code_meaning(same[0])
            assert meaning is not None
            words = {word.casefold() for word in meaning.split()}
            if (
                len(same) > 1
                or words & terms().code_words
                or not _PLAIN_CODE.fullmatch(meaning)
                or not 2 <= len(meaning.split()) <= 7
            ):
                continue
            yield Fact(
                asks="codes",
                condition=lowered(meaning),
                gold=(same[0].passage.id,),
                cluster=str(same[0].document.id),
                source="codes",
                licence=same[0].document.licence or "unknown",
                origin="codes",
            )

    def _fact(self, asks: str, located: Located, **fields: object) -> Fact:
        return Fact(
            asks=asks,
            cluster=str(self.clusters.of(located.document.id)),
            source=located.document.source,
            licence=located.document.licence or "unknown",
            origin=located.document.id.split("/")[0],
            **fields,  # type: ignore[arg-type]
        )

    def _same_condition(self, about: frozenset[str]) -> set[int]:
        return {
            number
            for number in self._words.holding(about)
            if self._words.located[number].document.source == "guidelines"
            and self._words.located[number].recommends
            and self._words.current(number)
        }

    def _gold(
        self,
        number: int,
        about: frozenset[str],
        asked: frozenset[str],
        about_it: Callable[[int], bool] | None = None,
    ) -> tuple[PassageId, ...] | None:
        """Recommendations of the cluster that hold what is asked; None where too many do, or another cluster's.

        Of those, `about_it` tells which answer, by their index; the passage itself always does.
        """
        cluster = self.clusters.of(self._words.located[number].document.id)
        found: list[int] = []
        elsewhere = 0
        for other in self._same_condition(asked):
            located = self._words.located[other]
            if not about <= self._words.terms(other):
                continue
            if self.clusters.of(located.document.id) == cluster:
                found.append(other)
            else:
                elsewhere += 1
        if not 1 <= len(found) <= MAX_GOLD or elsewhere:
            return None
        if number not in found:
            return None
        answer = [other for other in found if other != number and (about_it is None or about_it(other))]
        return tuple(self._words.located[other].passage.id for other in (number, *sorted(answer)))

    def _is_asked_of(self, number: int, phrase: Phrase) -> bool:
        """Whether a passage says what to do with the phrase."""
        if number not in self._about:
            located = self._words.located[number]
            named = phrases_of(located.passage.text, self._common)
            self._about[number] = frozenset(one.terms for one in named if _is_about(located, one))
        return any(phrase.terms <= one or one <= phrase.terms for one in self._about[number])


_SCREENED = re.compile(
    r"\b(?:screening(?: for [^.;]{3,60}?)?|screened?)\b[^.;]{0,80}?\b(?:in|for)\s+((?:all |asymptomatic |"
    r"nonpregnant |pregnant |sexually active |older |"
    r"young |younger |average-risk |postmenopausal )*(?:adults|women|men|children|adolescents|persons|"
    r"infants|newborns)\b[^.;(]{0,90})",
    re.IGNORECASE,
)
_NO_POPULATION = re.compile(
    r"\b(?:recommend|continue|measur|since|experience|may\b|can\b|identified|prior to|between)", re.IGNORECASE
)
_HEADINGS: Mapping[str, str] = {
    "drug treatment": "drugs_of",
    "non-drug treatment": "measures_of",
    "definitive treatment": "definitive_of",
}
_NO_ANSWER = re.compile(
    r"Human Phenotype Ontology|resources? (?:below|address)|click here|we are not aware|Orphanet|"
    r"This information comes from|these resources|not yet available|"
    r"more information|unfortunately",
    re.IGNORECASE,
)
_CLINICAL = frozenset(
    {"patient_symptoms", "patient_causes", "patient_diagnosis", "patient_outlook", "patient_frequency"}
)
_PLAIN_CODE = re.compile(r"[A-Za-z][A-Za-z' -]+")


def sound(located: Located) -> bool:
    """Whether a passage is a whole statement: not a fragment, a heading, a list of references or debris of a table."""
    text = located.passage.text.strip()
    count = len(text.split())
    if (
        not _MIN_WORDS <= count <= _MAX_WORDS
        or _BROKEN.search(text)
        or text.endswith((":", ",", " and", " the", " of", " or"))
    ):
        return False
    if located.passage.kind is PassageKind.TABLE_ROW:
        return False
    first = text.lstrip("•-–—*▶ \"'“(")[:1]
    return bool(first) and (first.isupper() or first.isdigit())


def code_meaning(located: Located) -> str | None:
    """The meaning of a code that is valid for coding."""
    match = re.search(r"\| Meaning: (.+?) \| Use: valid for coding", located.passage.text)
    return match[1] if match else None


def _is_about(located: Located, phrase: Phrase) -> bool:
    """Whether a passage says what to do with the phrase, rather than naming it on the way."""
    section = located.passage.section
    if len(section) == 2 and "treatment" in section[-1].casefold():
        return True
    if not has_cue(_sentence(located.passage.text, phrase.at)):
        return False
    spans = sentence_spans(located.passage.text)
    return (
        phrase.at <= spans[0][0]
        or phrase.terms <= frozenset(tokenise(" ".join(section[1:])))
        or bool(located.passage.strength or located.document.id.startswith("starter/"))
    )


def _sentence(text: str, at: int) -> str:
    return next((text[start:end] for start, end in sentence_spans(text) if start <= at < end), text)


def _plural(phrase: Phrase) -> str:
    """A class of drugs in the plural: "proton pump inhibitors"."""
    if phrase.kind is not PhraseKind.DRUG_CLASS or phrase.text.endswith("s"):
        return phrase.text
    return f"{phrase.text}s"


def _names(located: Located) -> tuple[str, ...]:
    return tuple(name for name in located.passage.synonyms if 3 <= len(name) <= 50 and "," not in name)[:6]


def _tidy_population(text: str) -> str:
    text = re.split(
        r"\b(?:who (?:do|are|have) not|to prevent|and (?:to|for)|every|with (?:a|the) |using|by |"
        r"is insufficient|are insufficient|has|have been|as\b|at the|or refer|should|is\b)",
        text,
    )[0]
    text = " ".join(text.split()).strip(" ,")
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text


def _asked(heading: str, focus: str) -> str:
    text = heading.casefold().replace(focus.casefold(), "*")
    for pattern, asks in _PATIENT_HEADINGS:
        if pattern.search(text):
            return asks
    return ""


_PATIENT_HEADINGS = tuple(
    (re.compile(pattern), asks)
    for pattern, asks in (
        (r"^what is \(are\) \*", "patient_information"),
        (r"^what are the symptoms of \*", "patient_symptoms"),
        (r"^what causes \*", "patient_causes"),
        (r"^what are the treatments for \*", "patient_treatment"),
        (r"^what is the outlook for \*", "patient_outlook"),
        (r"^is \* inherited", "patient_inheritance"),
        (r"^how many people are affected by \*", "patient_frequency"),
        (r"^what are the genetic changes related to \*", "patient_genetics"),
        (r"^how to diagnose \*", "patient_diagnosis"),
    )
)


def _patient_condition(located: Located) -> str | None:
    name = re.sub(r"\s*\([^)]*\)", "", located.passage.section[0]).strip()
    if not 1 <= len(name.split()) <= 6 or "," in name or ":" in name:
        return None
    return lowered(name) if name[1:2].islower() else name
