"""The gate's check of one sentence against the passages it cites."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from agent.errors import EntailmentError
from agent.evidence import Evidence, EvidenceBook
from agent.gate.alignment import slip
from agent.gate.binding import misbound
from agent.gate.conditions import dropped_condition
from agent.gate.entailment import Decision, EntailmentScorer, premise
from agent.gate.grades import without_grade
from agent.gate.joining import misjoined
from agent.gate.lexicon import Kind
from agent.gate.matching import Match, match, takes_warning_for_advice
from agent.gate.reading import read
from agent.gate.statements import Statement, statements
from agent.gate.strength import strength_problem
from agent.gate.support import MIN_SUPPORT, SupportScorer
from agent.gate.tokens import Token
from agent.gate.verdict import Verdict
from agent.gate.verdict import WithheldReason as Why
from agent.sentences import DraftSentence
from retrieval import Passage

__all__ = ["MIN_SUPPORT", "AnswerGate", "SecondOpinion"]

#: Told first where several are wrong: what harms most.
_ORDER = (
    Why.NUMBER_NOT_IN_PASSAGE,
    Why.DRUG_NOT_IN_PASSAGE,
    Why.ROUTE_DIFFERS,
    Why.POPULATION_DIFFERS,
    Why.NEGATION_DIFFERS,
    Why.STRENGTH_DIFFERS,
    Why.CONDITION_DROPPED,
    Why.WORDS_NOT_IN_PASSAGE,
    Why.SUPPORT_TOO_LOW,
)
#: No sentence of an answer is longer; what is longer is shown only word for word. Bounds the work per sentence.
MOST_CHARS = 1200
_SPLITS = frozenset([";", "but", "whereas", "unless", "although"])
#: A sentence of more parts than this restates no two neighbouring statements.
_MOST_PARTS = 4
_BLANK = re.compile(r"\s+")

#: What a slip can put in the place of something else.
_PUT_IN_PLACE = frozenset(
    [Why.NUMBER_NOT_IN_PASSAGE, Why.DRUG_NOT_IN_PASSAGE, Why.ROUTE_DIFFERS, Why.POPULATION_DIFFERS]
)
#: What can be wrong of a sentence all of whose words and numbers a statement has.
_ABOUT_IT = frozenset([Why.NEGATION_DIFFERS, Why.STRENGTH_DIFFERS, Why.CONDITION_DROPPED])

#: What is the sole objection of the statement that a sentence turns round, says more or less firmly, or of which it
#: drops a condition.
_TURNING = ({Why.NEGATION_DIFFERS}, {Why.CONDITION_DROPPED}, {Why.STRENGTH_DIFFERS})

#: Statements that a scorer is asked about, those that say most of the sentence; bounds the time of a check.
_MOST_ASKED = 4

_Problems = list[tuple[Why, str]]


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """A scorer, and which of the rules' objections it may overrule."""

    scorer: EntailmentScorer
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one statement does not say of a sentence."""

    statement: Statement
    problems: _Problems
    support: float
    #: Words of the sentence that it says.
    held: int
    #: Whether it lacks some that the title or statements before it have.
    leans: bool = False


_NOTHING = _Judged(Statement("", "", (), {}, frozenset(), frozenset(), ()), [(Why.WORDS_NOT_IN_PASSAGE, "all")], 0.0, 0)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the passage does not say of a sentence, and how well its words support it."""

    problems: _Problems
    support: float
    #: The objections that a scorer overruled, for the log.
    overruled: str | None = None


