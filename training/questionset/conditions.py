"""What a document is about, in a clinician's words, and which documents are about the same thing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from retrieval import DocumentId
from retrieval.tokens import tokenise
from training.questionset.library_words import LibraryWords, Located
from training.questionset.terms import terms

#: Words of a condition's name; a longer one is a title, not a name.
MAX_WORDS = 6
#: Two passages with this share of terms in common say the same thing.
NEAR = 0.8

_CUTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\s+In: .*$",
        r"^(?:final recommendation statement:|\d{4} )\s*",
        r"^.*guidelines? for (?:the )?",
        r"^(?:\d{4} )?.*(?:guidelines?|recommendations?|guidance) (?:on|for) (?:the )?",
        r"^(?:the )?(?:screening|assessment|diagnosis|clinical|non-surgical|prevention|control|rehabilitation|"
        r"management|treatment|evaluation|and|,|\s)+ of (?:the )?",
        r"^(?:screening|medications?|interventions?) (?:for|of) (?:the )?",
        r"^(?:managing|management of) (?:(?:acute|chronic) complications of )?",
        r"^(?:health maintenance for|hydroxyurea therapy in the management of|blood transfusion in the management of) ",
        r"^(?:individuals|patients|people|persons|adults)(?: who are)? (?:with|at risk for|infected with) ",
        r"^suspected ",
        r" (?:medical )?(?:diagnosis and )?treatment guidelines?.*$",
        r" (?:policy )?guidelines?\b.*$",
        r"(?: conservative care| in (?:the )?primary care(?: setting)?)\b.*$",
        r" prevention$",
        r" rehabilitation$",
    )
)


def condition_of(located: Located) -> str | None:
    """The condition as it stands in a question ("otitis media"), or None where the title names none."""
    passage, document = located.passage, located.document
    title = passage.section[0] if passage.section else document.title
    for word in terms().not_conditions:
        if word in title.casefold():
            return None
    name = title.strip().rstrip(".")
    for cut in _CUTS[:2]:
        name = cut.sub("", name)
    name = name.split(":")[0]
    for cut in _CUTS[2:]:
        name = cut.sub("", name)
    name = re.sub(r"\s*\([^)]*\)|[\"“”]", "", name).strip(" .,-")
    name = re.sub(r"^(?:the|a|an)\s+", "", name, flags=re.IGNORECASE).split(",")[0]
    name = re.sub(r" in adults(?: and adolescents)?$| screening$", "", name, flags=re.IGNORECASE)
    words = name.split()
    if not 1 <= len(words) <= MAX_WORDS or "/" in name or not core(name):
        return None
    return lowered(name)


def lowered(name: str) -> str:
    """Without capitals, but for names and abbreviations: "Parkinson's disease", "HIV infection"."""
    return _LETTERED.sub(
        lambda match: f"{match[1]} {match[2].upper()}", " ".join(_lower(word) for word in name.split())
    )


_LETTERED = re.compile(r"\b(vitamin|hepatitis|group|type|influenza) ([a-z])\b")


def _lower(word: str) -> str:
    if "-" in word:
        return "-".join(_lower(one) for one in word.split("-"))
    letters = re.sub(r"[^A-Za-z]", "", word)
    if letters[1:] != letters[1:].lower() or any(c.isdigit() for c in word):
        return word.lower() if letters.isupper() and len(letters) > 6 else word  # a heading in capitals
    if "'s" in word or "\u2019s" in word or {word, word.rstrip("s")} & terms().names:
        return word
    return word.lower()


def core(name: str) -> frozenset[str]:
    """The terms that tell a condition from others."""
    generic = _generic()
    return frozenset(term for term in tokenise(name) if term not in generic and len(term) > 1)


def _generic() -> frozenset[str]:
    return frozenset(term for word in terms().generic for term in tokenise(word))


class Clusters:
    """Documents that are about one condition, or hold the same passage, under one name."""

    def __init__(self, words: LibraryWords, names: Mapping[DocumentId, Iterable[frozenset[str]]]) -> None:
        self._parent: dict[DocumentId, DocumentId] = {}
        same: defaultdict[frozenset[str], list[DocumentId]] = defaultdict(list)
        for document, cores in names.items():
            for one in cores:
                same[one].append(document)
        for documents in same.values():
            for document in documents[1:]:
                self._join(documents[0], document)
        self._join_near(words)

    def of(self, document: DocumentId) -> DocumentId:
        """The first document of its cluster."""
        seen = document
        while (up := self._parent.get(seen, seen)) != seen:
            seen = up
        return seen

    def _join(self, one: DocumentId, other: DocumentId) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._parent[second] = first

    def _join_near(self, words: LibraryWords) -> None:
        texts: defaultdict[str, list[tuple[frozenset[str], DocumentId]]] = defaultdict(list)
        for located in words.located:
            if not located.recommends:
                continue
            own = frozenset(tokenise(located.passage.text))
            if len(own) < 8:
                continue
            # The rarest terms of a passage are those of its near copies too, but for one or two.
            rare = sorted(own, key=lambda term: (words.count(term), term))[: max(3, len(own) // 4)]
            for term in rare:
                for other, document in texts[term]:
                    if document != located.document.id and len(own & other) >= NEAR * len(own | other):
                        self._join(document, located.document.id)
                texts[term].append((own, located.document.id))
