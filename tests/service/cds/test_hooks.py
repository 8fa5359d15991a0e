"""A record system asks as CDS Hooks 2.0 says, and gets recommendations whole, of this patient, or nothing."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

import pytest

from service.cds.finding import find
from service.cds.patient import read_patient
from service.cds.subjects import Subject
from service.container import Service
from service.problems import ProblemError

from ..conftest import ServiceFactory, client_of
from .asking import (
    ACCESS_TOKEN,
    NAME,
    ORDER_SELECT,
    PATIENT_VIEW,
    JsonObject,
    allergies,
    bundle,
    condition,
    guideline,
    order_select,
    patient_view,
    prefetch,
)

FEVER = "Give adults with example fever examplicillin 250 mg by mouth twice daily for 5 days."
ENTRIES = [
    guideline("example fever", FEVER, contraindications=("Allergy to examplicillin",)),
    guideline("sample rash", "Do not give adults with sample rash samplomycin by mouth."),
]


@pytest.fixture
def open_service(make_service: ServiceFactory) -> Service:
    return make_service(cds="open", entries=ENTRIES)


async def cards(service: Service, address: str, body: JsonObject) -> list[dict[str, Any]]:
    async with client_of(service) as http:
        response = await http.post(address, json=body)
    assert response.status_code == 200, response.text
    found = response.json()["cards"]
    assert isinstance(found, list)
    return found


async def refused(service: Service, address: str, body: JsonObject) -> tuple[int, str, str]:
    async with client_of(service) as http:
        response = await http.post(address, json=body)
    problem = response.json()
    return response.status_code, problem["code"], problem["detail"]


async def test_there_is_nothing_until_somebody_turns_it_on(service: Service) -> None:
    async with client_of(service) as http:
        assert (await http.get("/cds-services")).status_code == 404
        assert (await http.post(PATIENT_VIEW, json=patient_view())).status_code == 404
        assert "/cds-services" not in (await http.get("/docs")).text


async def test_discovery_names_hooks_and_what_to_prefetch(open_service: Service) -> None:
    async with client_of(open_service) as http:
        response = await http.get("/cds-services")
    services = response.json()["services"]
    assert [(item["hook"], item["id"]) for item in services] == [
        ("patient-view", "clinsearch-patient-view"),
        ("order-select", "clinsearch-order-select"),
    ]
    for item in services:
        assert item["title"]
        assert item["description"]
        assert item["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        assert item["prefetch"]["conditions"].startswith("Condition?patient={{context.patientId}}")


async def test_a_problem_on_the_list_brings_its_recommendation_whole(open_service: Service) -> None:
    (card,) = await cards(open_service, PATIENT_VIEW, patient_view(condition("Example fever")))
    assert FEVER in card["detail"]
    for line in ("Strength: Strong", "Contraindications: Allergy to examplicillin", "Test Society, 2024-05, GB"):
        assert line in card["detail"]
    assert card["indicator"] == "info"
    assert card["source"] == {
        "label": "Test Society (2024)",
        "url": "https://example.org/guideline",
        "topic": {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R50.9", "display": "Example fever"},
    }
    (link,) = card["links"]
    assert (link["url"], link["type"]) == ("https://example.org/guideline", "absolute")
    assert card["uuid"]
    assert "Not recorded here: pregnancy, allergies, eGFR." in card["detail"], "silence is not a check"


async def test_a_summary_never_cuts_a_dose(make_service: ServiceFactory) -> None:
    long = f"{FEVER} " * 20
    service = make_service(
        cds="open", entries=[guideline("example fever", long, population="Adults with example fever " * 9)]
    )
    (card,) = await cards(service, PATIENT_VIEW, patient_view(condition("Example fever")))
    assert len(card["summary"]) < 140
    assert "mg" not in card["summary"]
    assert long.strip() in card["detail"]


@pytest.mark.parametrize("name", ["Achalasia of cardia", "", "   "])
async def test_no_recommendation_on_the_subject_is_no_card(open_service: Service, name: str) -> None:
    assert await cards(open_service, PATIENT_VIEW, patient_view(condition(name))) == []


async def test_past_and_refuted_problems_are_not_looked_up(open_service: Service) -> None:
    past = condition("Example fever", clinicalStatus={"coding": [{"code": "resolved"}]})
    refuted = condition("Example fever", verificationStatus={"coding": [{"code": "refuted"}]})
    ended = condition("Example fever", abatementDateTime="2020-01-01")
    assert await cards(open_service, PATIENT_VIEW, patient_view(past, refuted, ended)) == []


async def test_what_coders_add_to_a_name_does_not_hide_its_guideline(open_service: Service) -> None:
    (card,) = await cards(
        open_service, PATIENT_VIEW, patient_view(condition("Acute example fever, unspecified (disorder)"))
    )
    assert FEVER in card["detail"]


async def test_a_code_without_a_name_is_named_by_the_codes_of_the_deployment(make_service: ServiceFactory) -> None:
    codes = guideline(
        "R50",
        "ICD-10-CM 2021, category R50\nCode: R50.9; Meaning: Example fever, unspecified; Use: valid for coding",
        source="codes",
    )
    bare = patient_view(condition(None, "R50.9"))
    (card,) = await cards(make_service(cds="open", entries=[*ENTRIES, codes]), PATIENT_VIEW, bare)
    assert FEVER in card["detail"]
    assert await cards(make_service(cds="open", entries=ENTRIES), PATIENT_VIEW, bare) == []


async def test_a_stated_contraindication_in_the_record_is_said_first(open_service: Service) -> None:
    body = patient_view(condition("Example fever"), allergies=allergies("Examplicillin 250 MG"))
    (card,) = await cards(open_service, PATIENT_VIEW, body)
    assert card["summary"].startswith("Check the record first.")
    assert card["detail"].startswith(
        "**Check against the record:** An allergy is recorded: Examplicillin 250 MG. "
        "Stated contraindication: Allergy to examplicillin."
    )


async def test_what_fits_comes_before_what_does_not(make_service: ServiceFactory) -> None:
    entries = [
        guideline("example fever", FEVER, contraindications=("Penicillin allergy",)),
        guideline("example fever again", "For example fever of any kind, samplomycin is an alternative."),
    ]
    service = make_service(cds="open", entries=entries)
    body = patient_view(condition("Example fever"), allergies=allergies("Amoxicillin"))
    found = await cards(service, PATIENT_VIEW, body)
    assert [card["summary"].startswith("Check") for card in found] == [False, True]


async def test_few_cards_of_several_problems_in_turn(make_service: ServiceFactory) -> None:
    names = ("example fever", "sample rash", "test cough", "trial ache", "mock itch")
    service = make_service(
        cds="open", entries=[guideline(name, *(f"For {name}, advice {n}." for n in range(5))) for name in names]
    )
    body = patient_view(*(condition(name, recordedDate=f"2024-01-0{9 - n}") for n, name in enumerate(names)))
    found = await cards(service, PATIENT_VIEW, body)
    assert len(found) == 4
    # The three newest problems, each before any has two.
    assert {card["source"]["topic"]["display"] for card in found[:3]} == set(names[:3])


async def test_the_selected_medicine_brings_what_names_it(open_service: Service) -> None:
    body = order_select("Examplicillin 120 MG/ML Oral Suspension", condition("Example fever"))
    (card,) = await cards(open_service, ORDER_SELECT, body)
    assert FEVER in card["detail"]
    assert card["source"]["topic"]["code"] == "617993"
    assert "order of examplicillin, and Example fever" in card["detail"]


async def test_a_medicine_that_no_recommendation_names_brings_no_card(open_service: Service) -> None:
    """The specification's own example order; the draft that was not selected is not looked up either."""
    medicine = "Amoxicillin 120 MG/ML / clavulanate potassium 8.58 MG/ML Oral Suspension"
    assert await cards(open_service, ORDER_SELECT, order_select(medicine, condition("Sample rash"))) == []


