"""How well sources are chosen: the labelled questions and how choices are counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent import ScriptedModel
from agent.client import TokenLogprob
from agent.probabilities import source_probabilities
from agent.scripted import search
from eval.retrieval.errors import SetInvalidError
from eval.sources import (
    EXAMPLE,
    NAMES,
    Choice,
    ModelChooser,
    bare_names,
    evaluate_sources,
    measured_sources,
    other_questions,
    source_questions,
    wordings,
)
from retrieval import DEFAULT_SOURCES, Source, SourceId


class ByWord:
    """Chooses the source whose description holds the question's last word, else the first."""

    async def choose(self, question: str, sources: Sequence[Source]) -> Choice:
        word = question.split()[-1]
        return Choice(source=next((s.id for s in sources if word in s.description), sources[0].id))


def test_every_source_has_enough_questions_in_both_halves() -> None:
    questions = source_questions()
    counts = Counter((question.source, question.split) for question in questions)
    for source in measured_sources(DEFAULT_SOURCES):
        assert counts[source.id, "dev"] >= 15
        assert counts[source.id, "test"] >= 15
    assert len({question.question for question in questions}) == len(questions)


def test_the_descriptions_in_force_are_among_the_candidates() -> None:
    candidates = {source: text for w in wordings() for source, text in w.descriptions.items() if w.name == "care"}
    assert all(candidates[source.id] == source.description for source in DEFAULT_SOURCES)


async def test_choices_are_counted_by_source_and_compared_with_bare_names() -> None:
    questions = [q.model_copy(update={"question": "which code"}) for q in source_questions() if q.source == "codes"]
    sources = measured_sources(DEFAULT_SOURCES)
    other = bare_names(sources).model_copy(update={"name": "own", "descriptions": {SourceId("codes"): "any code"}})
    report = await evaluate_sources({"word": ByWord()}, questions[:6], sources, [bare_names(sources), other])
    right = {(r.wording, r.split): sum(r.right.values()) for r in report.results}
    assert right[NAMES, "dev"] == right["own", "dev"] == 3
    assert report.results[0].by_source == {SourceId("codes"): (3, 3)}
    assert "codes 3/3" in report.table()


async def test_questions_of_sources_that_are_not_measured_are_left_out_and_counted() -> None:
    questions = source_questions()
    report = await evaluate_sources({"word": ByWord()}, questions, DEFAULT_SOURCES[:2], [bare_names(DEFAULT_SOURCES)])
    others = sum(question.source not in {source.id for source in DEFAULT_SOURCES[:2]} for question in questions)
    assert report.left_out == others > 0


def test_any_file_with_questions_and_sources_can_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "asked.jsonl"
    rows = [{"question": f"q{number}?", "source": "guidelines", "passage": "x"} for number in range(10)]
    rows.append({"question": "code?", "source": "codes"})
    rows.append({"question": "elsewhere?", "source": "nowhere"})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = other_questions(file, DEFAULT_SOURCES, 4)
    assert [item.question for item in found] == ["q0?", "q3?", "q6?", "q9?", "code?"]
    assert len(other_questions(file, DEFAULT_SOURCES)) == 11
    file.write_text(json.dumps({"question": "no source"}))
    with pytest.raises(SetInvalidError, match="line 1"):
        other_questions(file, DEFAULT_SOURCES)


async def test_the_models_choice_is_read_from_its_action() -> None:
    chooser = ModelChooser(ScriptedModel([search("x", "codes"), '{"action": "search", "sour']))
    assert (await chooser.choose("q", DEFAULT_SOURCES)).source == "codes"
    assert (await chooser.choose("q", DEFAULT_SOURCES)).source is None


def test_an_operators_own_source_of_the_examples_id_is_measured_as_it_is() -> None:
    own = EXAMPLE.model_copy(update={"description": "Our own list of drugs."})
    assert measured_sources([own]) == (own,)


def test_source_probabilities_are_read_at_the_deciding_token() -> None:
    tokens = [
        TokenLogprob(token='{"action":"search","source":"', logprob=0.0),
        TokenLogprob(token="cod", logprob=-1.0, top=(("gui", -1.0), ("pat", -50.0), ("cod", -1.0))),
    ]
    read = source_probabilities(tokens, ["guidelines", "patient_information", "codes"])
    assert read is not None
    assert read["codes"] == pytest.approx(0.5)
    assert read["guidelines"] == pytest.approx(0.5)
    assert source_probabilities(None, ["codes"]) is None
