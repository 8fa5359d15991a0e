"""Building the three files of questions: facts, parts, wordings, decontamination. Nothing is written here."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from retrieval import PassageId
from training.decontamination import Contamination, Evaluated
from training.questions import QuestionKind, TrainingQuestion
from training.questionset.absent import Absent, absent_conditions, near_misses, new_drugs
from training.questionset.asking import ask
from training.questionset.facts import Fact, FactFinder
from training.questionset.library_words import LibraryWords
from training.questionset.made import Made
from training.questionset.parts import DocumentParts
from training.questionset.terms import PARTS, Part
from training.questionset.turns import follow_ups, multi_hop, no_search, underspecified

#: Shares of the kinds; they add up to 1.
SHARES: Mapping[QuestionKind, float] = {
    QuestionKind.ANSWERABLE: 0.55,
    QuestionKind.UNANSWERABLE: 0.20,
    QuestionKind.MULTI_HOP: 0.05,
    QuestionKind.CONVERSATIONAL: 0.08,
    QuestionKind.UNDERSPECIFIED: 0.06,
    QuestionKind.NO_SEARCH: 0.06,
}
#: Train has more of the kinds that are learnt slowly, and fewer answerable ones, which real and written questions add.
TRAIN_SHARES: Mapping[QuestionKind, float] = {
    QuestionKind.ANSWERABLE: 0.37,
    QuestionKind.UNANSWERABLE: 0.15,
    QuestionKind.MULTI_HOP: 0.15,
    QuestionKind.CONVERSATIONAL: 0.10,
    QuestionKind.UNDERSPECIFIED: 0.14,
    QuestionKind.NO_SEARCH: 0.09,
}
#: Of the answerable: from patient information, from codes, of headings, of screening.
_PATIENT, _CODES, _HEADINGS, _SCREENING = 0.25, 0.03, 0.05, 0.05
#: Of the unanswerable: diseases nothing names, near misses; the rest are drugs nothing names.
_ABSENT, _NEAR = 0.40, 0.42
_PER_PASSAGE = 2
#: Made for each one wanted, so that what decontamination drops is replaced.
_SPARE = 1.35

Count = Mapping[Part, int]


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What is asked for."""

    seed: int = 0
    counts: Count = field(default_factory=lambda: {"train": 900, "dev": 200, "test": 300})
    shares: Mapping[QuestionKind, float] = field(default_factory=lambda: dict(SHARES))
    train_shares: Mapping[QuestionKind, float] = field(default_factory=lambda: dict(TRAIN_SHARES))

    def shares_of(self, part: Part) -> Mapping[QuestionKind, float]:
        """What is asked for of one part."""
        return self.train_shares if part == "train" else self.shares


@dataclass(slots=True)
class Built:
    """The parts, and what is to be reported of them."""

    questions: dict[Part, list[TrainingQuestion]]
    #: Clusters of the facts, by part.
    clusters: dict[Part, int]
    #: Dropped questions by part and by the set they were too near to.
    dropped: dict[str, Counter[str]]
    facts: Counter[str]