class AnswerGate:
    """Checks sentences against the evidence of one run."""

    def __init__(
        self,
        book: EvidenceBook,
        min_support: float = MIN_SUPPORT,
        support: SupportScorer | None = None,
        entailment: SecondOpinion | None = None,
    ) -> None:
        """Prepare to check.

        Args:
            book: the evidence of the run.
            min_support: least support with which a sentence is shown.
            support: asked last, and only of what nothing else withholds.
            entailment: may overrule the objections that its decision names.
        """
        self._book = book
        self._min_support = min_support
        self._support = support
        self._entailment = entailment

    def check(self, sentence: DraftSentence) -> Verdict:
        """The verdict on one sentence."""
        if not sentence.keys:
            return _withheld(sentence, Why.NO_CITATION)
        cited: list[Evidence] = []
        for key in sentence.keys:
            evidence = self._book.resolve(key)
            if evidence is None:
                return _withheld(sentence, Why.UNKNOWN_KEY, f"key {key}")
            cited.append(evidence)
        if any(_quotes(sentence.text, evidence.hit.passage) for evidence in cited):
            return Verdict(text=sentence.text, keys=sentence.keys, shown=True, support=1.0)
        if len(sentence.text) > MOST_CHARS:
            return _withheld(sentence, Why.SUPPORT_TOO_LOW, "too long")
        tokens = read(sentence.text).tokens
        best: _Found | None = None
        for evidence in cited:
            found = self._found(sentence.text, tokens, evidence)
            if best is None or len(found.problems) < len(best.problems):
                best = found
            if not found.problems:
                break
        best = best or _Found([], 0.0)
        if best.problems:
            why, detail = min(best.problems, key=lambda problem: _ORDER.index(problem[0]))
            return _withheld(sentence, why, detail, best.support)
        return Verdict(text=sentence.text, keys=sentence.keys, shown=True, support=best.support, detail=best.overruled)

    def objections(self, text: str, key: str) -> list[tuple[Why, str]]:
        """What the rules have against a sentence beside the evidence of a key, a scorer left out.

        Raises:
            KeyError: the key is not of this run.
        """
        evidence = self._book.resolve(key)
        if evidence is None:
            raise KeyError(key)
        return AnswerGate(self._book, self._min_support)._found(text, read(text).tokens, evidence).problems

    def _found(self, text: str, tokens: Sequence[Token], evidence: Evidence) -> _Found:
        """What the passage does not say of the sentence, and how well its words support it."""
        passage, title = evidence.hit.passage, evidence.hit.document.title
        bare, other = without_grade(text, passage)
        if other is not None:
            return _Found([(Why.STRENGTH_DIFFERS, other)], 0.0)
        if bare != text:
            text, tokens = bare, read(bare).tokens
        parts = statements(passage, title)
        judged = _judged(tokens, parts)
        problems, support = judged[0].problems, judged[0].support
        if problems and not _runs_along(tokens, parts):
            cut = _cut(tokens)
            if len(cut) > 1:
                each = [_best(part, parts) for part in cut]
                if not any(wrong for wrong, _ in each):
                    problems, support = [], min(held for _, held in each)
        if takes_warning_for_advice(tokens, parts):
            problems = [(Why.NEGATION_DIFFERS, "contraindicated")]
        elif problems and self._entailment is not None:
            found = _overruled(text, title, tokens, judged, self._entailment)
            if found is not None:
                return found
        if not problems and self._support is not None:
            support = min(support, self._support.score(text, passage.text))
        if not problems and support < self._min_support:
            problems = [(Why.SUPPORT_TOO_LOW, f"{support:.2f}")]
        return _Found(problems, support)


def _overruled(
    text: str, title: str, tokens: Sequence[Token], judged: Sequence[_Judged], opinion: SecondOpinion
) -> _Found | None:
    """No problems, where the scorer is sure that a statement says the sentence; else None."""
    asked = [
        (one, needed)
        for one in judged[:_MOST_ASKED]
        if not one.statement.warning
        and (needed := opinion.decision.needed([why for why, _ in one.problems])) is not None
        # What words alone speak against was not compared in place yet.
        and ((wrong := slip(tokens, one.statement.tokens)) is None or opinion.decision.needed([wrong[0]]) is not None)
    ]
    try:
        scores = opinion.scorer.score(
            text, [premise(title, one.statement.before, one.statement.text) for one, _ in asked]
        )
    except EntailmentError:
        return None  # the rules stand
    for (one, needed), score in zip(asked, scores, strict=True):
        if score >= needed:
            reasons = sorted({why.value for why, _ in one.problems})
            return _Found([], one.support, f"{', '.join(reasons)} overruled ({score:.2f})")
    return None


def _best(tokens: Sequence[Token], parts: Sequence[Statement]) -> tuple[_Problems, float]:
    """The problems with the statement that says most of the sentence, and the support it gives."""
    first = _judged(tokens, parts)[0]
    return first.problems, first.support


