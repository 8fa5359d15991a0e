"""What is measured of answers: names, what each is of, and how it is read."""

from __future__ import annotations

from agent.gate import WithheldReason
from eval.agent.measures import Measure

#: Rests on a scorer that compares words or vectors.
APPROXIMATE = "approximate"

MEASURES: tuple[Measure, ...] = (
    Measure("keys_unresolved", "citations that do not resolve", "citations of sentences", more_is_better=False),
    Measure("uncited", "sentences without a citation", "sentences", more_is_better=False),
    Measure("numbers_altered", "numbers altered", "numbers in sentences", more_is_better=False),
    Measure("numbers_moved", "numbers of another statement", "numbers in sentences", more_is_better=False),
    Measure("supported", f"sentences supported ({APPROXIMATE})", "sentences"),
    Measure("citation_recall", f"citation recall, ALCE ({APPROXIMATE})", "answers with sentences"),
    Measure("citation_precision", f"citation precision, ALCE ({APPROXIMATE})", "answers with sentences"),
    Measure("gold_precision", "citations that are gold", "citations in answers to questions with known gold"),
    Measure("gold_recall", "needed gold cited", "gold passages needed, of answerable questions"),
    Measure("withheld", "withheld by the gate", "sentences written", more_is_better=False),
    *(
        Measure(
            f"withheld:{reason}", f"withheld: {reason.replace('_', ' ')}", "sentences written", more_is_better=False
        )
        for reason in WithheldReason
    ),
    Measure("must_have", f"must-have statements, words ({APPROXIMATE})", "stated must-have statements"),
    Measure("must_have_near", f"must-have statements, meaning ({APPROXIMATE})", "stated must-have statements"),
    Measure("answered", "answered", "answerable questions"),
    Measure("declined", "declined", "unanswerable questions"),
    Measure("asked", "asked back", "questions that lack what decides the answer"),
    Measure("asked_needlessly", "asked back needlessly", "questions known to lack nothing", more_is_better=False),
    Measure("words", "words per answer", "answers with sentences", "count", None),
    Measure("sentences", "sentences per answer", "answers with sentences", "count", None),
    Measure("searches", "searches per answer", "answers with sentences", "count", None),
)
MEASURE_NAMES = tuple(measure.name for measure in MEASURES)
