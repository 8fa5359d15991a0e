"""The text of a chat reply: all that POST /v1/ask shows, nothing else, and every mark where its annotation says."""

from __future__ import annotations

import pytest

from agent import Answer, AnswerKind, Citation, CompletionRequest, Sentence
from agent.errors import ModelUnavailableError
from agent.scripted import ANSWER, Reply, Script, search
from retrieval import DocumentId, PassageId, PassageKind
from service.chat.reply import url_citations
from service.chat.text import DISCLAIMERS, AnswerText, without_lists

from ..conftest import QUESTION, ServiceFactory
from ..conftest import client_of as http_of
from .serving import quote_everything

NOT_FOUND = [search("dose"), '{"action": "decline", "reason": "not_in_corpus"}']


async def both(
    make_service: ServiceFactory, *script: Script, question: str = QUESTION
) -> tuple[Answer, dict[str, object]]:
    """The answer of POST /v1/ask and the message of a chat reply to the same question."""
    async with http_of(make_service(*script)) as http:
        asked = await http.post("/v1/ask", json={"question": question})
    async with http_of(make_service(*script)) as http:
        body = {"messages": [{"role": "user", "content": question}]}
        chat = await http.post("/v1/chat/completions", json=body)
    message = chat.json()["choices"][0]["message"]
    assert isinstance(message, dict)
    return Answer.model_validate(asked.json()["answer"]), message


async def test_written_sentences_come_first_with_their_marks(make_service: ServiceFactory) -> None:
    answer, message = await both(make_service, quote_everything)
    assert len(answer.sentences) == 2
    content = str(message["content"])
    assert content.partition("\n\n")[0] == answer.text
    assert "Also found:" not in content


@pytest.mark.parametrize(
    ("script", "heading"),
    [
        ([Reply(error=ModelUnavailableError("down"))], "Recommendations found:"),
        ([search("dose"), ANSWER, "Give samplomycin 900 mg."], "Recommendations found:"),
        (NOT_FOUND, "Nearest recommendations found:"),
    ],
    ids=["model down", "nothing verified", "not found"],
)
async def test_listed_recommendations_are_whole_under_their_label(
    make_service: ServiceFactory, script: list[Script], heading: str
) -> None:
    answer, message = await both(make_service, *script)
    assert answer.label is not None
    assert answer.citations
    blocks = "\n\n".join(
        f"[{item.number}] {item.condition}: {item.text}\n- Strength: {item.strength}\n- Certainty: {item.certainty}\n"
        f"- Population: {item.population}\n- Contraindications: {'; '.join(item.contraindications)}"
        for item in answer.citations
    )
    content = str(message["content"])
    assert content.startswith(f"{answer.label}\n\n{heading}\n\n{blocks}\n\nReferences:\n\n- [1] ")
    assert "900" not in content, "what the gate withheld is not in the text either"


@pytest.mark.parametrize(
    ("script", "question"),
    [
        (['{"action": "ask_clinician", "missing": "allergy"}'], QUESTION),
        (['{"action": "decline", "reason": "policy"}'], QUESTION),
        (['{"action": "reply", "kind": "about"}'], QUESTION),
    ],
    ids=["ask back", "declined", "about"],
)
async def test_what_the_service_says_itself_is_the_whole_text(
    make_service: ServiceFactory, script: list[Script], question: str
) -> None:
    answer, message = await both(make_service, *script, question=question)
    assert message["content"] == "\n\n".join([str(answer.label), DISCLAIMERS, *answer.disclaimers])
    assert message["annotations"] == []


async def test_an_answer_that_broke_off_keeps_its_sentences_and_says_so(make_service: ServiceFactory) -> None:
    def broken(request: CompletionRequest) -> Reply:
        text = quote_everything(request)
        return Reply(text=text, break_after=len(text) - 9)

    answer, message = await both(make_service, search("mouth twice daily"), ANSWER, broken)
    assert len(answer.sentences) == 1
    assert str(message["content"]).startswith(f"{answer.text}\n\nAlso found:\n\n[2] ")