def build(
    words: LibraryWords,
    plan: BuildPlan,
    *,
    evaluated: Sequence[Evaluated] = (),
    real: Mapping[Part, Sequence[TrainingQuestion]] | None = None,
    held_for_test: Collection[PassageId] = (),
) -> Built:
    """All questions of the three parts.

    Args:
        evaluated: sets that no question of train or dev may repeat.
        real: real questions by part, in train written ones too; the documents that answer those of test and dev stay
            out of train.
        held_for_test: passages of evaluation sets whose documents stay out of train.
    """
    finder = FactFinder(words)
    facts = _facts(finder)
    documents = DocumentParts(words, finder, real or {}, seed=plan.seed, held_for_test=held_for_test)
    splitting = documents.splitting
    parts: dict[Part, list[Fact]] = {part: [] for part in PARTS}
    for fact in facts:
        parts[splitting.part(fact.cluster)].append(fact)
    absent = _absent(words, finder, facts, plan.seed)
    absent_parts: dict[Part, list[Absent]] = {part: [] for part in PARTS}
    for one in absent:
        absent_parts[splitting.part(one.cluster)].append(one)

    def text_of(id: PassageId) -> str:
        number = words.number(id)
        assert number is not None
        return words.located[number].passage.text

    made: dict[Part, list[TrainingQuestion]] = {}
    dropped: dict[str, Counter[str]] = {}
    asked = [question.question for part in (real or {}) for question in (real or {})[part]]
    taken: set[tuple[str, ...]] = {(text.casefold().strip("?. "),) for text in asked}
    # Test first: train is kept apart from what test and dev ask.
    apart = list(evaluated)
    for part in ("test", "dev", "train"):
        against = Contamination(apart) if part != "test" else None
        dropped[part] = Counter()
        own_real = list((real or {}).get(part, ()))
        chosen: list[TrainingQuestion] = []
        for question in own_real:
            if documents.of_gold(question) - {part}:
                dropped[part]["the gold of another part"] += 1
                continue
            if against is not None and (name := against.of_question(question.question)):
                dropped[part][name] += 1
                continue
            chosen.append(question)
        for kind, share in plan.shares_of(part).items():
            wanted = round(plan.counts[part] * share)
            drawn = random.Random(f"{plan.seed}:{part}:{kind}")  # noqa: S311 - a draw to repeat, not a secret
            candidates = _candidates(kind, parts[part], facts, absent_parts[part], part, wanted, drawn, text_of)
            kept = 0
            for candidate in candidates:
                if kept >= wanted:
                    break
                if candidate.key in taken:
                    continue
                if (
                    against is not None
                    and kind is not QuestionKind.NO_SEARCH
                    and (name := _contaminated(candidate, against))
                ):
                    dropped[part][name] += 1
                    continue
                taken.add(candidate.key)
                kept += 1
                chosen.append(_question(candidate, part))
        random.Random(f"{plan.seed}:{part}").shuffle(chosen)  # noqa: S311
        made[part] = chosen
        if part != "train":
            apart.append(Evaluated(part, [q.question for q in chosen if _stands_alone(q)], ()))
    return Built(
        {part: made[part] for part in PARTS},
        {part: len({fact.cluster for fact in parts[part]}) for part in PARTS},
        dropped,
        Counter(fact.asks for fact in facts),
    )


def overlaps(built: Built, evaluated: Sequence[Evaluated]) -> int:
    """Questions of train and dev that an evaluated set, or a later part, asks too; 0 where the build did its work."""
    apart, found = list(evaluated), 0
    for part in ("test", "dev", "train"):
        own = [question for question in built.questions[part] if _stands_alone(question)]
        if part != "test":
            against = Contamination(apart)
            found += sum(against.of_question(question.question) is not None for question in own)
        apart.append(Evaluated(part, [question.question for question in own], ()))
    return found


def _stands_alone(question: TrainingQuestion) -> bool:
    # "Thanks" and "What dose?" say nothing by themselves; their wordings are kept apart as they stand.
    alone = {QuestionKind.NO_SEARCH, QuestionKind.CONVERSATIONAL, QuestionKind.UNDERSPECIFIED}
    return question.kind not in alone


def _contaminated(made: Made, against: Contamination) -> str | None:
    # A follow-up is a question only with what came before it.
    if made.history or made.kind is QuestionKind.UNDERSPECIFIED:
        return next((name for turn in made.history if (name := against.of_question(turn.question))), None)
    return against.of_question(made.question)


def _facts(finder: FactFinder) -> list[Fact]:
    found: dict[str, Fact] = {}
    for facts in (
        finder.recommendation_facts(),
        finder.screening_facts(),
        finder.heading_facts(),
        finder.patient_facts(),
        finder.code_facts(),
    ):
        for fact in facts:
            found.setdefault(fact.key, fact)
    return list(found.values())


def _absent(words: LibraryWords, finder: FactFinder, facts: Sequence[Fact], seed: int) -> list[Absent]:
    drawn = random.Random(f"{seed}:absent")  # noqa: S311
    return [*absent_conditions(words), *near_misses(words, finder, facts, drawn), *new_drugs(words)]


def _candidates(
    kind: QuestionKind,
    facts: Sequence[Fact],
    everywhere: Sequence[Fact],
    absent: Sequence[Absent],
    part: Part,
    wanted: int,
    drawn: random.Random,
    text_of: Callable[[PassageId], str],
) -> Iterator[Made]:
    if kind is QuestionKind.ANSWERABLE:
        yield from (_made(fact, part, drawn) for fact in _chosen(facts, wanted, drawn))
    elif kind is QuestionKind.UNANSWERABLE:
        yield from (one.ask(part, drawn) for one in _chosen_absent(absent, wanted, drawn))
    else:
        guidelines = [fact for fact in facts if fact.source == "guidelines"]
        if kind is QuestionKind.MULTI_HOP:
            yield from multi_hop(guidelines, part, drawn)
            yield from multi_hop(guidelines, part, drawn)
        elif kind is QuestionKind.CONVERSATIONAL:
            yield from _spread(list(follow_ups(guidelines, part, drawn, text_of)), drawn)
        elif kind is QuestionKind.UNDERSPECIFIED:
            yield from _spread(list(underspecified(guidelines, everywhere, part, drawn)), drawn)
        else:
            yield from no_search(guidelines, part, drawn, text_of, wanted * 4)


