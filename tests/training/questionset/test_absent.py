"""If these fail, a model is taught to decline what the library answers."""

from __future__ import annotations

import random

from retrieval.tokens import tokenise
from training.questions import QuestionKind
from training.questionset import LibraryWords
from training.questionset.absent import absent_conditions, near_misses, new_drugs
from training.questionset.conditions import core
from training.questionset.facts import FactFinder


def test_some_word_of_an_absent_disease_is_in_no_passage(library: LibraryWords) -> None:
    found = list(absent_conditions(library))
    assert {one.condition for one in found} >= {"glimmeritis", "zanthopathy"}
    for one in found:
        assert not library.holding(tokenise(one.condition))


def test_a_near_miss_stands_together_in_no_passage(library: LibraryWords, finder: FactFinder) -> None:
    facts = list(finder.recommendation_facts())
    clusters = {fact.condition: fact.cluster for fact in facts}
    found = list(near_misses(library, finder, facts, random.Random(0)))
    assert len(found) > 50
    for one in found:
        assert not library.holding(core(one.condition) | set(tokenise(one.phrase)))
        about = [
            library.terms(number)
            for number, located in enumerate(library.located)
            if str(finder.clusters.of(located.document.id)) == clusters[one.condition]
        ]
        assert about
        assert not any(set(tokenise(one.phrase)) <= terms for terms in about)


def test_a_new_drug_is_in_no_passage(library: LibraryWords) -> None:
    found = list(new_drugs(library))
    assert len(found) > 100
    assert not any(library.holding(tokenise(one.phrase)) for one in found)


def test_an_unanswerable_question_has_no_gold_and_two_searches(library: LibraryWords) -> None:
    for one in list(new_drugs(library))[:20]:
        made = one.ask("train", random.Random(0))
        assert made.kind is QuestionKind.UNANSWERABLE
        assert made.gold == ()
        assert one.phrase in made.question.casefold()
        assert made.queries
