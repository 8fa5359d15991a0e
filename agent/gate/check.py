"""The gate's check of one sentence against the passages it cites."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from agent.evidence import Evidence, EvidenceBook
from agent.gate.alignment import slip
from agent.gate.binding import misbound
from agent.gate.conditions import dropped_condition
from agent.gate.joining import misjoined
from agent.gate.lexicon import Kind
from agent.gate.matching import Match, match, takes_warning_for_advice
from agent.gate.reading import Token, read
from agent.gate.statements import Statement, statements
from agent.gate.strength import strength_problem
from agent.gate.support import MIN_SUPPORT, SupportScorer
from agent.gate.verdict import Verdict
from agent.gate.verdict import WithheldReason as Why
from agent.sentences import DraftSentence
from retrieval import Passage

__all__ = ["MIN_SUPPORT", "AnswerGate"]

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

_Problems = list[tuple[Why, str]]


class AnswerGate:
    """Checks sentences against the evidence of one run."""

    def __init__(
        self, book: EvidenceBook, min_support: float = MIN_SUPPORT, support: SupportScorer | None = None
    ) -> None:
        """`support` is asked last, and only of what nothing else withholds."""
        self._book = book
        self._min_support = min_support
        self._support = support

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
        best: tuple[_Problems, float] | None = None
        for evidence in cited:
            problems, support = self._problems(sentence.text, tokens, evidence)
            if best is None or len(problems) < len(best[0]):
                best = problems, support
            if not problems:
                break
        problems, support = best or ([], 0.0)
        if problems:
            why, detail = min(problems, key=lambda problem: _ORDER.index(problem[0]))
            return _withheld(sentence, why, detail, support)
        return Verdict(text=sentence.text, keys=sentence.keys, shown=True, support=support)

    def _problems(self, text: str, tokens: Sequence[Token], evidence: Evidence) -> tuple[_Problems, float]:
        """What the passage does not say of the sentence, and how well its words support it."""
        passage = evidence.hit.passage
        parts = statements(passage, evidence.hit.document.title)
        problems, support = _best(tokens, parts)
        if problems and not _runs_along(tokens, parts):
            cut = _cut(tokens)
            if len(cut) > 1:
                each = [_best(part, parts) for part in cut]
                if not any(wrong for wrong, _ in each):
                    problems, support = [], min(held for _, held in each)
        if takes_warning_for_advice(tokens, parts):
            problems = [(Why.NEGATION_DIFFERS, "contraindicated")]
        if not problems and self._support is not None:
            support = min(support, self._support.score(text, passage.text))
        if not problems and support < self._min_support:
            problems = [(Why.SUPPORT_TOO_LOW, f"{support:.2f}")]
        return problems, support


def _best(tokens: Sequence[Token], parts: Sequence[Statement]) -> tuple[_Problems, float]:
    """The problems with the statement that says most of the sentence, and the support it gives."""
    found: list[tuple[_Problems, float, int]] = []
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
            others = (
                slip(tokens, other.tokens)
                for other in parts
                if other is not statement and not other.warning and len(match(tokens, other).problems) <= 1
            )
            problems += [wrong for wrong in others if wrong is not None and wrong[0] in _PUT_IN_PLACE]
        found.append((problems, fit.support, len(fit.pairs)))
    problems, support, _ = min(
        found, key=lambda item: (len(item[0]), -item[2]), default=([(Why.WORDS_NOT_IN_PASSAGE, "all")], 0.0, 0)
    )
    return problems, support


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