def _chosen(facts: Sequence[Fact], wanted: int, drawn: random.Random) -> Iterator[Fact]:
    """Facts in the order they are to be asked: the sorts in their shares, each sort spread over its clusters."""
    sorts: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        sorts[_sort(fact)].append(fact)
    quota = {"patient": _PATIENT, "codes": _CODES, "heading": _HEADINGS, "screening": _SCREENING}
    used: Counter[PassageId] = Counter()
    ordered = {sort: _round_robin(sorts[sort], drawn) for sort in sorted(sorts)}
    taken: list[Fact] = []
    for sort, share in quota.items():
        taken += _within(ordered.get(sort, []), round(wanted * share), used)
    rest = _within(ordered.get("recommendation", []), wanted - len(taken), used)
    yield from taken
    yield from rest
    spent = {fact.key for fact in (*taken, *rest)}
    spare = [
        fact
        for sort in ("recommendation", "screening", "heading", "patient")
        for fact in ordered.get(sort, [])
        if fact.key not in spent
    ]
    yield from spare


def _within(facts: Sequence[Fact], count: int, used: Counter[PassageId]) -> list[Fact]:
    chosen: list[Fact] = []
    for fact in facts:
        if len(chosen) >= count:
            break
        if used[fact.gold[0]] < _PER_PASSAGE:
            used[fact.gold[0]] += 1
            chosen.append(fact)
    return chosen


def _sort(fact: Fact) -> str:
    if fact.source == "patient_information":
        return "patient"
    if fact.asks == "codes":
        return "codes"
    if fact.asks == "screening_population":
        return "screening"
    return "heading" if fact.asks in ("drugs_of", "measures_of", "definitive_of") else "recommendation"


def _round_robin(facts: Sequence[Fact], drawn: random.Random) -> list[Fact]:
    """The facts with those of one cluster far apart; of patient information, the sorts of questions too."""
    groups: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in drawn.sample(facts, len(facts)):
        groups[fact.asks if fact.source == "patient_information" else fact.cluster].append(fact)
    keys = drawn.sample(sorted(groups), len(groups))
    longest = max((len(group) for group in groups.values()), default=0)
    return [groups[key][place] for place in range(longest) for key in keys if place < len(groups[key])]


def _chosen_absent(absent: Sequence[Absent], wanted: int, drawn: random.Random) -> Iterator[Absent]:
    sorts: defaultdict[str, list[Absent]] = defaultdict(list)
    for one in drawn.sample(absent, len(absent)):
        sorts[one.sort].append(one)
    quota = {"absent_condition": round(wanted * _ABSENT), "near_miss": round(wanted * _NEAR)}
    quota["new_drug"] = wanted - sum(quota.values())
    for sort, count in quota.items():
        yield from sorts[sort][:count]
    for sort, count in quota.items():
        yield from sorts[sort][count:]


def _spread(made: Sequence[Made], drawn: random.Random) -> Iterator[Made]:
    """Those of one wording, and of one cluster, far apart."""
    groups: defaultdict[str, list[Made]] = defaultdict(list)
    for one in drawn.sample(made, len(made)):
        groups[one.template.split("/")[0]].append(one)
    longest = max((len(group) for group in groups.values()), default=0)
    yield from (groups[key][place] for place in range(longest) for key in sorted(groups) if place < len(groups[key]))


def _made(fact: Fact, part: Part, drawn: random.Random) -> Made:
    asked = ask(fact, part, drawn)
    return Made(
        kind=QuestionKind.ANSWERABLE,
        template=asked.template,
        question=asked.question,
        clusters=(fact.cluster,),
        origin=fact.origin,
        licence=fact.licence,
        source=fact.source,
        gold=fact.gold,
        queries=asked.queries,
    )


def _question(made: Made, part: Part) -> TrainingQuestion:
    digest = hashlib.sha256("|".join((made.question, *(turn.question for turn in made.history), *made.gold)).encode())
    return TrainingQuestion(
        id=f"{part}-{digest.hexdigest()[:16]}",
        question=made.question,
        kind=made.kind,
        history=made.history,
        source=made.source,
        gold=made.gold,
        queries=made.queries,
        missing=made.missing,
        case=dict(made.case),
        reply=made.reply,
        split="train" if part == "train" else "eval",
        question_source=f"made/{made.origin}",
        licence=made.licence,
        training_consent=True,
        template=made.template,
    )
