"""Which sources the model is told of, and which it can name."""

from __future__ import annotations

from agent.actions import ActionKind, action_schema
from agent.prompts import prompt_sha256, system_message
from agent.scripted import search
from retrieval import DEFAULT_SOURCES, Source, SourceId, memory_searcher, with_added
from tests.agent.conftest import QUESTION, AskFunction, entries

LOCAL = Source(id=SourceId("local_formulary"), description="Drugs and doses that our hospital stocks.")
SOURCES = with_added([LOCAL])


def _moved_to(source: str) -> list:  # type: ignore[type-arg]
    first, *rest = entries()
    moved = first.document.model_copy(update={"source": SourceId(source)})
    return [first.model_copy(update={"document": moved}), *rest]


async def test_a_source_of_the_operator_is_in_the_prompt_and_can_be_chosen(ask: AskFunction) -> None:
    searcher = memory_searcher(_moved_to("local_formulary"), sources=SOURCES)
    asked = await ask([search("urinary tract infection", "local_formulary")], using=searcher)
    prompt = asked.rollout.messages[0].content
    assert f"- local_formulary: {LOCAL.description}" in prompt
    assert asked.rollout.retrieval[0].source == "local_formulary"
    # Nothing of a source that the index holds no document of.
    assert "- codes:" not in prompt


async def test_the_clinicians_own_words_go_with_the_first_search_of_each_source(ask: AskFunction) -> None:
    """A model that looked in the wrong place first must not be left to its own words in the right one."""
    searcher = memory_searcher(_moved_to("local_formulary"), sources=SOURCES)
    replies = [search("one", "local_formulary"), search("two"), search("three"), '{"action": "answer"}', "Nothing."]
    asked = await ask(replies, using=searcher)
    assert [entry.queries for entry in asked.rollout.retrieval] == [(QUESTION, "one"), (QUESTION, "two"), ("three",)]


async def test_only_sources_the_index_holds_documents_of_can_be_named(ask: AskFunction) -> None:
    searcher = memory_searcher(_moved_to("local_formulary"), sources=SOURCES)
    asked = await ask([search("urinary tract infection", "codes")], using=searcher)
    assert all(entry.source in ("guidelines", "local_formulary") for entry in asked.rollout.retrieval)
    for request in asked.model.requests:  # type: ignore[attr-defined]
        if request.json_schema is not None:
            assert '["guidelines", "local_formulary"]' in str(request.json_schema).replace("'", '"')


def test_the_prompt_depends_on_the_sources_alone_and_its_hash_on_none() -> None:
    before = prompt_sha256()
    assert system_message(SOURCES) == system_message(with_added([LOCAL]))
    assert system_message(SOURCES) != system_message(DEFAULT_SOURCES)
    assert prompt_sha256() == before


def test_the_schema_lists_exactly_the_sources_given() -> None:
    schema = action_schema([ActionKind.SEARCH], ["guidelines", "local_formulary"])
    assert schema["properties"]["source"] == {"enum": ["guidelines", "local_formulary"]}  # type: ignore[index]