def _judged(tokens: Sequence[Token], parts: Sequence[Statement]) -> list[_Judged]:
    """What each statement does not say of the sentence; those that say most of it first, at least one."""
    found: list[_Judged] = []
    for statement in parts:
        fit = match(tokens, statement)
        problems = fit.problems + _of_the_whole(tokens, fit)
        if not fit.pairs:
            problems.append((Why.WORDS_NOT_IN_PASSAGE, "all"))
        if sum(not fit.of_heading(token) for token in fit.borrowed) * 2 > len(fit.pairs) + 1:
            problems.append((Why.WORDS_NOT_IN_PASSAGE, fit.borrowed[0].word))
        if not problems and not statement.warning and (wrong := slip(tokens, statement.tokens)) is not None:
            problems.append(wrong)
        if not problems and any(not fit.of_heading(token) for token in fit.borrowed):
            # What leans on other statements may be one of them with something else in the place of a name or number.
            for other in parts:
                if other is statement or other.warning or len((near := match(tokens, other)).problems) > 1:
                    continue
                wrong = slip(tokens, other.tokens)
                if wrong is not None and (wrong[0] in _PUT_IN_PLACE or len(near.pairs) > len(fit.pairs)):
                    problems.append(wrong)
        found.append(_Judged(statement, problems, fit.support, len(fit.pairs), bool(fit.borrowed)))
    for one in found:
        if not one.problems and one.leans and (turned := _turned_round(one, found)) is not None:
            one.problems.append(turned)
    return sorted(found, key=lambda one: (len(one.problems), -one.held)) or [_NOTHING]


def _turned_round(leaning: _Judged, all_of_them: Sequence[_Judged]) -> tuple[Why, str] | None:
    """The objection of a statement that says more of a sentence, and all of it but its "no" or its condition.

    "Do not offer A to B" is "offer A to B" turned round, even where the next statement has a "no" and goes on from A.
    """
    for other in all_of_them:
        whys = {why for why, _ in other.problems}
        if other.held > leaning.held and whys in _TURNING and not other.statement.warning:
            return other.problems[0]
    return None


def _runs_along(tokens: Sequence[Token], parts: Sequence[Statement]) -> bool:
    """Whether the sentence is one statement's wording with a slip: then it is not two statements put together."""
    for statement in parts:
        wrong = None if statement.warning else slip(tokens, statement.tokens)
        if wrong is not None and (
            wrong[0] in _PUT_IN_PLACE or all(why in _ABOUT_IT for why, _ in match(tokens, statement).problems)
        ):
            return True
    return False


def _of_the_whole(tokens: Sequence[Token], fit: Match) -> _Problems:
    found: _Problems = []
    if (wrong := misbound(tokens, fit)) is not None:
        found.append((Why.NUMBER_NOT_IN_PASSAGE, f"{wrong[0].word} of {wrong[1].word}"))
    if (word := misjoined(tokens, fit.statement.tokens)) is not None:
        found.append((Why.WORDS_NOT_IN_PASSAGE, word))
    if (word := strength_problem(tokens, fit)) is not None:
        found.append((Why.STRENGTH_DIFFERS, word))
    if (word := dropped_condition(tokens, fit)) is not None:
        found.append((Why.CONDITION_DROPPED, word))
    return found


def _cut(tokens: Sequence[Token]) -> list[list[Token]]:
    """The sentence's parts that may restate different statements; a part without a drug takes over the one before."""
    parts: list[list[Token]] = [[]]
    for at, token in enumerate(tokens):
        if token.word in _SPLITS or (token.word == "and" and at and tokens[at - 1].form == ","):
            parts.append([])
        parts[-1].append(token)
    parts = [part for part in parts if any(token.kind not in (Kind.MARK, Kind.FRAME) for token in part)]
    if len(parts) > _MOST_PARTS:
        return []
    for before, part in pairwise(parts):
        if not any(token.kind is Kind.DRUG for token in part):
            part[:0] = [replace(token, carried=True) for token in before if token.kind is Kind.DRUG]
    return parts


def _quotes(text: str, passage: Passage) -> bool:
    """Whether a sentence is one or more whole statements of the passage, or its warnings, word for word."""
    wanted, held = _bare(text), _bare(passage.text)
    if passage.contraindications and wanted == _bare(f"Contraindications: {'; '.join(passage.contraindications)}"):
        return True
    at = held.find(wanted) if wanted else -1
    if at < 0:
        return False
    before, after = held[:at].rstrip(), held[at + len(wanted) :].lstrip()
    return (not before or before[-1] in ".!?•") and (not after or after[0] in ".!?•")


def _bare(text: str) -> str:
    return _BLANK.sub(" ", text).strip().rstrip(".;: ")


def _withheld(sentence: DraftSentence, reason: Why, detail: str | None = None, support: float | None = None) -> Verdict:
    return Verdict(text=sentence.text, keys=sentence.keys, shown=False, reason=reason, detail=detail, support=support)
