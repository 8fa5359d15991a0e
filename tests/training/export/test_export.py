"""Exported rows: loss on sampled tokens alone, nothing cut, nothing without consent."""

from __future__ import annotations

import json
from typing import Any

from agent import Message, Rollout, Turn
from agent.rollout import Labels
from agent.scripted import ANSWER, cite_first, search
from retrieval import Passage
from training.export import (
    Export,
    ExportReport,
    Refusal,
    divergence_pairs,
    message_rows,
    prompt_rows,
    thumbs_rows,
    token_rows,
)
from training.export.supervised import IGNORED

from ..conftest import QUERY, ByteRenderer, MakeRollout, training_question

LIMITS = Export(max_tokens=100_000)
RENDERER = ByteRenderer()


def text_of(ids: list[int]) -> str:
    return bytes(ids).decode()


def trained(row: dict[str, Any]) -> list[str]:
    """The runs of tokens under loss, as text."""
    pieces: list[list[int]] = [[]]
    for token, label in zip(row["input_ids"], row["labels"], strict=True):
        if label == IGNORED:
            pieces.append([])
        else:
            assert label == token
            pieces[-1].append(token)
    return [text_of(piece) for piece in pieces if piece]


def with_ids(rollout: Rollout) -> Rollout:
    """The same run as a server reports it that gives token ids."""
    steps = tuple(
        step.model_copy(
            update={
                "prompt_token_ids": tuple(RENDERER.prompt(rollout.messages[: step.prompt_messages])),
                "token_ids": tuple(RENDERER.sample(rollout.messages[step.prompt_messages].content)),
            }
        )
        for step in rollout.steps
    )
    return rollout.model_copy(update={"steps": steps})


def test_token_rows_train_on_every_sample_and_nothing_else(rollout: MakeRollout) -> None:
    run = rollout(search(QUERY), ANSWER, cite_first)
    for source in (run, with_ids(run)):
        report = ExportReport()
        rows = list(token_rows([source], RENDERER, LIMITS, report))
        # The template puts a line break after a turn that the sample does not hold, so steps still share a row.
        assert len(rows) == 1
        said = [message.content for message in run.messages if message.role == "assistant"]
        assert trained(rows[0]) == [f"{text}</>" for text in said]
        assert "Evidence:" in text_of(rows[0]["input_ids"])
        assert report.rows == 1


def test_a_deliberate_misstep_is_context_and_never_trained_on(rollout: MakeRollout, gold: Passage) -> None:
    """Else the model would learn to look in the wrong place first."""
    run = rollout(search("measles"), search(QUERY), ANSWER, cite_first)
    missed = run.steps[0].model_copy(update={"explored": True})
    run = run.model_copy(update={"steps": (missed, *run.steps[1:])})
    for source in (run, with_ids(run)):
        (row,) = token_rows([source], RENDERER, LIMITS, ExportReport())
        said = [message.content for message in run.messages if message.role == "assistant"]
        assert trained(row) == [f"{text}</>" for text in said[1:]]
        assert "measles" in text_of(row["input_ids"])
    report = ExportReport()
    assert list(message_rows([run], RENDERER, LIMITS, report)) == []
    assert pairs([run, rollout(search(QUERY), ANSWER, "I do not know.", rep=1)], gold) == []
    assert report.refused == {Refusal.EXPLORED: 1}


def test_a_prompt_that_does_not_extend_the_one_before_starts_a_new_row(rollout: MakeRollout) -> None:
    run = with_ids(rollout(search(QUERY), ANSWER, cite_first))
    odd = run.steps[1].model_copy(update={"prompt_token_ids": (1, 2, 3)})
    run = run.model_copy(update={"steps": (run.steps[0], odd, run.steps[2])})
    rows = list(token_rows([run], RENDERER, LIMITS, ExportReport()))
    assert [row["input_ids"][:3] == [1, 2, 3] for row in rows] == [False, True, False]
    assert sum(len(trained(row)) for row in rows) == 3


def test_message_rows_end_with_the_last_sample(rollout: MakeRollout) -> None:
    run = rollout(search(QUERY), ANSWER, cite_first)
    (row,) = message_rows([run], RENDERER, LIMITS, ExportReport())
    assert [turn["role"] for turn in row["messages"]] == [m.role for m in run.messages]
    assert row["messages"][-1]["role"] == "assistant"
    assert row["provenance"]["licence"] == "CC0-1.0"


def test_earlier_turns_are_context_and_never_trained_on(rollout: MakeRollout) -> None:
    history = (Turn(question="Which antibiotic for cystitis?", answer="Is the patient pregnant, or could she be?"),)
    run = rollout(search(QUERY), ANSWER, cite_first, words="She is not pregnant.", history=history)
    report = ExportReport()
    assert list(message_rows([run], RENDERER, LIMITS, report)) == []
    assert report.refused == {Refusal.EARLIER_TURNS: 1}
    (row,) = token_rows([run], RENDERER, LIMITS, ExportReport())
    assert all("pregnant, or could she be" not in piece for piece in trained(row))
    assert "pregnant, or could she be" in text_of(row["input_ids"])


