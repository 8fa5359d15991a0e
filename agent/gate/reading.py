"""Reading: a text as the gate compares it, word by word, with what is denied and what is only suggested marked.

Both the sentence and the passage go through the same reading, so a word the gate does not know is at worst a new word.
Linear in the text's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agent.gate.lexicon import Kind, lexicon
from agent.gate.measures import Measure, measures
from agent.gate.roots import root
from agent.gate.wordings import in_one_wording

_PIECE = re.compile(r"[^\W\d_]+(?:[-'’][^\W_]+)*|[^\W_]+|[,;:.()\[\]!?|—]|(?<=\s)[-–](?=\s)|[<>≤≥=%]")
_MARKS = frozenset(",;:.()[]!?|—-–")
#: A comma does not end what is denied, these do.
_STRONG = frozenset(";:.()[]!?|—-–")
_TURNS = frozenset(
    [
        "but",
        "whereas",
        "while",
        "although",
        "though",
        "however",
        "unless",
        "except",
        "if",
        "when",
        "where",
        "until",
        "then",
        "because",
        "owing",
        "due",
        "since",
    ]
)
#: After a comma or "and", one of these opens a new thing to do.
ACTIONS = frozenset(
    (  # noqa: SIM905
        "give offer use start consider prescribe refer treat try add take continue advise measure monitor repeat "
        "review test screen keep admit employ utilise look decide watch ask tell assess initiate commence arrange "
        "send take diagnose stop avoid discontinue withhold explain find protect perform increase reduce recommend "
        "administer seek transfer check ensure aim maintain provide switch only"
    ).split()
)
#: No "no" is said of what stands further off; keeps the reading linear.
_REACH = 60
#: What is said before these is denied too: "A is not recommended".
_PASSIVE = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "should",
        "must",
        "can",
        "may",
        "needs",
        "need",
        "does",
        "do",
        "has",
        "have",
        "will",
        "would",
    ]
)
_LEADS = frozenset(["if", "when", "where", "who", "that", "unless", "because", "although", "while", "whereas"])
_SMOKE = root("smoke")
_SUBJECTS = frozenset(["the", "they", "it", "patient", "patients", "person", "he", "she", "this", "these"])
_ADJUNCTS = frozenset(["in", "for", "to", "during", "among", "at", "with"])
_NEEDS = frozenset(["needs", "need", "requires", "require", "required", "go", "goes", "managed"])
_SMALL_NOTS = frozenset(
    ["no", "without", "none", "free_of", "outside", "except", "other_than", "rather_than", "instead_of"]
)


@dataclass(slots=True)
class Token:
    """A word, a measure or a mark of a text."""

    kind: Kind
    #: What it is compared by.
    form: str
    #: It in the gate's words, before its root is taken.
    word: str
    place: int
    measure: Measure | None = None
    #: A measure that tells how old.
    age: bool = False
    #: "All twice daily": of what was named, and of no more people.
    before_measure: bool = False
    #: Stands in a title or a heading.
    heading: bool = False
    #: Taken over from the part of the sentence before; said nothing of here.
    carried: bool = False
    #: Odd where the text says no to it.
    denials: int = 0
    #: Denied only by standing behind what is: "avoid A in asthma" says no to A, and of asthma nothing.
    loose: bool = False
    weak: bool = False

    @property
    def denied(self) -> bool:
        """Whether what the text says of this word is a no; two denials are a yes."""
        return self.denials % 2 == 1


@dataclass(frozen=True, slots=True)
class Reading:
    """The tokens of a text."""

    text: str
    tokens: list[Token] = field(default_factory=list)


def read(text: str) -> Reading:
    """The reading of a text."""
    known = lexicon()
    plain, placed = measures(known.expand_capitals(in_one_wording(text)))
    tokens: list[Token] = []
    at = 0
    for item in placed:
        tokens += _words(plain[at : item.start], at)
        tokens.append(Token(Kind.MEASURE, "", plain[item.start : item.end], item.start, item.measure))
        at = max(at, item.end)
    tokens += _words(plain[at:], at)
    _tell_ages(tokens)
    _deny(tokens)
    _weaken(tokens)
    return Reading(plain, tokens)


def _words(text: str, offset: int) -> list[Token]:
    known = lexicon()
    pieces: list[tuple[str, int]] = []
    for match in _PIECE.finditer(text):
        word = match[0].replace("’", "'")
        pieces += _split(word, match.start() + offset)
    words = [word for word, _ in pieces]
    tokens: list[Token] = []
    at = 0
    while at < len(words):
        length, forms = known.rewrite(words, at)
        tokens += [_token(form, pieces[at][1]) for form in forms]
        at += length
    return tokens


def _split(word: str, place: int) -> list[tuple[str, int]]:
    """A word with hyphens as one where the lexicon has it so, else as its parts; "non-" stays with its word."""
    known = lexicon()
    if word.endswith("'s") and word not in known.openings:
        word = word[:-2]
    if (
        "-" not in word
        or word == "-"
        or (word,) in known.phrases
        or word in known.directions
        or word in known.stops
        or known.kind(word) is not Kind.WORD
    ):
        return [(word, place)]
    first, *rest = word.split("-")
    if first in ("non", "anti", "co", "pre", "x"):
        return [(f"{first}-{rest[0]}" if rest else first, place), *((part, place) for part in rest[1:])]
    if rest[-1] in ("free", "negative"):
        return [
            ("without" if rest[-1] == "free" else "negative", place),
            *((part, place) for part in (first, *rest[:-1])),
        ]
    return [(part, place) for part in (first, *rest) if part]


def _token(form: str, place: int) -> Token:
    known = lexicon()
    if form in _MARKS:
        return Token(Kind.MARK, form, form, place)
    kind = known.kind(form)
    if kind is Kind.DIRECTION:
        family, member = known.directions[form]
        return Token(kind, f"{family}:{member}", form, place)
    if kind in (Kind.WORD, Kind.EVERYDAY):
        return Token(kind, root(form), form, place)
    return Token(kind, root(form) if kind is Kind.DRUG else form, form, place)


_PEOPLE = frozenset(
    ["those", "people", "patients", "persons", "individuals", "anyone", "everyone", "person", "patient"]
)
_AGED = frozenset(["aged", "age", "ages", "older", "younger"])


def _tell_ages(tokens: list[Token]) -> None:
    for at, token in enumerate(tokens):
        token.before_measure = at + 1 < len(tokens) and tokens[at + 1].measure is not None
        if token.measure is None or token.measure.dimension not in ("months", "minutes", "number"):
            continue
        before = tokens[at - 1] if at else None
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        token.age = (
            (before is not None and (before.word in _AGED or before.kind is Kind.POPULATION or before.word in _PEOPLE))
            or (after is not None and after.word == "old")
            or bool(_AGED & set(token.word.split()))
        )


def _deny(tokens: list[Token]) -> None:
    """Marks what each "no" is said of: what follows, to the next turn, and before a passive also what precedes."""
    for at, token in enumerate(tokens):
        if token.kind is Kind.NOT or token.kind is Kind.STOP or token.word == "unless":
            if token.word == "nor" and any(t.word in ("neither", "not") for t in tokens[max(0, at - 20) : at]):
                continue
            if token.word == "never" and at + 1 < len(tokens) and tokens[at + 1].form == _SMOKE:
                tokens[at + 1].denials += 1
                continue
            small = token.word in _SMALL_NOTS and not (at and tokens[at - 1].word in _NEEDS)
            named = adjunct = False
            for later in _after(tokens, at, small=small):
                later.denials += 1
                adjunct = adjunct or (named and not small and later.word in _ADJUNCTS)
                named = named or later.kind not in (Kind.FRAME, Kind.MARK, Kind.EVERYDAY)
                later.loose = adjunct
            if not small and (tokens[at - 1].word in _NEEDS or _is_passive(tokens, at)):
                for earlier in _before(tokens, at):
                    earlier.denials += 1


def _after(tokens: list[Token], at: int, *, small: bool) -> list[Token]:
    found: list[Token] = []
    inside = _inside_lead(tokens, at)
    for place in range(at + 1, min(len(tokens), at + _REACH)):
        token = tokens[place]
        if token.form in _STRONG or (token.word in _TURNS and tokens[place - 1].word not in ("or", "and")):
            break
        if small and token.form in (",", "and"):
            break
        if inside and token.form == ",":
            break
        follows = tokens[place - 1].word in (",", "and", "or")
        if follows and (token.word in ACTIONS or token.kind is Kind.STOP):
            break
        if follows and any(other.kind is Kind.NOT for other in tokens[place : place + 2]):
            break  # "do not give A and do not give B" denies each once
        found.append(token)
    return found


def _inside_lead(tokens: list[Token], at: int) -> bool:
    """Whether a "no" stands in an opening "If ...,", "To avoid ...," or "For ... who ...,", which ends at its comma."""
    if at == 1 and tokens[0].word == "to":
        return True
    for place in range(at - 1, max(-1, at - _REACH), -1):
        word = tokens[place].word
        if word in _LEADS:
            return True
        if tokens[place].form in _STRONG or word == ",":
            return False
    return False


def _before(tokens: list[Token], at: int) -> list[Token]:
    found: list[Token] = []
    for place in range(at - 1, max(-1, at - _REACH), -1):
        token = tokens[place]
        if token.form in _STRONG or token.word in _TURNS:
            break
        if token.word in ("and", ",") and tokens[place + 1].word in _SUBJECTS:
            break
        found.append(token)
    return found


_HOW_OFTEN = frozenset(["routinely", "generally", "usually", "normally"])
_ADVISED = frozenset(["recommended", "advised", "suggested", "indicated", "warranted"])


def _is_passive(tokens: list[Token], at: int) -> bool:
    token = tokens[at]
    before = tokens[at - 1].word if at else ","
    if token.kind is Kind.STOP:
        return (
            before in _PASSIVE
            or token.word in ("rules_out", "contraindicated", "unnecessary", "unsuitable", "inappropriate")
            or token.word.endswith("ed")
        )
    if before not in _PASSIVE or before == "do":
        return False
    # "Screening for it in adults is not recommended", but "for adults who are not pregnant".
    follows = [token.word for token in tokens[at + 1 : at + 3] if token.word not in _HOW_OFTEN]
    return (bool(follows) and follows[0] in _ADVISED) or not _inside_lead(tokens, at)


def _weaken(tokens: list[Token]) -> None:
    """Marks what is only suggested: the clause around "may" and "suggest", what follows "consider"."""
    known = lexicon()
    for at, token in enumerate(tokens):
        if token.word in known.weak and token.word not in ("choice", "option", "options", "alternative"):
            token.weak = True
            for later in _after(tokens, at, small=False):
                later.weak = True
            if at and tokens[at - 1].word not in (",", "and") and token.word not in ("consider",):
                for earlier in _before(tokens, at):
                    earlier.weak = True