async def test_an_order_is_found_by_the_medicines_other_name(make_service: ServiceFactory) -> None:
    service = make_service(cds="open", entries=[guideline("example fever", "For example fever give co-amoxiclav.")])
    medicine = "Amoxicillin 120 MG/ML / clavulanate potassium 8.58 MG/ML Oral Suspension"
    (card,) = await cards(service, ORDER_SELECT, order_select(medicine, condition("Example fever")))
    assert "co-amoxiclav" in card["detail"]


@pytest.mark.parametrize("key", ["patient", "conditions"])
@pytest.mark.parametrize("instead", [None, {"resourceType": "OperationOutcome"}])
async def test_412_where_needed_data_was_not_prefetched(
    open_service: Service, key: str, instead: JsonObject | None
) -> None:
    """The specification: 412 where data is missing and cannot be fetched. An error in its place is not data."""
    for address, body in ((PATIENT_VIEW, patient_view()), (ORDER_SELECT, order_select("examplicillin"))):
        if instead is None:
            del body["prefetch"][key]
        else:
            body["prefetch"][key] = instead
        status, code, detail = await refused(open_service, address, body)
        assert (status, code) == (412, "prefetch_missing")
        assert f"prefetch.{key}" in detail


async def test_412_without_any_prefetch(open_service: Service) -> None:
    body = patient_view()
    del body["prefetch"]
    assert (await refused(open_service, PATIENT_VIEW, body))[0] == 412


