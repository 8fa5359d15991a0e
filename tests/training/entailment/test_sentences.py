"""If these fail, the sentences that ship cannot be trained on."""

from __future__ import annotations

import re

from retrieval import starter_entries
from training.entailment import labelled, read_written_sentences


def test_every_line_is_read_and_no_statement_stands_in_two_parts() -> None:
    rows = read_written_sentences()
    assert len(rows) > 3_000
    places = [(row.passage, row.statement) for row in rows]
    assert len(set(places)) == len(places)
    assert {row.part for row in rows} == {"train", "calibration", "dev", "test"}


def test_those_on_the_starter_guidelines_are_whole_sentences_again() -> None:
    library = {passage.id: (passage, entry.document) for entry in starter_entries() for passage in entry.passages}
    rows = [row for row in read_written_sentences() if row.passage in library]
    sentences, lost = labelled(rows, library)
    assert lost == 0
    assert len(sentences) == 4 * len(rows) > 400
    for one in sentences:
        assert len(one.sentence.split()) >= 3
        assert one.sentence != one.statement
    assert {one.form for one in sentences} == {"close", "other", "wrong_close", "wrong_other"}


def test_a_statement_that_changed_is_left_out_and_counted() -> None:
    entries = {passage.id: entry for entry in starter_entries() for passage in entry.passages}
    row = next(row for row in read_written_sentences() if row.passage in entries)
    entry = entries[row.passage]
    library = {
        passage.id: (passage.model_copy(update={"text": "Another text stands here now."}), entry.document)
        for passage in entry.passages
    }
    assert labelled([row], library) == ((), 1)


def test_a_sentence_keeps_no_long_run_of_a_statements_words() -> None:
    """What is the publisher's stays in the library."""
    library = {passage.id: (passage, entry.document) for entry in starter_entries() for passage in entry.passages}
    for row in read_written_sentences():
        held = library.get(row.passage)
        if held is None:
            continue
        text = " ".join(re.findall(r"\w+", held[0].text.lower()))
        for edit in (*row.close, *row.wrong_close):
            if isinstance(edit, str):
                words = re.findall(r"\w+", edit.lower())
                assert not any(f" {' '.join(words[at : at + 8])} " in f" {text} " for at in range(len(words) - 7)), edit
