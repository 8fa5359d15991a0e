"""From a thumb on the page to `rollouts filter`: real use is learned from where it was agreed to and liked."""

from __future__ import annotations

from pathlib import Path

import httpx2

from agent import ClinicalAgent, Journal, ScriptedModel, read_journal
from agent.scripted import ByTurn
from retrieval import HashingEncoder, memory_searcher
from service.app import create_app
from service.container import Service
from service.records import open_records
from service.settings import Settings

from ..conftest import QUESTION, corpus
from .invoking import run


async def test_thumbs_and_consent_decide_what_is_learned_from(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, encoder="hashing")
    journal = Journal(settings.journal_dir)
    records = open_records(None, settings.records_file)
    searcher = memory_searcher(corpus(), encoder=HashingEncoder())
    model = ScriptedModel([ByTurn("examplicillin dose")])
    agent = ClinicalAgent(model, searcher, journal, settings=settings.agent_settings(trained=True))
    service = Service(settings=settings, agent=agent, records=records, journal=journal)
    environment = {"CLINSEARCH_DATA_DIR": str(tmp_path)}
    taken = 0

    def kept() -> tuple[str, list[str]]:
        nonlocal taken
        taken += 1
        output = tmp_path / f"kept-{taken}"
        done = run(environment, "rollouts", "filter", str(settings.journal_dir), "--output", str(output))
        assert done.exit_code == 0, done.output
        return done.stdout, [rollout.rollout_id for rollout in read_journal(output)]

    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(create_app(service)), base_url="http://localhost"
    ) as http:
        await http.get("/")
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]

        async def ask(question: str) -> str:
            response = await http.post("/v1/ask", json={"question": question, "conversation_id": conversation})
            return str(response.json()["rollout_id"])

        async def judge(rollout_id: str, feedback: dict[str, str] | None) -> None:
            body = {"rollout_id": rollout_id, "feedback": feedback}
            assert (await http.post("/v1/feedback", json=body)).status_code == 204

        async def agree(training: bool) -> None:
            assert (await http.put("/v1/consent", json={"training": training, "version": "1"})).status_code == 200

        before = await ask(QUESTION)
        await judge(before, {"thumbs": "up"})
        await agree(True)
        liked, disliked, unjudged = await ask("Liked?"), await ask("Disliked?"), await ask("Unjudged?")
        await judge(liked, {"thumbs": "up"})
        await judge(disliked, {"thumbs": "down"})
        assert unjudged
        said, ids = kept()
        assert ids == [liked], "the others were not agreed to, not liked, or not judged"
        assert "left out  no_consent 1" in said
        assert "left out  not_preferred 2" in said
        stats = run(environment, "rollouts", "stats").stdout
        for line in ("thumbs: up", "thumbs: down", "training agreed to"):
            assert line in stats
        await judge(liked, None)
        assert kept()[1] == []
        await judge(liked, {"thumbs": "up"})
        assert kept()[1] == [liked]
        await agree(False)
        assert kept()[1] == []
        await agree(True)  # a new agreement is for what is asked from now on
        assert kept()[1] == []
        again = await ask("Again?")
        await judge(again, {"thumbs": "up"})
        assert kept()[1] == [again]
        assert (await http.delete(f"/v1/conversations/{conversation}")).status_code == 204
        assert kept()[1] == []
    assert run(environment, "rollouts", "validate").exit_code == 0
    journal.close()
    records.close()
