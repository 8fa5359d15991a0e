"""Questions that lean on what was said before, or leave out what decides: several needs, follow-ups, missing facts."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from agent.actions import Missing, ReplyKind
from agent.question import Turn
from retrieval import PassageId
from retrieval.sentences import sentence_spans
from training.questions import QuestionKind
from training.questionset.asking import Asked, ask, distinct, finish, searches
from training.questionset.facts import FOR_CHILDREN, FOR_PREGNANCY, Fact
from training.questionset.made import Made
from training.questionset.terms import Part, frames, replies

TextOf = Callable[[PassageId], str]

#: Conditions a drug must be given for before a question about it needs one.
_NEEDS_CONDITION = 3


def multi_hop(facts: Sequence[Fact], part: Part, drawn: random.Random) -> Iterator[Made]:
    """Two needs in one question, of two conditions."""
    single = [fact for fact in facts if len(fact.gold) == 1 and fact.source == "guidelines" and not fact.population]
    order = drawn.sample(single, len(single))
    for one, other in zip(order[::2], order[1::2], strict=False):
        if one.cluster == other.cluster:
            continue
        first, second = ask(one, part, drawn, plain=True), ask(other, part, drawn, plain=True)
        template, text = _draw("multi_hop_join", part, drawn)
        a, b = _sentence(first.question), _sentence(second.question)
        question = text.format(a=a, b=_joined(b, text), B=b, a1=a)
        yield Made(
            kind=QuestionKind.MULTI_HOP,
            template=f"{template}+{first.template}+{second.template}",
            question=question,
            clusters=(one.cluster, other.cluster),
            origin=one.origin,
            licence=one.licence if one.licence == other.licence else f"{one.licence}; {other.licence}",
            gold=(one.gold[0], other.gold[0]),
            queries=(first.queries[0], second.queries[0]),
        )


def follow_ups(facts: Sequence[Fact], part: Part, drawn: random.Random, text_of: TextOf) -> Iterator[Made]:
    """A second question that leaves out the condition of the first."""
    of_condition: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.source == "guidelines" and fact.phrase and not fact.population:
            of_condition[(fact.cluster, fact.condition)].append(fact)
    for same in of_condition.values():
        plain = [fact for fact in same if fact.asks.endswith("_plain")]
        doses = {fact.phrase: fact for fact in same if fact.asks == "drug_dose"}
        for fact in drawn.sample(plain, len(plain)):
            others = [other for other in plain if other.phrase != fact.phrase and not set(other.gold) & set(fact.gold)]
            first = ask(fact, part, drawn, plain=True)
            if fact.phrase in doses:
                yield _follow("follow_dose", first, fact, doses[fact.phrase], part, drawn, text_of)
            for asks, about, word in _GROUPS:
                if about.search(fact.condition) or about.search(text_of(fact.gold[0])):
                    continue
                golds = sorted({id for other in plain for id in other.gold if about.search(text_of(id))})
                if not 1 <= len(golds) <= 2:
                    continue
                # What is asked for children must be what was asked before.
                if not any(other.phrase == fact.phrase for other in plain if set(golds) & set(other.gold)):
                    continue
                target = next(other for other in plain if golds[0] in other.gold)
                made = _follow(asks, first, fact, target, part, drawn, text_of)
                queries = distinct([f"{fact.condition} {word}", f"{fact.condition} {target.phrase} {word}"])
                yield replace(made, gold=tuple(golds), queries=queries)
            if others:
                yield _follow("follow_phrase", first, fact, drawn.choice(others), part, drawn, text_of)


def underspecified(
    facts: Sequence[Fact], everywhere: Sequence[Fact], part: Part, drawn: random.Random
) -> Iterator[Made]:
    """Questions without the condition or the age that decides, with the case that gives it."""
    given_for: defaultdict[str, set[str]] = defaultdict(set)
    for fact in everywhere:
        if fact.asks in ("drug_dose", "drug_plain"):
            given_for[fact.phrase.casefold()].add(fact.cluster)
    for fact in drawn.sample(facts, len(facts)):
        common = len(given_for[fact.phrase.casefold()]) >= _NEEDS_CONDITION
        if fact.asks == "drug_dose" and common and "," not in fact.condition:
            yield _without_condition("no_condition_dose", fact, part, drawn)
        elif fact.asks == "drug_plain" and common and drawn.random() < 0.2 and "," not in fact.condition:
            yield _without_condition("no_condition_drug", fact, part, drawn)
        elif fact.asks == "drugs_of":
            yield _without_condition("no_condition_any", fact, part, drawn)
        elif fact.asks == "screening_population" and (said := _one_of(fact.population, drawn)):
            template, text = _draw("no_age_screening", part, drawn)
            condition = re.sub(r"\s+in .*$", "", fact.condition)
            yield _underspecified(template, finish(text, drawn, c=condition), fact, Missing.AGE, said)


def no_search(facts: Sequence[Fact], part: Part, drawn: random.Random, text_of: TextOf, count: int) -> Iterator[Made]:
    """Thanks, questions about the service, and wishes to reword or shorten the last answer."""
    plain = [fact for fact in facts if fact.source == "guidelines" and fact.phrase and not fact.population]
    order = drawn.sample(plain, len(plain)) or list(plain)
    kinds = (ReplyKind.THANKS, ReplyKind.ABOUT, ReplyKind.REWORD, ReplyKind.SHORTEN)
    for place in range(count):
        kind = kinds[place % len(kinds)]
        choices = replies()[kind.value].of(part)
        number = drawn.randrange(len(choices))
        fact = order[place % len(order)] if order else None
        history: tuple[Turn, ...] = ()
        gold: tuple[PassageId, ...] = ()
        if fact is not None and (
            kind in (ReplyKind.REWORD, ReplyKind.SHORTEN)
            or drawn.random() < (0.85 if kind is ReplyKind.THANKS else 0.3)
        ):
            history = (_turn(ask(fact, part, drawn, plain=True).question, fact, text_of),)
            gold = fact.gold[:1] if kind in (ReplyKind.REWORD, ReplyKind.SHORTEN) else ()
        elif kind in (ReplyKind.REWORD, ReplyKind.SHORTEN):
            continue
        text = choices[number]
        yield Made(
            kind=QuestionKind.NO_SEARCH,
            template=f"{kind.value}/{part}/{number}",
            question=text,
            clusters=(fact.cluster,) if history and fact else (),
            origin=fact.origin if history and fact else "replies",
            licence=fact.licence if history and fact else "made",
            gold=gold,
            history=history,
            reply=kind,
        )


_GROUPS = (("follow_children", FOR_CHILDREN, "children"), ("follow_pregnancy", FOR_PREGNANCY, "pregnancy"))


def _follow(
    asks: str, first: Asked, fact: Fact, target: Fact, part: Part, drawn: random.Random, text_of: TextOf
) -> Made:
    template, text = _draw(asks, part, drawn)
    return Made(
        kind=QuestionKind.CONVERSATIONAL,
        template=f"{template}+{first.template}",
        question=finish(text, drawn, c=target.condition, p=target.phrase),
        clusters=(fact.cluster,),
        origin=target.origin,
        licence=target.licence,
        gold=target.gold,
        queries=searches(target, target.condition, target.phrase),
        history=(_turn(first.question, fact, text_of),),
    )


def _turn(question: str, fact: Fact, text_of: TextOf) -> Turn:
    text = text_of(fact.gold[0])
    spans = sentence_spans(text)
    said = text[spans[0][0] : spans[0][1]] if spans else text
    return Turn(question=question, answer=f"{' '.join(said.split())[:600]} [1]", passage_ids=fact.gold[:1])


def _without_condition(asks: str, fact: Fact, part: Part, drawn: random.Random) -> Made:
    template, text = _draw(asks, part, drawn)
    reply = drawn.choice(frames()["replies_condition"].of(part)).format(c=fact.condition)
    return _underspecified(
        template, finish(text, drawn, p=fact.phrase), fact, Missing.CONDITION, reply[0].upper() + reply[1:]
    )


def _underspecified(template: str, question: str, fact: Fact, missing: Missing, said: str) -> Made:
    return Made(
        kind=QuestionKind.UNDERSPECIFIED,
        template=template,
        question=question,
        clusters=(fact.cluster,),
        origin=fact.origin,
        licence=fact.licence,
        gold=fact.gold,
        queries=searches(fact, fact.condition, fact.phrase),
        missing=missing,
        case={missing: said},
    )


#: How a population states its ages, with the years from what it states to the youngest and to the oldest.
_AGES = (
    (re.compile(r"(\d+) to (\d+)"), 0, 0),
    (re.compile(r"(\d+) years (?:and|or) (?:older|over)"), 0, 9),
    (re.compile(r"younger than (\d+)"), -6, -1),
)
_ONLY_AGE = re.compile(
    r"(?:asymptomatic )?(adults|women|men|persons|children|adolescents|children and adolescents|"
    r"adolescents and adults)(?: who are)?"
    r"(?: ages?d?)?(?: younger than)? \d+(?: to \d+)?(?: years?)?(?: of age)?(?: (?:and|or) older)?",
)


def _one_of(population: str, drawn: random.Random) -> str:
    """A patient of a population that its age, or age and sex, tell: "A woman of 52."; empty where more is needed."""
    if not _ONLY_AGE.fullmatch(population):
        return ""
    for pattern, younger, older in _AGES:
        if match := pattern.search(population):
            age = drawn.randint(max(int(match[1]) + younger, 1), int(match[match.lastindex or 1]) + older)
            if population.startswith("women") or " women" in population:
                return f"She is {age}."
            if population.startswith("men"):
                return f"He is {age}."
            return f"{age} years old."
    return ""


def _draw(asks: str, part: Part, drawn: random.Random) -> tuple[str, str]:
    choices = frames()[asks].of(part)
    number = drawn.randrange(len(choices))
    return f"{asks}/{part}/{number}", choices[number]


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}?"


def _joined(text: str, frame: str) -> str:
    """A question after "And": its first letter small, unless it is a name or an abbreviation."""
    return (
        text[0].lower() + text[1:]
        if "{b}" in frame and (text[1:2].islower() or text.startswith(("I ", "A "))) and not text.startswith("I ")
        else text
    )