async def test_null_says_that_there_is_nothing(open_service: Service) -> None:
    assert (
        await cards(open_service, PATIENT_VIEW, patient_view() | {"prefetch": {"patient": None, "conditions": None}})
        == []
    )


@pytest.mark.parametrize("field", ["hook", "hookInstance", "context"])
async def test_a_required_field_is_missing(open_service: Service, field: str) -> None:
    body = patient_view(condition("Example fever"))
    del body[field]
    status, code, detail = await refused(open_service, PATIENT_VIEW, body)
    assert (status, code) == (422, "invalid_request")
    assert field in detail


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (PATIENT_VIEW, "userId"),
        (PATIENT_VIEW, "patientId"),
        (ORDER_SELECT, "selections"),
        (ORDER_SELECT, "draftOrders"),
    ],
)
async def test_required_context_is_missing(open_service: Service, address: str, field: str) -> None:
    body = patient_view() if address == PATIENT_VIEW else order_select("examplicillin")
    del body["context"][field]
    status, _, detail = await refused(open_service, address, body)
    assert status == 422
    assert f"context.{field}" in detail


async def test_another_hook_than_the_services_is_refused(open_service: Service) -> None:
    status, _, detail = await refused(open_service, ORDER_SELECT, order_select("x") | {"hook": "order-sign"})
    assert status == 422
    assert "hook" in detail
    async with client_of(open_service) as http:
        assert (await http.post("/cds-services/of-somebody-else", json=patient_view())).status_code == 404


async def test_another_patients_data_is_refused(open_service: Service) -> None:
    other = condition("Example fever", subject={"reference": "https://fhir.example/r4/Patient/77/_history/2"})
    mine = patient_view()
    mine["prefetch"]["patient"]["id"] = "77"
    draft = order_select("examplicillin")
    draft["context"]["draftOrders"]["entry"][1]["resource"]["subject"] = {"reference": "Patient/77"}
    for address, body in ((PATIENT_VIEW, patient_view(other)), (PATIENT_VIEW, mine), (ORDER_SELECT, draft)):
        assert (await refused(open_service, address, body))[:2] == (422, "other_patient")


