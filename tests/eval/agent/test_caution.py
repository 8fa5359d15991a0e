"""Fitting caution: what tells answerable from unanswerable gets the weight, and the wanted share is held back."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from agent import Journal, Rollout
from agent.actions import ActionKind
from agent.caution import Caution, Signs
from agent.probabilities import ActionProbabilities
from agent.scripted import ANSWER, search
from eval.agent.caution import LEAST, Decision, fit, read_decisions, tradeoff
from eval.retrieval import SetInvalidError, SetMissingError
from retrieval import Passage
from training.stages import Figure, read_trained_card, write_card

from ...service.cli.invoking import run as command_line
from ...training.stages.test_card import CARD
from .conftest import ASKED, LIE, QUERY, MakeRun, made_row, write_rows


def decisions(count: int = 400, *, helps: float = 1.0) -> list[Decision]:
    """Answerable ones are nearer and likelier answered; the share of words held tells nothing."""
    draw = random.Random(3)
    made = []
    for n in range(count):
        found = n % 2 == 0
        made.append(
            Decision(
                log_odds=draw.gauss(helps if found else -helps, 1.5),
                signs=Signs(nearest=draw.gauss(0.65 if found else 0.5, 0.08), first=draw.random()),
                gold_found=found,
                answerable=found,
            )
        )
    return made


def test_what_tells_them_apart_gets_the_weight() -> None:
    fitted = fit(decisions(), 0.1)
    assert fitted.nearest > 5
    assert abs(fitted.first) < 0.15 * fitted.nearest


def judged(count: int = 400) -> list[Decision]:
    """Half of the decisions after a reranker has judged, which tells them apart; of the others nobody did."""
    draw = random.Random(5)
    made = []
    for n, item in enumerate(decisions(count)):
        margin = draw.gauss(2.0 if item.gold_found else -2.0, 1.0) if n % 4 < 2 else None
        made.append(replace(item, signs=item.signs.model_copy(update={"margin": margin})))
    return made


def test_what_the_reranker_says_gets_a_weight_and_what_it_did_not_judge_weights_of_its_own() -> None:
    fitted = fit(judged(), 0.1)
    assert fitted.margin > 0.5
    assert fitted.unjudged is not None
    assert fitted.unjudged.margin == 0.0
    assert fitted.unjudged.nearest > 5
    plain = fit(decisions(), 0.1)
    assert (plain.margin, plain.unjudged) == (0.0, None)


def test_a_search_that_missed_the_reranker_is_answered_nearly_as_often() -> None:
    """With the weights of the others, which lean on the margin, most of them would be declined."""
    made = judged()
    fitted = fit(made, 0.1)
    missed = [replace(item, signs=item.signs.model_copy(update={"margin": None})) for item in made]
    assert tradeoff(made, fitted).answerable == pytest.approx(0.1, abs=0.02)
    assert tradeoff(missed, fitted).answerable < 0.2


@pytest.mark.parametrize("wrong", [0.02, 0.1, 0.3])
def test_the_wanted_share_of_answerable_questions_is_held_back(wrong: float) -> None:
    made = decisions()
    found = tradeoff(made, fit(made, wrong))
    assert found.answerable == pytest.approx(wrong, abs=0.01)
    assert found.unanswerable > found.answerable
    assert found.unanswerable > tradeoff(made, Caution()).unanswerable or wrong < 0.1


def test_more_held_back_is_never_a_smaller_constant() -> None:
    made = decisions()
    constants = [fit(made, share).constant for share in (0.02, 0.05, 0.1, 0.2)]
    assert constants == sorted(constants)


def test_a_model_that_answers_where_nothing_is_cannot_be_fitted() -> None:
    with pytest.raises(SetInvalidError, match="no surer"):
        fit(decisions(helps=-1.0), 0.1)


def with_signs(rollout: Rollout, answering: float) -> Rollout:
    """The run with what an encoder with known cosines and a server with probabilities would have recorded."""
    first, *rest = rollout.retrieval
    steps = list(rollout.steps)
    raw = {ActionKind.ANSWER: answering, ActionKind.DECLINE: 1 - answering}
    steps[1] = steps[1].model_copy(update={"probabilities": ActionProbabilities(raw=raw, normalised=None)})
    found = first.model_copy(update={"signs": Signs(nearest=0.6, first=1.0)})
    return rollout.model_copy(update={"retrieval": (found, *rest), "steps": tuple(steps)})


def write_questions(folder: Path, gold: Passage) -> list[str]:
    """A file of answerable questions and as many unanswerable ones behind them; their words."""
    words = [f"{ASKED} Case {n}." for n in range(2 * LEAST)]
    rows = [made_row("answerable", str(n), text, gold=[gold.id]) for n, text in enumerate(words[:LEAST])]
    rows += [made_row("unanswerable", str(n + LEAST), text) for n, text in enumerate(words[LEAST:])]
    write_rows(folder / "questions.jsonl", rows)
    return words


def test_the_first_decision_after_a_search_is_read_from_each_run(run: MakeRun, gold: Passage, tmp_path: Path) -> None:
    words = write_questions(tmp_path, gold)
    with Journal(tmp_path / "own") as journal:
        for text in words:
            journal.append(with_signs(run(search(QUERY), ANSWER, LIE, words=text), 0.75))
    read = read_decisions(tmp_path, "own")
    assert len(read) == 2 * LEAST
    assert {item.gold_found for item in read if item.answerable} == {True}
    assert {item.gold_found for item in read if not item.answerable} == {False}
    assert read[0].log_odds == pytest.approx(1.0986, abs=1e-3)
    assert read[0].signs == Signs(nearest=0.6, first=1.0)


def test_runs_that_say_nothing_are_refused_with_what_is_needed(run: MakeRun, gold: Passage, tmp_path: Path) -> None:
    write_rows(tmp_path / "questions.jsonl", [made_row("answerable", "1", gold=[gold.id])])
    with pytest.raises(SetMissingError, match="no runs of own"):
        read_decisions(tmp_path, "own")
    with Journal(tmp_path / "own") as journal:
        journal.append(run(search(QUERY), ANSWER, LIE))  # the hashing encoder's cosines are not known
    with pytest.raises(SetInvalidError, match="there are 0 and 0"):
        read_decisions(tmp_path, "own")


def test_the_command_writes_what_it_fitted_into_the_card(run: MakeRun, gold: Passage, tmp_path: Path) -> None:
    """And takes out figures that were measured without it."""
    words = write_questions(tmp_path, gold)
    with Journal(tmp_path / "own") as journal:
        for n, text in enumerate(words):
            sure = 0.9 - 0.02 * (n % LEAST) if n < LEAST else 0.5 - 0.02 * (n % LEAST)
            journal.append(with_signs(run(search(QUERY), ANSWER, LIE, words=text), sure))
    adapter = tmp_path / "own-adapter"
    adapter.mkdir()
    write_card(adapter, CARD.model_copy(update={"figures": (Figure(set="all", name="gold_cited", value=0.5),)}))
    more = shutil.copytree(tmp_path, tmp_path.with_name("more"))
    command = ("train", "caution", str(tmp_path), str(more), "--adapter", str(adapter), "--model", "own")
    done = command_line({}, *command, "--wrong", "0.2")
    assert done.exit_code == 0, done.output
    assert f"{4 * LEAST} decisions" in done.stdout
    card = read_trained_card(adapter)
    assert card.figures == ()
    assert str(card.caution) in done.stdout
    assert -1 < card.caution.lean(Signs(nearest=0.6, first=1.0)) < 1
    assert f"| {card.caution} |" in (adapter / "CARD.md").read_text()
    assert command_line({}, *command[:-2]).exit_code == 1
