"""A service over real records and a real journal, with a scripted model, as a process that can be killed.

    python service_child.py DATA_DIR

It prints the port it listens on.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn

from agent import ClinicalAgent, Journal, ScriptedModel
from agent.scripted import ByTurn
from retrieval import HashingEncoder, memory_searcher
from service.app import create_app
from service.container import Service
from service.records import open_records
from service.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.service.conftest import corpus

settings = Settings(data_dir=Path(sys.argv[1]), encoder="hashing")
journal = Journal(settings.journal_dir)
records = open_records(None, settings.records_file)
agent = ClinicalAgent(
    ScriptedModel([ByTurn("examplicillin dose")]),
    memory_searcher(corpus(), encoder=HashingEncoder()),
    journal,
    settings=settings.agent_settings(trained=True),
)
service = Service(settings=settings, agent=agent, records=records, journal=journal)
service.delivery.everything()
listening = socket.create_server(("127.0.0.1", 0))
sys.stdout.write(f"{listening.getsockname()[1]}\n")
sys.stdout.flush()
server = uvicorn.Server(uvicorn.Config(create_app(service), log_level="error", ws="none"))
asyncio.run(server.serve(sockets=[listening]))
