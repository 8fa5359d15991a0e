"""Each arm reads the same record in its own way: a withheld lie must show up without the gate, and only there."""

from __future__ import annotations

import pytest

from agent.events import Failure
from agent.scripted import ANSWER, search
from eval.answers.arms import Arm, Ending, read_answer
from eval.answers.matrix import matrix
from eval.answers.passages import Passages
from eval.answers.scoring import Scorers, score
from eval.retrieval.errors import SetInvalidError
from retrieval import Passage, PassageId

from ..agent.conftest import DECLINE, GOOD, LIE, QUERY, THANKS, MakeRun, ask_for, made_row, row
from ..agent.test_scoring import Ask, share


def cited_lie(request: object) -> str:
    """A good sentence, a wrong dose under the same key, and one under a key that nothing has."""
    cite = GOOD[2]
    assert callable(cite)
    good = str(cite(request))  # type: ignore[arg-type]
    key = good.rpartition("[")[2].partition("]")[0]
    return f"{good} Give 900 mg of nitrofurantoin [{key}]. Rest [zzz]."


def test_the_gate_is_worth_what_it_withheld(run: MakeRun, question: Ask, passages: Passages, scorers: Scorers) -> None:
    episode = (run(search(QUERY), ANSWER, cited_lie),)
    shown = score(episode, Arm.SHOWN, question(row()), passages, scorers)
    ungated = score(episode, Arm.UNGATED, question(row()), passages, scorers)
    assert shown["numbers_altered"].over == 0
    assert ungated["numbers_altered"].over == 1, "900 mg"
    assert (shown["keys_unresolved"].over, shown["keys_unresolved"].of) == (0, 1)
    assert (ungated["keys_unresolved"].over, ungated["keys_unresolved"].of) == (1, 3)
    assert share(shown, "supported") == share(shown, "citation_precision") == 1
    assert share(ungated, "supported") == pytest.approx(1 / 3)
    assert share(shown, "withheld") == pytest.approx(2 / 3)
    assert share(shown, "withheld:unknown_key") == pytest.approx(1 / 3)
    assert "withheld" not in ungated
    assert shown["sentences"].over == 1
    assert ungated["sentences"].over == 3


def test_an_answer_of_which_nothing_was_verified_is_a_list_with_the_gate(run: MakeRun) -> None:
    episode = (run(search(QUERY), ANSWER, LIE),)
    assert read_answer(episode, Arm.SHOWN).ending is Ending.LISTED
    assert read_answer(episode, Arm.SHOWN).listed
    without = read_answer(episode, Arm.UNGATED)
    assert (without.ending, [sentence.text for sentence in without.sentences]) == (Ending.ANSWERED, [LIE])


@pytest.mark.parametrize(
    ("replies", "ending"),
    [
        (GOOD, Ending.ANSWERED),
        ((search(QUERY), DECLINE), Ending.DECLINED),
        ((ask_for("pregnancy"),), Ending.ASKED),
        ((THANKS,), Ending.REPLIED),
        ((search(QUERY), "nonsense"), Ending.LISTED),
    ],
    ids=["answered", "declined", "asked", "replied", "listed"],
)
def test_every_end_has_its_column(run: MakeRun, replies: tuple[str, ...], ending: Ending) -> None:
    assert read_answer((run(*replies),), Arm.SHOWN).ending is ending


def test_a_search_that_broke_is_no_wise_restraint(run: MakeRun) -> None:
    declined = run(search(QUERY), DECLINE)
    broken = declined.outcome.model_copy(update={"failures": (Failure(code="store_error", message="It broke."),)})
    assert read_answer((declined.model_copy(update={"outcome": broken}),), Arm.SHOWN).ending is Ending.LOST


def test_a_citation_of_a_passage_that_was_not_retrieved_does_not_resolve(run: MakeRun) -> None:
    made = run(*GOOD)
    assert made.answer is not None
    forged = made.answer.citations[0].model_copy(update={"passage_id": PassageId("starter/invented/1")})
    answer = made.answer.model_copy(update={"citations": (forged, *made.answer.citations[1:])})
    (sentence,) = read_answer((made.model_copy(update={"answer": answer}),), Arm.SHOWN).sentences
    assert (sentence.unresolved, sentence.passages) == (1, ())
    brought = read_answer((made.model_copy(update={"answer": answer}),), Arm.SHOWN, frozenset([forged.passage_id]))
    assert brought.sentences[0].unresolved == 0, "the conversation brought it"


def test_gold_of_what_is_cited_and_of_what_is_needed(
    run: MakeRun, gold: Passage, question: Ask, passages: Passages, scorers: Scorers
) -> None:
    episode = (run(*GOOD),)
    right = score(episode, Arm.SHOWN, question(row(answerable=True, gold=[gold.id, "x"])), passages, scorers)
    assert (right["gold_precision"], right["gold_recall"]) == ((1, 1), (1, 1)), "one of two that say the same"
    wrong = score(episode, Arm.SHOWN, question(row(answerable=True, gold=["x"])), passages, scorers)
    assert (share(wrong, "gold_precision"), share(wrong, "gold_recall")) == (0, 0)
    hops = question(made_row("multi_hop", gold=[gold.id, "x"], queries=["a", "b"]))
    assert score(episode, Arm.SHOWN, hops, passages, scorers)["gold_recall"] == (1, 2), "both are needed"
    assert hops.needs_context is False


def test_asking_back_is_right_where_something_is_missing(
    run: MakeRun, question: Ask, passages: Passages, scorers: Scorers
) -> None:
    asked = (run(ask_for("age")),)
    assert share(score(asked, Arm.SHOWN, question(row(needs_context=True)), passages, scorers), "asked") == 1
    needless = score(asked, Arm.SHOWN, question(row(needs_context=False)), passages, scorers)
    assert share(needless, "asked_needlessly") == 1
    assert "asked" not in needless
    unknown = score(asked, Arm.SHOWN, question(row()), passages, scorers)
    assert not {"asked", "asked_needlessly"} & set(unknown)


def test_must_have_of_a_list_is_looked_for_in_the_recommendations(
    run: MakeRun, gold: Passage, question: Ask, passages: Passages, scorers: Scorers
) -> None:
    asked = question(row(must_have=[gold.text.split(". ")[0], "Colonoscopy, biopsy, surgery"]))
    listed = score((run(search(QUERY), search_first=True),), Arm.SHOWN, asked, passages, scorers)
    assert listed["must_have"] == (1, 2)
    assert "sentences" not in listed


def test_a_passage_whose_text_was_not_kept_is_told(run: MakeRun, question: Ask, scorers: Scorers) -> None:
    with pytest.raises(SetInvalidError, match="was not kept"):
        score((run(*GOOD),), Arm.SHOWN, question(row()), {}, scorers)


def test_the_matrix_by_hand() -> None:
    found = matrix(
        [(True, Ending.ANSWERED), (True, Ending.DECLINED), (False, Ending.DECLINED), (True, Ending.ANSWERED)]
    )
    assert list(found) == ["answerable", "unanswerable"]
    assert {ending: count for ending, count in found["answerable"].items() if count} == {
        Ending.ANSWERED: 2,
        Ending.DECLINED: 1,
    }
    assert sum(found["unanswerable"].values()) == 1
    assert list(matrix([(None, Ending.ASKED)])) == ["not known"]
