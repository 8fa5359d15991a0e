"""If these fail, a search misses what it was asked for in other words, or looks for another drug than was asked for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retrieval.expansion import _ALONE, EXPANSION_FILES, Meaning, _alone, expanded, expansion_table, expansions

TABLE = expansion_table()
COMBINATIONS = {
    "adcal d3", "adcal-d3", "advair", "amalar", "amatem", "ampiclox", "atripla", "augmentin", "bactrim", "biktarvy",
    "brinerdin", "calcichew-d3", "camosunate", "canesten hc", "co-codamol", "co-diovan", "coartem", "combivent",
    "combivir", "descovy", "dianette", "dovato", "dovobet", "duac", "duofem", "emla", "entresto", "epclusa",
    "epiduo", "eurartesim", "exforge", "fansidar", "fefol", "fostair", "fucibet", "funbact-a", "genvoya", "harvoni",
    "hyzaar", "janumet", "kaletra", "kivexa", "lo-femenal", "lokmal", "lomotil", "lonart", "madopar", "malarone",
    "maloxine", "mavyret", "microgynon", "moduretic", "normoretic", "nuvaring", "p-alaxin", "pabrinex", "paxlovid",
    "percocet", "relvar", "riamet", "rifinah", "septra", "septrin", "seretide", "sinemet", "soliqua", "solpadol",
    "suboxone", "symbicort", "synjardy", "syntometrine", "targinact", "tazocin", "tramacet", "trelegy", "trikafta",
    "trimbow", "triumeq", "truvada", "unasyn", "vicodin", "vytorin", "xigduo", "xonvea", "zestoretic", "zosyn",
}  # fmt: skip
UNITS = {"mg", "mcg", "ug", "g", "kg", "ml", "dl", "l", "iu", "mmol", "mol", "meq", "cm", "mm", "h", "min", "bpm"}
ENTRIES = (*TABLE.any_case, *TABLE.capitals, *TABLE.beside, *TABLE.frequencies, *TABLE.brands)
PAIRS = (*TABLE.names, *TABLE.terms)
WORDS = {word for entry in (*ENTRIES, *(name for pair in PAIRS for name in pair)) for word in entry.split()}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("dose of LMWH", "dose of LMWH (low molecular weight heparin)"),
        ("uti in pregnancy", "uti (urinary tract infection) in pregnancy"),
        ("AF and Eliquis", "AF (atrial fibrillation) and Eliquis (apixaban)"),
        ("Augmentin for otitis", "Augmentin (amoxicillin clavulanate amoxycillin) for otitis"),
        ("Tylenol in children", "Tylenol (paracetamol acetaminophen) in children"),
        ("albuterol by spacer", "albuterol (salbutamol) by spacer"),
        ("19F, PID, vomiting", "19F, PID (pelvic inflammatory disease), vomiting"),
        (
            "TV after two rounds of Flagyl",
            "TV (Trichomonas vaginalis trichomoniasis) after two rounds of Flagyl (metronidazole)",
        ),
        ("whipworm in a child", "whipworm (trichuriasis Trichuris trichiura) in a child"),
        ("on atorva", "on atorva (atorvastatin)"),
        ("MS relapse", "MS (multiple sclerosis) relapse"),
        ("is PE treated with apixaban", "is PE (pulmonary embolism) treated with apixaban"),
        ("amoxicillin 500mg bid", "amoxicillin (amoxycillin) 500mg bid (twice daily)"),
        ("2 tablets TDS", "2 tablets TDS (three times daily)"),
        ("5 mg/kg q8h", "5 mg/kg q8h (every 8 hours)"),
        ("19F, DKA, K 3.1", "19F, DKA (diabetic ketoacidosis), K (potassium) 3.1"),
        ("Na of 118", "Na (sodium) of 118"),
        ("34+2/40, BP 150/100", "34+2/40 (34 weeks pregnant), BP 150/100"),
        ("vault smears after 2015", "vault smears (vaginal vault cytology) after 2015"),
        ("COPD-related admission", "COPD (chronic obstructive pulmonary disease)-related admission"),
    ],
)
def test_other_words_stand_after_what_was_said(query: str, wanted: str) -> None:
    assert expanded(query) == wanted


@pytest.mark.parametrize(
    "query",
    [
        "af",  # small letters: part of a name or a slip
        "X-CSF",
        "HPV-16 positive",
        "CKD-EPI equation",
        "HIV1",
        "5AF",
        "0.5.AF",
        "MS in 2019",
        "PE in primary school",  # no embolism
        "PID, immunoglobulins low",
        "PCV 13",
        "RA 94%",
        "we bid farewell",
        "BD chair",
        "noradrenalines",
        "atrial fibrillation (AF)",  # said already
        "\u0131bd",  # a Turkish dotless i
        "2 BD-9",
        "vitamin K 10 mg",
        "K-ras 12",
        "Na and K",
        "BP 140/40",
        "BP 90/40",
        "score 10/400",
        "12/40/3",
    ],
)
def test_what_is_not_plainly_meant_stays_as_it_is(query: str) -> None:
    assert expanded(query) == query


@given(st.text())
def test_a_query_without_words_of_the_table_is_unchanged(query: str) -> None:
    folded = query.casefold()
    if not any(word.casefold() in folded for word in WORDS):
        assert expanded(query) == query


@given(st.lists(st.one_of(st.sampled_from(sorted(WORDS)), st.text(max_size=5), st.from_regex(r"\d+(mg)?")), max_size=8))
def test_the_words_of_a_query_are_all_kept_and_no_number_is_touched(parts: list[str]) -> None:
    query = " ".join(parts)
    found, text = expansions(query), expanded(query)
    for item in reversed(found):
        added, rest = f" ({item.words})", query[item.end :]
        assert text.endswith(added + rest)
        text = text.removesuffix(added + rest) + rest
        assert any(character.isalpha() for character in query[item.start : item.end])
    assert text == query


@pytest.mark.parametrize("decided", [{}, {"words": ["disc"], "unless": ["pelvi"]}])
def test_a_meaning_is_decided_one_way(decided: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError, match="words or unless"):
        Meaning.model_validate({"is": "prolapsed disc", **decided})


def test_only_combination_products_have_several_contents() -> None:
    assert {brand for brand, contents in TABLE.brands.items() if len(contents) > 1} == COMBINATIONS
    assert all(len(set(contents)) == len(contents) for contents in TABLE.brands.values())


def test_no_drug_leads_to_another() -> None:
    contents = {item for items in TABLE.brands.values() for item in items}
    names = [name.casefold() for pair in PAIRS for name in pair]
    assert not TABLE.brands.keys() & (contents | set(names))
    assert not TABLE.any_case.keys() & set(names)
    assert len(set(names)) == len(names), "a substance has two names here, not a chain of them"


def test_no_entry_stands_twice_or_is_a_unit() -> None:
    # The YAML reader keeps the last of two entries without a word.
    text = "\n".join(file.read_text("utf-8") for file in EXPANSION_FILES)
    keys = [key.strip('"') for key in re.findall(r"^  ([^-#\s][^:]*):", text, re.MULTILINE)]
    assert len({key.casefold() for key in keys}) == len(keys) == len(ENTRIES)
    assert not UNITS & {word.casefold() for word in ENTRIES}
    assert all(entry == entry.casefold() for entry in (*TABLE.any_case, *TABLE.brands, *TABLE.frequencies))
    assert all(sum(map(str.isupper, entry)) >= 2 for entry in (*TABLE.capitals, *TABLE.beside))


@given(
    st.sets(st.text(alphabet="ab-", min_size=1, max_size=4), min_size=1),
    st.text(alphabet="ab- ", max_size=24),
    st.sampled_from([re.NOFLAG, re.IGNORECASE]),
)
def test_words_are_found_as_a_list_of_them_from_the_longest_finds_them(
    words: set[str], text: str, flags: re.RegexFlag
) -> None:
    listed = re.compile(_ALONE.format("|".join(map(re.escape, sorted(words, key=len, reverse=True)))), flags)
    for said in (text, text.upper()):
        found = [match.span() for match in _alone(words, flags).finditer(said)]
        assert found == [match.span() for match in listed.finditer(said)]
