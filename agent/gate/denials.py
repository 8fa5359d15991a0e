"""Denials: what a text says no to, and what it only suggests, marked on its tokens.

A "no" reaches to the next turn of the sentence and, before a passive, back to what precedes. It does not reach into
what tells which people are meant ("who ...", "without ..."): that has its own. Linear in the text's length.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.gate.lexicon import Kind, lexicon
from agent.gate.roots import root
from agent.gate.tokens import Token

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
        "ought",
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
_ADJUNCTS = frozenset(["in", "for", "to", "during", "among", "at", "with", "before", "after"])
_NEEDS = frozenset(["needs", "need", "requires", "require", "required", "go", "goes", "managed"])
_SMALL_NOTS = frozenset(
    ["no", "without", "none", "free_of", "outside", "except", "other_than", "rather_than", "instead_of"]
)
_HOW_OFTEN = frozenset(["routinely", "generally", "usually", "normally"])
_STOPPING = frozenset(
    ["discontinuation", "discontinuing", "withdrawing", "withholding", "stopping", "avoiding", "pausing", "excluding"]
)
_VERBS = frozenset(["is", "are", "was", "were", "should", "must", "may", "can"])
_LACKING = frozenset(["without", "free_of", "outside", "other_than"])
_LACK_ENDS = frozenset(["and", "is", "are", "may", "can", "in", "for", "among", "who", "whose", "whom"])
_ACTIVE = frozenset(["should", "must", "can", "may", "do", "does", "will", "would"])
_REFUSED = frozenset(["refused", "denied"])
_RELATIVES = frozenset(["who", "whose", "whom", "which"])
_ADVISING = frozenset(
    ["recommend", "recommends", "recommended", "advise", "advises", "advised", "suggest", "suggests", "suggested"]
)
_ADVISED = frozenset(["recommended", "advised", "suggested", "indicated", "warranted"])


def deny(tokens: list[Token]) -> None:
    """Marks what each "no" is said of: what follows, to the next turn, and before a passive also what precedes."""
    clauses = _relatives(tokens)
    for at, token in enumerate(tokens):
        if token.kind is Kind.NOT or token.kind is Kind.STOP or token.word == "unless":
            if token.word == "nor" and any(t.word in ("neither", "not") for t in tokens[max(0, at - 20) : at]):
                continue
            if token.word == "never" and at + 1 < len(tokens) and tokens[at + 1].form == _SMOKE:
                tokens[at + 1].denials += 1
                continue
            small = token.word in _SMALL_NOTS and not (at and tokens[at - 1].word in _NEEDS)
            passive = not small and (tokens[at - 1].word in _NEEDS or _is_passive(tokens, at))
            before = _before(tokens, at, clauses) if passive else []
            # "A is not recommended for B" says no to A, and of B nothing.
            named = token.kind is Kind.NOT and any(_names(earlier) for earlier in before)
            adjunct = told = False
            lacking = clauses[at] is not None
            said = not lacking and (
                passive or token.kind is Kind.STOP or (not small and at > 0 and tokens[at - 1].word in _PASSIVE)
            )
            for later in _after(tokens, at, small=small, clauses=clauses):
                later.denials += 1
                lacking = lacking and later.word not in _ADJUNCTS
                later.lacking = later.lacking or lacking
                later.advised_against = later.advised_against or said
                # "No A is advised for B", but "no sign of A in B".
                told = told or (token.word == "no" and later.word in _VERBS)
                adjunct = adjunct or (named and (told or not small) and later.word in _ADJUNCTS)
                named = named or _names(later)
                later.loose = adjunct
            for earlier in before:
                earlier.denials += 1
                earlier.advised_against = True
            for earlier in _opening(tokens, before):
                earlier.loose = True


def _relatives(tokens: list[Token]) -> list[range | None]:
    """Where it is told with "who" or "without" of which people: what is said no to is not what they are or lack.

    The clause of each place, None outside.
    """
    found: list[range | None] = [None] * len(tokens)
    at = 0
    while at < len(tokens):
        end = at + 1
        if tokens[at].word in ("who", "whose", "whom"):
            while end < len(tokens) and not _ends_relative(tokens, at, end):
                end += 1
            found[at:end] = [range(at, end)] * (end - at)
        elif tokens[at].word in _LACKING and not (at and tokens[at - 1].word in _NEEDS):
            while end < len(tokens) and not (_ends_relative(tokens, at, end) or tokens[end].word in _LACK_ENDS):
                end += 1
            found[at:end] = [range(at, end)] * (end - at)
        at = end
    return found


def _ends_relative(tokens: list[Token], at: int, end: int) -> bool:
    token = tokens[end]
    if token.form in _STRONG or token.form == "," or token.word in _TURNS or token.word in ("should", "must"):
        return True
    # "... who are A is not recommended": a second verb is not theirs.
    told = [t.word for t in tokens[end + 1 : end + 3] if t.kind is not Kind.NOT]
    return end > at + 1 and token.word in ("is", "are") and bool(told) and told[0] in _ADVISED


def _in_another(clauses: Sequence[range | None], place: int, at: int) -> bool:
    return clauses[place] is not None and clauses[place] != clauses[at]


def _names(token: Token) -> bool:
    return token.kind not in (Kind.FRAME, Kind.MARK, Kind.EVERYDAY)


def _names_at_once(tokens: Sequence[Token]) -> bool:
    """Whether something is named before any "in", "for" or mark."""
    end = next((n for n, t in enumerate(tokens) if t.kind is Kind.MARK or t.word in _ADJUNCTS), len(tokens))
    return any(_names(token) for token in tokens[:end])


def _opening(tokens: list[Token], denied: list[Token]) -> list[Token]:
    """What is denied of an opening "In adults with B, ...": as loosely as "... in adults with B" behind what is."""
    if tokens[0].word not in _ADJUNCTS or tokens[0] is not (denied[-1] if denied else None):
        return []
    end = next((n for n, token in enumerate(tokens) if token.form == ","), 0)
    # "In adults, A should not be given": something else has to be what is denied.
    opening = tokens[:end]
    inside = {id(token) for token in opening}
    return opening if any(_names(token) for token in denied if id(token) not in inside) else []


def _after(tokens: list[Token], at: int, *, small: bool, clauses: Sequence[range | None] | None = None) -> list[Token]:
    found: list[Token] = []
    inside = _inside_lead(tokens, at) or _put_in(tokens, at)
    bracket = 0
    own = clauses[at] if clauses else None
    for place in range(at + 1, min(len(tokens), at + _REACH)):
        token = tokens[place]
        if clauses and _in_another(clauses, place, at):
            continue
        if own is not None and place >= own.stop:
            break
        bracket += {"(": 1, ")": -1}.get(token.form, 0)
        if bracket > 0 or (token.form == ")" and bracket == 0):
            continue
        if token.form in _STRONG or (token.word in _TURNS and tokens[place - 1].word not in ("or", "and")):
            break
        if tokens[at].word in _STOPPING and token.word in _VERBS:
            break  # "Discontinuation of A is advised" says no to A, and not to the advice
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


def _put_in(tokens: list[Token], at: int) -> bool:
    """Whether an exception stands between commas, before the advice: "in adults, unless they have A, B is advised"."""
    if tokens[at].word != "unless" or not at or tokens[at - 1].form != ",":
        return False
    behind = tokens[at + 1 : at + _REACH]
    end = next((n for n, token in enumerate(behind) if token.form == ","), len(behind))
    return any(token.word in _ADVISING or token.word in ("should", "must") for token in behind[end:])


def _inside_lead(tokens: list[Token], at: int) -> bool:
    """Whether a "no" stands in an opening "If ...,", "To avoid ...," or "For ... who ...,", which ends at its comma."""
    if at == 1 and tokens[0].word == "to":
        return True
    verb = False
    for place in range(at - 1, max(-1, at - _REACH), -1):
        word = tokens[place].word
        if word in _LEADS:
            return True
        if tokens[place].form in _STRONG or word == ",":
            return False
        verb = verb or word in _PASSIVE
    # "For those at risk and not on A, ...": no verb is denied there.
    return tokens[at].word == "not" and not verb and tokens[0].word in ("for", "in", "among") and at < _REACH


def _before(tokens: list[Token], at: int, clauses: Sequence[range | None] | None = None) -> list[Token]:
    found: list[Token] = []
    inside = 0
    other = False
    for place in range(at - 1, max(-1, at - _REACH), -1):
        token = tokens[place]
        if clauses and _in_another(clauses, place, at):
            continue
        # "Screening for herpes simplex virus (HSV) infection is not recommended": the bracket is a remark.
        inside += {")": 1, "(": -1}.get(token.form, 0)
        if inside > 0 or (token.form == "(" and inside == 0):
            continue
        if token.form in _STRONG or token.word in _TURNS:
            break
        if token.word in ("and", ",") and tokens[place + 1].word in _SUBJECTS:
            break
        if token.word == "that" and place and tokens[place - 1].word in _ADVISING:
            break
        # "A should be B and should not be C" says no to A being C, and not to B.
        other = (other or (token.word == "and" and tokens[place + 1].word in _VERBS)) and token.word not in _VERBS
        if other:
            continue
        found.append(token)
    return found


def _is_passive(tokens: list[Token], at: int) -> bool:
    token = tokens[at]
    before = tokens[at - 1].word if at else ","
    if token.kind is Kind.STOP:
        if token.word in _REFUSED and _names_at_once(tokens[at + 1 : at + 4]):
            return False  # "smokers should be refused A" says no to A
        if before in _ACTIVE and not token.word.endswith(("ed", "held", "drawn")):
            return False  # "clinicians should stop A"
        return (
            before in _PASSIVE
            or token.word in ("rules_out", "contraindicated", "unnecessary", "unsuitable", "inappropriate")
            or token.word.endswith("ed")
        )
    if before not in _PASSIVE and _after_advice_that(tokens, at):
        return True
    if before not in _PASSIVE or before == "do":
        return False
    if before in ("does", "did") and at + 1 < len(tokens) and tokens[at + 1].word in _ADVISING:
        return False  # "The panel does not recommend A" says no to A
    # "Screening for it in adults is not recommended", but "for adults who are not pregnant".
    follows = [token.word for token in tokens[at + 1 : at + 3] if token.word not in _HOW_OFTEN]
    return (bool(follows) and follows[0] in _ADVISED) or not _inside_lead(tokens, at)


def _after_advice_that(tokens: list[Token], at: int) -> bool:
    """Whether a "not" is that of "it is advised that A not be used", which says no to A as "should not" does."""
    if tokens[at].word != "not" or tokens[at - 1].word in ("and", "or", ","):
        return False  # "that A be used and not be stopped" says no to stopping
    for place in range(at - 1, max(-1, at - _REACH), -1):
        token = tokens[place]
        if token.form in _STRONG or token.word in _TURNS | _RELATIVES or token.kind is Kind.STOP:
            return False
        if token.word == "that":
            return place > 0 and tokens[place - 1].word in _ADVISING and place < at - 1
    return False


def weaken(tokens: list[Token]) -> None:
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
