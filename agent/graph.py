"""The loop as a LangGraph graph: guard, decide, search, answer, ask, decline, reply, recommend.

The graph's state is one word, the node to go to next; everything else lives in the `Run` passed as
context, and there is no checkpointer. Each node carries out one thing through its own module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from functools import cache
from typing import Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent import wording
from agent.actions import AnswerAction, AskAction, DeclineAction, DeclineReason, ReplyAction, ReplyKind, SearchAction
from agent.answer import Answer, AnswerKind, Sentence, StopReason
from agent.budget import BudgetName
from agent.deciding import SourceChoice, decide_action
from agent.errors import ModelError
from agent.gate import WithheldReason
from agent.prompts import (
    ANSWER_LINE,
    EARLIER_EVIDENCE_HEADING,
    QUOTE_LINE,
    REWORD_LINE,
    SHORTEN_LINE,
    evidence_message,
)
from agent.quoting import Quoted, worth_quoting
from agent.run import Run
from agent.searching import search as run_search
from agent.writing import write_answer
from retrieval import RetrievalError

Node = Literal["guard", "decide", "search", "answer", "ask", "decline", "reply", "recommend", "end"]


class State(TypedDict):
    """Where to go next."""

    next: Node


AgentGraph = CompiledStateGraph[State, Run, State, State]


@cache
def the_loop() -> AgentGraph:
    """The loop, compiled once: what a run works with is in its `Run`, so every agent and audience shares it."""
    nodes = _Nodes()
    graph = StateGraph(State, context_schema=Run)
    steps = {
        "guard": nodes.guard,
        "decide": nodes.decide,
        "search": nodes.search,
        "answer": nodes.answer,
        "ask": nodes.ask,
        "decline": nodes.decline,
        "reply": nodes.reply,
        "recommend": nodes.recommend,
    }
    routes: dict[Hashable, str] = {**{name: name for name in steps}, "end": END}
    for name, step in steps.items():
        graph.add_node(name, step)
        graph.add_conditional_edges(name, lambda state: state["next"], routes)
    graph.add_edge(START, "guard")
    return graph.compile()


class _Nodes:
    """One method per node; each returns the name of the next."""

    async def _choices(self, run: Run) -> SourceChoice:
        """The sources the model may name: an untrained one chooses no better than chance, so it has no choice.

        A trained one is first offered what is near the question; what it names all the same is searched.
        """
        if run.question.filters.source or run.settings.search_first:
            only = (await self._own_choice(run),)
            return SourceChoice(only, only)
        near = run.sources
        if run.settings.near_sources_first and not run.searches:
            try:
                names = await asyncio.to_thread(run.router.near, run.question.own_words, run.searcher.sources)
                near = tuple(map(str, names))
            except RetrievalError:
                pass  # the search will say what is wrong; it needs the same encoder
        return SourceChoice(offered=near, permitted=run.sources)

    async def _own_choice(self, run: Run) -> str:
        """The source that is searched where no trained model chose one."""
        if run.question.filters.source:
            return str(run.question.filters.source)
        if run.routed is None:
            try:
                chosen = await asyncio.to_thread(run.router.choose, run.question.own_words, run.searcher.sources)
                run.routed = str(chosen)
            except RetrievalError:
                # The search will say what is wrong; it needs the same encoder.
                run.routed = run.sources[0]
        return run.routed

    async def guard(self, state: State, runtime: Runtime[Run]) -> State:
        run = runtime.context
        started = run.clock.monotonic()
        refused = run.judged.refused
        if refused is not None:
            await run.step("guard", "Declined by the policy of this service.", started)
            said = run.policy.wording[refused.say]
            run.finish(StopReason.DECLINED, Answer(kind=AnswerKind.DECLINED, label=said))
            return {"next": "end"}
        if not run.sources:
            # The policy leaves this audience nothing that the index holds.
            run.finish(StopReason.NO_EVIDENCE, Answer(kind=AnswerKind.DECLINED, label=wording.NOTHING_FOR_AUDIENCE))
            return {"next": "end"}
        return {"next": "decide"}

    async def decide(self, state: State, runtime: Runtime[Run]) -> State:
        run = runtime.context
        started = run.clock.monotonic()
        run.exhausted = run.spending.exceeded()
        if run.exhausted is not None:
            run.fail("budget_exhausted", f"The budget of {run.exhausted} was used up.")
            return {"next": "recommend"}
        try:
            action = await decide_action(run, await self._choices(run))
        except ModelError as error:
            run.fail(error.code, "The model could not decide what to do next.")
            run.exhausted = _time_is_up(run)
            await run.step("decide", "The model could not be used.", started)
            return {"next": "recommend"}
        run.pending = action
        match action:
            case SearchAction():
                following: Node = "search"
                summary = "Decided to search."
            case AnswerAction():
                following, summary = "answer", "Decided that the evidence answers the question."
            case AskAction():
                following, summary = "ask", "Decided to ask for a missing detail."
            case DeclineAction(reason=DeclineReason.NOT_IN_CORPUS) if run.searches == 0:
                # Nobody may say the guidelines hold nothing before they were searched.
                following, summary = "search", "Searching before saying that nothing was found."
            case DeclineAction():
                following, summary = "decline", "Decided not to answer."
            case ReplyAction(kind=ReplyKind.REWORD | ReplyKind.SHORTEN) if not run.earlier:
                following, summary = "search", "There is no earlier answer to reword; searching instead."
            case ReplyAction():
                following, summary = "reply", "Decided that no search is needed."
        await run.step("decide", summary, started)
        return {"next": following}

    async def search(self, state: State, runtime: Runtime[Run]) -> State:
        run = runtime.context
        action = run.pending
        source, query = (
            (action.source, action.query) if isinstance(action, SearchAction) else (await self._own_choice(run), None)
        )
        try:
            await run_search(run, source, query)
        except RetrievalError as error:
            run.fail(error.code, "The search could not be run.")
            return {"next": "recommend"}
        # A model that may neither choose another action nor write has nothing left to decide.
        settled = run.settings.search_first and not run.settings.write_answers
        return {"next": "recommend" if settled else "decide"}

    async def answer(self, state: State, runtime: Runtime[Run]) -> State:
        run = runtime.context
        if not run.settings.write_answers:
            return {"next": "recommend"}
        started = run.clock.monotonic()
        line = QUOTE_LINE if run.settings.quote else ANSWER_LINE
        # Sentences of what is not for this patient would be withheld: where nothing else was found, nobody writes.
        fitting = [[item for item in search if run.fits(item)] for search in run.found]
        if any(run.found) and not any(fitting):
            return {"next": "recommend"}
        offered = worth_quoting(fitting, run.question.own_words, suits=lambda item: not run.conflicts_with(item))
        sentences, failure = await write_answer(run, line, "answer", offered)
        withheld = sum(not verdict.shown for verdict in run.verdicts)
        await run.step("answer", f"Wrote an answer: {len(sentences)} sentences shown, {withheld} withheld.", started)
        if failure is not None:
            run.fail(failure.code, "The model failed while writing the answer.")
            run.exhausted = _time_is_up(run)
        elif not sentences and not run.chose_what_does_not_fit:
            run.fail("nothing_verified", "No sentence the model wrote passed the gate.")
        if failure is not None or not sentences:
            run.answer = Answer(kind=AnswerKind.WRITTEN, sentences=sentences)  # completed by `recommend`
            return {"next": "recommend"}
        if run.steps[-1].finish_reason == "length":
            label: str | None = wording.LENGTH_LABEL
        else:
            ruled_out = sum(verdict.reason is WithheldReason.NOT_FOR_PATIENT for verdict in run.verdicts)
            kinds = [
                *([wording.NOT_FOR_PATIENT_LABEL] if ruled_out else []),
                *([wording.PARTLY_WITHHELD_LABEL] if withheld > ruled_out else []),
            ]
            label = " ".join(kinds) or None
        used = set(run.citations)
        others = [item for item in run.book.best(len(run.book)) if item.hit.passage.id not in used]
        for evidence in run.fitting_first(others[: run.settings.also_listed]):
            await run.cite(evidence)
        await run.cite_opposing()
        run.finish(StopReason.ANSWERED, Answer(kind=AnswerKind.WRITTEN, label=label, sentences=sentences))
        return {"next": "end"}

    async def ask(self, state: State, runtime: Runtime[Run]) -> State:
        run = runtime.context
        assert isinstance(run.pending, AskAction)
        text = wording.CLARIFYING_QUESTIONS[run.pending.missing]
        run.finish(StopReason.NEEDS_CLARIFICATION, Answer(kind=AnswerKind.CLARIFICATION, label=text))
        return {"next": "end"}

    async def decline(self, state: State, runtime: Runtime[Run]) -> State:
        run = runtime.context
        assert isinstance(run.pending, DeclineAction)
        reason = run.pending.reason
        label = run.policy.wording["out-of-scope"] if reason is DeclineReason.POLICY else wording.NOT_IN_CORPUS
        if reason is DeclineReason.NOT_IN_CORPUS:
            listed = run.fitting_first(run.book.best(run.settings.listed_recommendations))
            for evidence in listed:
                await run.cite(evidence)
            if not listed:
                label = wording.nothing_found(run.question.filters)
        stop = StopReason.DECLINED if reason is DeclineReason.POLICY else StopReason.NO_EVIDENCE
        run.finish(stop, Answer(kind=AnswerKind.DECLINED, label=label))
        return {"next": "end"}

    async def reply(self, state: State, runtime: Runtime[Run]) -> State:
        run = runtime.context
        assert isinstance(run.pending, ReplyAction)
        kind = run.pending.kind
        if kind in wording.REPLIES:
            run.finish(StopReason.REPLIED, Answer(kind=AnswerKind.REPLY, label=wording.REPLIES[kind]))
            return {"next": "end"}
        evidence = [run.book.add(hit)[0] for hit in run.earlier]
        started = run.clock.monotonic()
        line = evidence_message(evidence, EARLIER_EVIDENCE_HEADING).content
        line += "\n" + (REWORD_LINE if kind is ReplyKind.REWORD else SHORTEN_LINE)
        sentences, failure = await write_answer(run, line, "reword", Quoted(tuple(evidence), warnings_answer=True))
        await run.step("answer", f"Reworded the last answer: {len(sentences)} sentences shown.", started)
        if failure is not None or not sentences:
            run.fail(failure.code if failure else "nothing_verified", "The last answer could not be reworded.")
            run.answer = Answer(kind=AnswerKind.WRITTEN, sentences=sentences)
            return {"next": "recommend"}
        run.finish(StopReason.REPLIED, Answer(kind=AnswerKind.REPLY, sentences=sentences))
        return {"next": "end"}

    async def recommend(self, state: State, runtime: Runtime[Run]) -> State:
        """List the retrieved recommendations themselves, searching first if nothing was retrieved yet."""
        run = runtime.context
        started = run.clock.monotonic()
        failed_search = any(f.message == "The search could not be run." for f in run.failures)
        if not len(run.book) and not failed_search:
            try:
                await self._search_with_own_words(run)
            except RetrievalError as error:
                failed_search = True
                run.fail(error.code, "The search could not be run.")
        shown: tuple[Sentence, ...] = run.answer.sentences if run.answer else ()
        listed = run.fitting_first(run.book.best(run.settings.listed_recommendations))
        for evidence in listed:
            await run.cite(evidence)
        await run.cite_opposing()
        if not listed and not shown:
            label = wording.SEARCH_FAILED if failed_search else wording.nothing_found(run.question.filters)
            run.finish(StopReason.NO_EVIDENCE, Answer(kind=AnswerKind.DECLINED, label=label))
            return {"next": "end"}
        await run.step("recommend", f"Listed {len(listed)} recommendations, shown whole.", started, found=len(listed))
        codes = {failure.code for failure in run.failures}
        none_fits = bool(listed) and not any(map(run.applies, listed))
        if run.exhausted is not None:
            stop, label = StopReason.BUDGET_EXHAUSTED, wording.BUDGET_LABELS[run.exhausted]
        elif shown:
            stop, label = StopReason.MODEL_FAILED, wording.CUT_OFF_LABEL
        elif "nothing_verified" in codes:
            stop, label = StopReason.MODEL_FAILED, wording.NOTHING_VERIFIED_LABEL
        elif codes:
            stop, label = StopReason.MODEL_FAILED, wording.MODEL_FAILED_LABEL
        else:
            stop, label = StopReason.ANSWERED, wording.RECOMMENDATIONS_LABEL
            if run.chose_what_does_not_fit:
                label = wording.CHOSE_WHAT_DOES_NOT_FIT_LABEL
            elif none_fits and run.settings.write_answers:
                # The model was not asked to write where there is nothing that it may write.
                label = wording.LISTED
        if none_fits:
            label = f"{wording.NONE_FITS_LABEL} {label}"
        kind = AnswerKind.WRITTEN if shown else AnswerKind.RECOMMENDATIONS
        run.finish(stop, Answer(kind=kind, label=label, sentences=shown))
        return {"next": "end"}

    async def _search_with_own_words(self, run: Run) -> None:
        """Search the source of the service's own choice, then the default one, until something is found."""
        default = str(run.question.filters.source or run.sources[0])
        # The first search was made with the clinician's own words too.
        tried = {run.retrieval[0].source} if run.retrieval else set()
        for source in dict.fromkeys((await self._own_choice(run), default)):
            if source not in tried and not len(run.book):
                await run_search(run, source, None)


def _time_is_up(run: Run) -> BudgetName | None:
    """A call that fails because the run's own time ran out is a budget, not a fault of the model."""
    return "wall_clock" if run.spending.exceeded() == "wall_clock" else None
