"""The chat page in a real Chromium against the real application, with a scripted model and invented guidelines.

The browser is started once per module: Playwright's sync API keeps an event loop in this thread while it lives, which
async tests of other modules must not meet.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from agent import ClinicalAgent, Completion, CompletionRequest, MemoryJournal, ModelIdentity, ScriptedModel
from agent.client import TextDelta
from agent.prompts import EVIDENCE_HEADING
from agent.scripted import ANSWER, search
from retrieval import (
    CorpusEntry,
    Document,
    DocumentId,
    HashingEncoder,
    Passage,
    PassageId,
    PassageKind,
    SourceId,
    memory_searcher,
)
from service.app import create_app
from service.container import Service
from service.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Longest any one thing on the page may take, milliseconds.
PATIENCE_MS = 15_000

DOSE = "For an adult with example fever, give examplicillin 250 mg by mouth 3 times daily for 5 days."
ALLERGY = (
    "For an adult with example fever and examplicillin allergy, give samplomycin 100 mg by mouth once daily for 7 days."
)
REVIEW = "Review an adult with example fever after 48 hours, and refer to hospital when breathing is laboured."
ELSEWHERE = "For an adult with example fever, give otherocillin 40 mg by mouth twice daily for 3 days."
#: Markup as a careless or hostile author could write it; it must arrive as these characters.
HOSTILE = '<img src=x onerror="window.broken=1"> Give hostilomycin <script>window.broken=1</script> 5 mg once daily.'
NOTICE = "Invented for tests. Not for patient care: check the publisher's own guideline before acting."


def _entry(
    name: str, *texts: str, title: str, year: str, url: str, review_by: str | None = None, **passage: object
) -> CorpusEntry:
    document_id = DocumentId(f"test/{name}")
    return CorpusEntry(
        document=Document(
            id=document_id,
            source=SourceId("guidelines"),
            title=title,
            publisher="Institute for Worked Examples",
            region="GB",
            published=year,
            review_by=review_by,
            url=url,
            notice=NOTICE,
        ),
        passages=tuple(
            Passage.model_validate(
                {
                    "id": PassageId(f"test/{name}/{i}"),
                    "document_id": document_id,
                    "kind": PassageKind.RECOMMENDATION,
                    "section": ("Example fever in adults", "treatment"),
                    "text": text,
                    "population": "Adults with example fever treated outside hospital",
                    **passage,
                }
            )
            for i, text in enumerate(texts)
        ),
    )


def corpus() -> list[CorpusEntry]:
    """Invented guidelines: one in good order, one whose every field tries to become markup."""
    return [
        _entry(
            "fever",
            DOSE,
            ALLERGY,
            title="Example fever, diagnosis and management (EX12)",
            year="2025-09",
            url="https://example.org/guidance/ex12",
            strength="Strong",
            certainty="Moderate",
            contraindications=("Examplicillin allergy", "Severe renal impairment"),
        ),
        _entry(
            "review",
            REVIEW,
            title="Following up fevers in general practice",
            year="2019",
            url="https://example.org/follow-up",
            review_by="2021",
        ),
        _entry(
            "hostile",
            HOSTILE,
            title="<b onmouseover=alert(1)>Hostile</b> guideline",
            year="2020",
            url="javascript:window.broken=1",
            strength="<i>Strong</i>",
            population="<svg onload=window.broken=1>",
            contraindications=("<img src=x onerror=window.broken=1>",),
        ),
    ]


def wider_corpus() -> list[CorpusEntry]:
    """The same, with more in the first guideline than an answer uses, and a guideline of another country."""
    fever, *others = corpus()
    more = tuple(
        Passage(
            id=PassageId(f"test/fever/rash-{name}"),
            document_id=fever.document.id,
            kind=PassageKind.RECOMMENDATION,
            section=("Sample rash", "monitoring"),
            text=f"Look again at {name} with sample rash after {days} days.",
            population=f"{name.capitalize()} with sample rash",
        )
        for days, name in enumerate(("adults", "children", "pregnant women"), start=2)
    )
    (elsewhere,) = [
        _entry(
            "elsewhere", ELSEWHERE, title="Fevers, a practice guideline", year="2024-02", url="https://example.org/us"
        )
    ]
    moved = elsewhere.document.model_copy(update={"region": "US", "publisher": "Society for Worked Examples"})
    wider = fever.model_copy(update={"passages": fever.passages + more})
    return [wider, *others, elsewhere.model_copy(update={"document": moved})]


def _cite(request: CompletionRequest, text: str) -> str:
    """A recommendation's own words with the key this run gave it."""
    shown = "\n".join(message.content for message in request.messages)
    # Evidence lines begin with their key; an earlier answer in the history may hold the same words.
    found = re.search(rf"^\[([a-z]{{3}})\] .*{re.escape(text)}", shown, re.MULTILINE)
    assert found is not None, "the search did not find what the scripted model wants to cite"
    return f"{text} [{found.group(1)}]"


