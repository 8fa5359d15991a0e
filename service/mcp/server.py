"""The protocol's side of the tools: lists them, carries calls out, and turns what goes wrong into plain sentences.

Built on the SDK's low-level server: its high-level one would tell clients and the log more of an error than a sentence.
"""

from __future__ import annotations

import logging
import time

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError

from agent.version import PRODUCER
from service.container import Service
from service.mcp.arguments import schema_of
from service.mcp.tools import TOOLS, GuidelineTool
from service.middleware import where
from service.problems import ProblemError

logger = logging.getLogger("clinsearch.mcp")

#: For the model that uses the tools.
INSTRUCTIONS = (
    "Clinical guidelines, searched and quoted. Show recommendations and sentences as they are returned, with their "
    "numbers, strength, population, contraindications, labels and notices; do not reword doses or conditions, and do "
    "not fill gaps from memory. Where nothing is found, say so. Leave out what identifies a patient. This does not "
    "replace a clinician's judgement."
)


def build_server(service: Service) -> Server:
    """A server of the three tools over a wired service; closing the service stays with the caller."""
    sources = service.agent.searcher.sources
    schemas = {tool.name: schema_of(tool.takes, sources) for tool in TOOLS}
    tools = {tool.name: tool for tool in TOOLS}
    listed = types.ListToolsResult(tools=[_listed(tool, schemas[tool.name]) for tool in TOOLS])

    async def list_tools(_: ServerRequestContext, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return listed

    async def call_tool(context: ServerRequestContext, call: types.CallToolRequestParams) -> types.CallToolResult:
        tool = tools.get(call.name)
        if tool is None:
            # The name as sent is not repeated: it is the caller's text.
            raise MCPError(types.INVALID_PARAMS, f"There is no tool of that name here. Tools: {', '.join(tools)}.")
        return await _carried_out(service, tool, context, call.arguments or {})

    name, _, version = PRODUCER.partition(" ")
    server = Server(
        name,
        version=version,
        title="Clinical guidelines",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=schemas.get,
    )
    # The SDK's tracing puts names and ids that clients choose into spans; the agent's own spans hold none.
    server.middleware.clear()
    return server


def _listed(tool: GuidelineTool, schema: dict[str, object]) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=schema,
        output_schema=tool.returns.model_json_schema(mode="serialization"),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=tool.repeatable,
            # What is searched is the index of this deployment, nothing else.
            open_world_hint=False,
        ),
    )


async def _carried_out(
    service: Service, tool: GuidelineTool, context: ServerRequestContext, arguments: dict[str, object]
) -> types.CallToolResult:
    """The result of a call; whatever goes wrong is one that says so in a sentence."""
    started, outcome, reports = time.monotonic(), "cancelled", 0

    async def report(sentence: str) -> None:
        nonlocal reports
        reports += 1
        await context.session.report_progress(reports, message=sentence)

    try:
        result = await tool.call(service, arguments, report)
        outcome = "ok"
    except ProblemError as problem:
        outcome = problem.code
        return _failed(problem.detail)
    except Exception as error:  # noqa: BLE001 - the boundary of a call; no trace or message leaves the process
        outcome = "internal_error"
        logger.error("%s in the tool %s", where(error), tool.name)
        return _failed("The service failed on this call. Try again.")
    finally:
        logger.info("%s %s %.0f ms", tool.name, outcome, (time.monotonic() - started) * 1000)
    text = types.TextContent(type="text", text=result.model_dump_json())
    return types.CallToolResult(content=[text], structured_content=result.model_dump(mode="json"))


def _failed(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=sentence)], is_error=True)