def test_what_is_too_long_or_without_consent_is_refused_and_counted(rollout: MakeRollout) -> None:
    runs = [
        rollout(search(QUERY), ANSWER, cite_first),
        rollout(search(QUERY), ANSWER, cite_first, consent=False, rep=1),
    ]
    for make in (message_rows, token_rows, prompt_rows):
        report = ExportReport()
        assert list(make(runs, RENDERER, Export(max_tokens=50), report)) == []
        assert report.refused == {Refusal.TOO_LONG: 1, Refusal.NO_CONSENT: 1}, make.__name__


def test_prompts_are_what_the_first_step_saw(rollout: MakeRollout) -> None:
    run = rollout(search(QUERY), ANSWER, cite_first)
    (row,) = prompt_rows([run], RENDERER, LIMITS, ExportReport())
    assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]


def pairs(runs: list[Rollout], gold: Passage) -> list[dict[str, Any]]:
    questions = {run.task_key: training_question(gold=(gold.id,)) for run in runs}
    return list(divergence_pairs(runs, questions, RENDERER, LIMITS, ExportReport()))


def test_answers_from_the_same_evidence_make_a_pair(rollout: MakeRollout, gold: Passage) -> None:
    good = rollout(search(QUERY), ANSWER, cite_first)
    bad = rollout(search(QUERY), ANSWER, "Give 900 mg of paracetamol.", rep=1)
    (row,) = pairs([good, bad], gold)
    assert row["kind"] == "answer"
    assert row["chosen"] == [{"role": "assistant", "content": good.messages[-1].content}]
    assert row["rejected"] == [{"role": "assistant", "content": "Give 900 mg of paracetamol."}]
    assert row["prompt"] == [{"role": m.role, "content": m.content} for m in good.messages[:-1]]
    assert row["provenance"]["rejected_rollout_id"] == bad.rollout_id


def test_keys_of_the_rejected_run_are_the_chosen_runs(rollout: MakeRollout, gold: Passage) -> None:
    good = rollout(search(QUERY), ANSWER, cite_first)

    def wrong_dose(request: Any) -> str:
        return cite_first(request).replace("100", "900")

    bad = rollout(search(QUERY), ANSWER, wrong_dose, rep=1)
    (row,) = pairs([good, bad], gold)
    keys = {hit.key for entry in good.retrieval for hit in entry.hits}
    cited = row["rejected"][0]["content"].rsplit("[", 1)[1][:3]
    assert cited in keys
    assert "900" in row["rejected"][0]["content"]


def test_a_wrong_decision_makes_a_pair_at_that_decision(rollout: MakeRollout, gold: Passage) -> None:
    good = rollout(search(QUERY), ANSWER, cite_first)
    decline = json.dumps({"action": "decline", "reason": "not_in_corpus"})
    bad = rollout(search(QUERY), decline, rep=1)
    (row,) = pairs([good, bad], gold)
    assert row["kind"] == "decision"
    assert json.loads(row["chosen"][0]["content"])["action"] == "answer"
    assert json.loads(row["rejected"][0]["content"])["action"] == "decline"
    assert row["prompt"][-1]["role"] == "user"


def test_two_good_runs_or_two_bad_ones_make_no_pair(rollout: MakeRollout, gold: Passage) -> None:
    good = [rollout(search(QUERY), ANSWER, cite_first, rep=rep) for rep in range(2)]
    bad = [rollout(search(QUERY), ANSWER, "Give 900 mg of paracetamol.", rep=rep) for rep in range(2)]
    assert pairs(good, gold) == []
    assert pairs(bad, gold) == []


def test_thumbs_become_labels(rollout: MakeRollout) -> None:
    run = rollout(search(QUERY), ANSWER, cite_first)
    up = run.model_copy(update={"labels": Labels(thumbs="up")})
    down = run.model_copy(update={"labels": Labels(thumbs="down")})
    report = ExportReport()
    rows = list(thumbs_rows([up, down, run], RENDERER, LIMITS, report))
    assert [row["label"] for row in rows] == [True, False]
    assert rows[0]["completion"][0]["content"] == run.messages[-1].content
    assert report.refused == {Refusal.NO_LABEL: 1}


def test_the_byte_renderer_is_prefix_stable() -> None:
    messages = [Message(role="system", content="s"), Message(role="user", content="u")]
    longer = [*messages, Message(role="assistant", content="a"), Message(role="user", content="v")]
    sampled = RENDERER.prompt(messages) + RENDERER.sample("a")
    assert RENDERER.prompt(longer)[: len(sampled)] == sampled