def play(request: CompletionRequest) -> str:
    """What the model says, chosen by a word of the last question."""
    said = [message.content for message in request.messages if message.role == "user"]
    searched = any(content.startswith(EVIDENCE_HEADING) for content in said)
    question = next(
        content for content in reversed(said) if "?" in content and not content.startswith(EVIDENCE_HEADING)
    )
    if request.json_schema is not None:
        if "vague" in question:
            return json.dumps({"action": "ask_clinician", "missing": "allergy"})
        if "elsewhere" in question and searched:
            return json.dumps({"action": "decline", "reason": "not_in_corpus"})
        return ANSWER if searched else search("example fever treatment")
    if "hostile" in question:
        return f"{_cite(request, HOSTILE)}\n<img src=x onerror='window.broken=1'> {_cite(request, DOSE)}"
    if "other country" in question:
        return _cite(request, ELSEWHERE)
    if "unverified" in question:
        return "Examplicillin is a fine drug. Give 900 mg daily."
    if "partly" in question:
        return f"{_cite(request, DOSE)}\n{_cite(request, DOSE).replace('250', '900')}\nRest helps."
    if "slowly" in question:
        return f"{_cite(request, DOSE)}\n{PacedModel.PAUSE}{_cite(request, REVIEW)}"
    return "\n".join(_cite(request, text) for text in (DOSE, ALLERGY, REVIEW))


class PacedModel(ScriptedModel):
    """A scripted model whose answer hangs wherever its text says so."""

    PAUSE = "\f"

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        async for item in super().stream(request, timeout_s):
            if isinstance(item, TextDelta) and self.PAUSE in item.text:
                before, _, after = item.text.partition(self.PAUSE)
                yield TextDelta(text=before)
                await asyncio.sleep(20)
                yield TextDelta(text=after)
            else:
                yield item


@pytest.fixture(scope="module")
def journal() -> MemoryJournal:
    """The runs the application carried out, oldest first."""
    return MemoryJournal()


@pytest.fixture(scope="module")
def entries() -> list[CorpusEntry]:
    """What the application searches."""
    return corpus()


@pytest.fixture(scope="module")
def address(
    journal: MemoryJournal, entries: list[CorpusEntry], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where the application listens, on a free port of this machine."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("var"), encoder="hashing")
    model = PacedModel([play], identity=ModelIdentity(model="scripted", trained=True))
    searcher = memory_searcher(entries, encoder=HashingEncoder())
    agent = ClinicalAgent(model, searcher, journal, settings=settings.agent_settings(trained=True))
    app = create_app(Service(settings=settings, agent=agent, journal=journal))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started, "the application did not start"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    if not CHROMIUM.exists():
        pytest.fail(
            f"The chat page is tested in Chromium and {CHROMIUM} is missing. Run `make test`, which installs it."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """Errors and warnings on the browser's console that a test did not expect; any fails the test."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    """The chat page on a desk, with its console watched."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=address)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    yield page
    context.close()
    assert complaints == [], "the browser complained on its console"


def ask(page: Page, question: str) -> None:
    """Type a question and press Enter."""
    box = page.get_by_role("textbox")
    box.fill(question)
    box.press("Enter")


def finished(page: Page) -> None:
    """Wait until the last turn has ended."""
    page.locator(".turn:last-child.settled").wait_for()
