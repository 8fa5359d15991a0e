"""Prompts: every fixed word the model is shown, in one place, with a hash that binds adapters to it.

The prompt only ever grows at its end within a run, so a server's prefix cache covers every earlier
step. Evidence comes back as a user message and one fixed user line asks for the answer: no tool
roles, so any chat template renders it and roles always alternate.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.client import Message
from agent.evidence import Evidence
from agent.labels import standing_words
from agent.sufficiency import AskedWords, nearest, nearness
from retrieval import DocumentId, Hit, Passage, Source
from retrieval.documents import sha256_of

SYSTEM = """\
You are clinsearch, a clinical search assistant. You answer clinicians from guidelines, never from memory.
Each turn, reply with one JSON object and nothing else:
{{"action": "search", "source": SOURCE, "query": WORDS}} to find recommendations
{{"action": "answer"}} when the evidence shown answers the question
{{"action": "ask_clinician", "missing": WHAT}} when what decides the answer was not said
{{"action": "decline", "reason": "policy" or "not_in_corpus"}}
{{"action": "reply", "kind": "thanks", "about", "reword" or "shorten"}} when no evidence is needed
Sources:
{sources}"""

QUOTE_LINE = (
    "Answer now with statements of the evidence above, word for word: the direct answer first, then dose or action, "
    "then contraindications. End each with the key of its evidence, like [key]."
)
ANSWER_LINE = (
    "Write the answer now, in plain text, using only the evidence above. Short sentences: the direct answer first, "
    "then dose or action, then conditions and contraindications. End every sentence with the key of its "
    "evidence, like [key]."
)
REWORD_LINE = (
    "Say your last answer again in other words, in plain text, using only the evidence above. "
    "End every sentence with the key of its evidence, like [key]."
)
SHORTEN_LINE = (
    "Say your last answer again in one or two sentences, in plain text, using only the evidence above. "
    "End every sentence with the key of its evidence, like [key]."
)
REPAIR_LINE = "That was not usable: {problem}. Reply with one JSON object and nothing else."
REPEATED_LINE = "You already made this search. Use the evidence above, or search with other words."
NOTHING_FOUND_LINE = "The search found nothing. Search with other words, or decline with reason not_in_corpus."
EVIDENCE_HEADING = "Evidence:"
#: How many of the question's words a passage holds, how near it is, and which of the words no passage holds.
MATCH_WORDS = "words: {match}"
#: Said after it where the encoder's cosines are known.
SENSE_WORDS = ", sense: {nearness}"
MISSING_LINE = "Words of the question that no evidence holds: {words}."
NONE_MISSING_LINE = "The evidence holds every word of the question."
NEAREST_LINE = "Nearest sense: {nearness}."
MAX_MISSING = 8
#: In place of a population or contraindications that stand with an earlier passage of the same guideline.
AS_ABOVE = "as above"
EARLIER_EVIDENCE_HEADING = "Evidence of your last answer:"


def prompt_sha256() -> str:
    """Hash of every fixed prompt text; an adapter is bound to it by its card."""
    return sha256_of(
        [
            *(SYSTEM, QUOTE_LINE, ANSWER_LINE, REWORD_LINE, SHORTEN_LINE, REPAIR_LINE),
            *(REPEATED_LINE, NOTHING_FOUND_LINE, EVIDENCE_HEADING, EARLIER_EVIDENCE_HEADING),
            *(MATCH_WORDS, SENSE_WORDS, MISSING_LINE, NONE_MISSING_LINE, NEAREST_LINE, AS_ABOVE),
        ]
    )


def system_message(sources: Sequence[Source]) -> Message:
    """The system message, naming the sources the model may choose between."""
    lines = "\n".join(f"- {source.id}: {source.description}" for source in sources)
    return Message(role="system", content=SYSTEM.format(sources=lines))


def neutral(text: str) -> str:
    """Text that no chat template can mistake for its own markers ("<|im_end|>")."""
    return text.replace("<|", "< |")


def evidence_message(
    evidence: Sequence[Evidence],
    heading: str = EVIDENCE_HEADING,
    *,
    asked: AskedWords | None = None,
    so_far: Sequence[Evidence] = (),
) -> Message:
    """New evidence as one user message; each passage is whole, with its grade and population.

    With `asked`, each says how much of the question's words it holds and how near it is in meaning; the last line names
    what no evidence `so_far` (the new included) holds, and the nearest of it.
    """
    blocks = []
    said: set[tuple[DocumentId, str]] = set()
    for item in evidence:
        passage, document = item.hit.passage, item.hit.document
        heading_parts = [
            *([_match(asked, item.hit)] if asked else []),
            *passage.section[:1],
            ", ".join(filter(None, (_first_named(document.publisher), (document.published or "")[:4]))),
            *filter(None, [standing_words(item.hit)]),
        ]
        blocks.append(f"[{item.key}] {' | '.join(heading_parts)} | {_said_once(passage, said)}")
    if asked:
        hits = [item.hit for item in (*so_far, *evidence)]
        missing = asked.missing(hits)
        said_last = MISSING_LINE.format(words=", ".join(missing[:MAX_MISSING])) if missing else NONE_MISSING_LINE
        step = nearest(hits)
        blocks.append(f"{said_last} {NEAREST_LINE.format(nearness=step)}" if step else said_last)
    return Message(role="user", content=neutral("\n".join([heading, *blocks])))


def _match(asked: AskedWords, hit: Hit) -> str:
    step = nearness(hit)
    return MATCH_WORDS.format(match=asked.match(hit)) + (SENSE_WORDS.format(nearness=step) if step else "")


def _first_named(publisher: str) -> str:
    """The first of several bodies that published together."""
    first, *others = publisher.split(";")
    return f"{first} et al." if others else first


def _said_once(passage: Passage, said: set[tuple[DocumentId, str]]) -> str:
    """The citable text of a passage; what a guideline says of all its recommendations alike is said with the first."""
    update: dict[str, object] = {}
    for field, text in (
        ("population", passage.population),
        ("contraindications", "; ".join(passage.contraindications)),
    ):
        if text and (passage.document_id, text) in said:
            update[field] = AS_ABOVE if field == "population" else (AS_ABOVE,)
        elif text:
            said.add((passage.document_id, text))
    return passage.model_copy(update=update).citable_text