@pytest.mark.parametrize("broken", [[], "x", {"resourceType": "Condition", "code": 5}, {"resourceType": "Patient"}])
async def test_what_is_not_fhir_is_refused_without_its_values(open_service: Service, broken: object) -> None:
    body = patient_view()
    body["prefetch"]["conditions"] = broken
    assert (await refused(open_service, PATIENT_VIEW, body))[:2] == (422, "fhir_unreadable")


async def test_nothing_of_a_patient_or_a_token_is_logged(
    open_service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await cards(open_service, PATIENT_VIEW, patient_view(condition("Example fever")))
    await refused(open_service, PATIENT_VIEW, patient_view() | {"context": {"patientId": "1288992"}})
    assert "/cds-services/clinsearch-patient-view 200" in caplog.text
    for secret in (ACCESS_TOKEN, NAME, "1288992", "Example fever", "R50"):
        assert secret not in caplog.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://[", "https://a b.example", "https:///x"])
async def test_markup_of_a_guideline_is_inert_and_what_is_no_web_address_is_no_link(
    make_service: ServiceFactory, url: str
) -> None:
    entry = guideline("example fever", "For example fever <img src=x onerror=alert(1)> see [us](javascript:alert(1)).")
    entry = entry.model_copy(update={"document": entry.document.model_copy(update={"url": url})})
    (card,) = await cards(
        make_service(cds="open", entries=[entry]), PATIENT_VIEW, patient_view(condition("Example fever"))
    )
    assert "links" not in card
    assert "url" not in card["source"]
    assert "<" not in card["detail"]
    assert r"\[us\](javascript:alert(1))" in card["detail"]


async def test_feedback_is_counted_and_not_kept(open_service: Service) -> None:
    dismissed = {
        "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
        "outcome": "overridden",
        "overrideReason": {"reason": {"code": "disagree"}, "userComment": "A comment on Mr Watts."},
        "outcomeTimestamp": "2020-12-11T00:00:00Z",
    }
    of_theirs = dismissed | {"overrideReason": {"reason": {"code": "d7ecf885"}}}
    accepted = dismissed | {"outcome": "accepted", "acceptedSuggestions": [{"id": "e56e1945"}], "overrideReason": {}}
    async with client_of(open_service) as http:
        address = f"{PATIENT_VIEW}/feedback"
        assert (await http.post(address, json={"feedback": [dismissed, of_theirs, accepted]})).status_code == 200
        nothing_accepted = accepted | {"acceptedSuggestions": []}
        assert (await http.post(address, json={"feedback": [nothing_accepted]})).status_code == 422
        assert (await http.post(address, json={"feedback": []})).status_code == 422
        metrics = (await http.get("/metrics")).text
    for reason in ('outcome="overridden",reason="disagree"', 'outcome="overridden",reason="other"', 'reason="none"'):
        assert 'clinsearch_cds_feedback_total{hook="patient-view",' in metrics
        assert reason in metrics
    assert "d7ecf885" not in metrics
    assert "Watts" not in metrics


async def test_a_busy_service_says_so(open_service: Service) -> None:
    while not open_service.slots.locked():
        await open_service.slots.acquire()
    status, code, _ = await refused(open_service, PATIENT_VIEW, patient_view(condition("Example fever")))
    assert (status, code) == (503, "too_many_runs")


async def test_a_search_that_takes_too_long_is_a_503_and_not_an_empty_list(open_service: Service) -> None:
    """No card means that there is nothing on the subject; it must not mean that nobody looked."""
    patient = read_patient(prefetch(), "1288992", date(2025, 1, 1))
    subject = Subject(query="Example fever", reason="Example fever", topic=None, condition="Example fever")
    with pytest.raises(ProblemError, match="did not end in time"):
        await find(open_service, (subject,), patient, deadline_s=0)
    assert len(await find(open_service, (subject,), patient)) == 1


async def test_a_bundle_of_other_things_is_no_problem(open_service: Service) -> None:
    body = patient_view(condition("Example fever"), {"resourceType": "OperationOutcome"}, egfr=bundle())
    assert len(await cards(open_service, PATIENT_VIEW, body)) == 1