async def test_references_name_title_publisher_year_strength_and_address(make_service: ServiceFactory) -> None:
    _, message = await both(make_service)
    assert str(message["content"]).endswith(
        "References:\n\n"
        "- [1] Guideline on example fever · Test Society · 2024 · Strength: Strong · Certainty: Moderate · "
        "Population: Adults · Contraindications: Allergy to examplicillin · https://example.org/guideline\n"
        "- [2] Guideline on sample rash · Test Society · 2024 · Strength: Strong · https://example.org/guideline\n\n"
        "Invented for tests.\n\n"
        "Please note:\n\n"
        "Check the source and your patient before you act. This does not replace clinical judgement."
    )


async def test_every_annotation_covers_a_mark(make_service: ServiceFactory) -> None:
    for script in ([quote_everything], NOT_FOUND):
        answer, message = await both(make_service, *script)
        ranges = [item["url_citation"] for item in message["annotations"]]  # type: ignore[attr-defined]
        content = str(message["content"])
        marks = [content[found["start_index"] : found["end_index"]] for found in ranges]
        assert marks == [f"[{citation.number}]" for citation in answer.citations]
        assert [found["title"] for found in ranges] == [citation.title for citation in answer.citations]


def citation(number: int, url: str | None = "https://example.org", **fields: object) -> Citation:
    """A source of an answer made by hand."""
    return Citation.model_validate(
        {
            "number": number,
            "passage_id": PassageId(f"p{number}"),
            "document_id": DocumentId("d"),
            "kind": PassageKind.RECOMMENDATION,
            "condition": None,
            "text": f"Recommendation {number}.",
            "strength": None,
            "certainty": None,
            "population": None,
            "contraindications": (),
            "title": f"Title {number}",
            "publisher": "Society",
            "year": None,
            "region": "GB",
            "url": url,
            "notice": None,
            **fields,
        }
    )


def test_only_addresses_of_the_web_are_given_and_positions_count_characters() -> None:
    text = AnswerText()
    answer = Answer(
        kind=AnswerKind.WRITTEN,
        sentences=(Sentence(text="👩‍⚕️ Gib 5 µg.", citations=(1, 2, 3)),),
        citations=(citation(1), citation(2, "javascript:alert(1)"), citation(3, None)),
    )
    content = text.rest(answer)
    assert [content[mark.start : mark.end] for mark in text.marks] == ["[1]", "[2]", "[3]"]
    assert [item.url_citation.url for item in url_citations(text.marks, answer.citations)] == ["https://example.org"]
    assert "javascript" not in content


def test_standing_travels_with_a_source_cited_or_listed() -> None:
    expired = "Expired: its review date (2020) has passed."
    answer = Answer(
        kind=AnswerKind.WRITTEN,
        sentences=(Sentence(text="One.", citations=(1,)),),
        citations=(citation(1, labels=(expired,)), citation(2, labels=("From another region.",))),
    )
    assert AnswerText().rest(answer) == (
        "One. [1]\n\nAlso found:\n\n"
        "[2] Recommendation 2.\n- From another region.\n- Strength: not stated\n\n"
        "References:\n\n"
        f"- [1] Title 1 · Society · Strength: not stated · {expired} · https://example.org\n"
        "- [2] Title 2 · Society · Strength: not stated · https://example.org"
    )


def test_what_was_streamed_and_then_withdrawn_is_warned_of() -> None:
    text = AnswerText()
    kept, gone = Sentence(text="One.", citations=(1,)), Sentence(text="Two.", citations=(1, 2))
    streamed = text.sentence(kept) + text.sentence(gone)
    answer = Answer(kind=AnswerKind.WRITTEN, label="Ask again.", sentences=(kept,), citations=(citation(1),))
    rest = text.rest(answer)
    assert streamed == "One. [1] Two. [1] [2]"
    assert rest.startswith("\n\nDo not use the sentences above that cite [2]: that guidance was withdrawn")
    assert "Ask again." in rest
    assert [item.url_citation.title for item in url_citations(text.marks, answer.citations)] == ["Title 1"] * 2


def test_an_earlier_answer_is_cut_where_its_lists_begin() -> None:
    answer = Answer(
        kind=AnswerKind.WRITTEN,
        label="Part of it is not shown.",
        sentences=(Sentence(text="One.", citations=(1,)),),
        citations=(citation(1), citation(2)),
    )
    assert without_lists(AnswerText().rest(answer)) == answer.text
    assert without_lists("References: none.") == "References: none."
