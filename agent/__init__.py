"""The agent: decides whether to search, what to ask of which source, and when to stop; answers with sources.

Drives `retrieval` and a model server over HTTP. Knows nothing of the web service around it.
"""

from agent.answer import Answer, AnswerKind, Citation, Notice, Sentence, StopReason
from agent.budget import Budget
from agent.cited import CitingAnswer, answers_citing
from agent.client import Completion, CompletionRequest, Message, ModelClient, ModelIdentity
from agent.clinical_agent import ClinicalAgent
from agent.clock import Clock, ManualClock, SystemClock
from agent.erasing import Erased
from agent.errors import AgentError, JournalError, ModelError, ModelUnavailableError, PolicyFileError, QuestionError
from agent.events import (
    DoneEvent,
    ErrorEvent,
    Event,
    EvidenceEvent,
    NoticesEvent,
    RunSummary,
    SentenceEvent,
    StepEvent,
    StepSummary,
    WithheldEvent,
)
from agent.journal import Journal, MemoryJournal, RolloutSink, RunArchive, read_journal, read_judged, read_segment
from agent.judgements import Judgement, read_judgements
from agent.openai_client import OpenAIModelClient
from agent.origin import Origin
from agent.policy import Audience, Policy, load_policy
from agent.question import MAX_QUESTION_CHARS, Question, Turn, clean_question
from agent.rollout import Rollout, RolloutId, new_rollout_id
from agent.run import AgentSettings
from agent.scripted import ScriptedModel

__all__ = [
    "MAX_QUESTION_CHARS",
    "AgentError",
    "AgentSettings",
    "Answer",
    "AnswerKind",
    "Audience",
    "Budget",
    "Citation",
    "CitingAnswer",
    "ClinicalAgent",
    "Clock",
    "Completion",
    "CompletionRequest",
    "DoneEvent",
    "Erased",
    "ErrorEvent",
    "Event",
    "EvidenceEvent",
    "Journal",
    "JournalError",
    "Judgement",
    "ManualClock",
    "MemoryJournal",
    "Message",
    "ModelClient",
    "ModelError",
    "ModelIdentity",
    "ModelUnavailableError",
    "Notice",
    "NoticesEvent",
    "OpenAIModelClient",
    "Origin",
    "Policy",
    "PolicyFileError",
    "Question",
    "QuestionError",
    "Rollout",
    "RolloutId",
    "RolloutSink",
    "RunArchive",
    "RunSummary",
    "ScriptedModel",
    "Sentence",
    "SentenceEvent",
    "StepEvent",
    "StepSummary",
    "StopReason",
    "SystemClock",
    "Turn",
    "WithheldEvent",
    "answers_citing",
    "clean_question",
    "load_policy",
    "new_rollout_id",
    "read_journal",
    "read_judged",
    "read_judgements",
    "read_segment",
]
