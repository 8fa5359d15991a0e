"""/docs: the API reference as one plain page made from the OpenAPI document, with no script and no outside files."""

from __future__ import annotations

import json
from html import escape
from typing import Any

_STYLE_PATH = "/page/docs.css"


def reference_page(openapi: dict[str, Any]) -> str:
    """Render the OpenAPI document as HTML."""
    info = openapi["info"]
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        # An icon that is empty: without one the browser asks for /favicon.ico.
        "<meta name='viewport' content='width=device-width, initial-scale=1'><link rel='icon' href='data:,'>",
        f"<title>{escape(info['title'])} API</title><link rel='stylesheet' href='{_STYLE_PATH}'></head><body><main>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info.get('description', ''))}</p>",
        "<p>Machine-readable: <a href='/openapi.json'>openapi.json</a></p>",
    ]
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            parts.append(f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2>")
            parts.append(f"<p>{escape(operation.get('description', operation.get('summary', '')))}</p>")
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if body is not None:
                parts.append(f"<h3>Request body</h3><pre>{_schema(body, openapi)}</pre>")
            for status, response in operation.get("responses", {}).items():
                parts.append(f"<h3>{escape(status)} {escape(response.get('description', ''))}</h3>")
                for media_type, content in response.get("content", {}).items():
                    schema = _schema(content.get("schema", {}), openapi)
                    parts.append(f"<details><summary>{escape(media_type)}</summary><pre>{schema}</pre></details>")
            parts.append("</section>")
    return "".join([*parts, "</main></body></html>"])


def _schema(schema: dict[str, Any], openapi: dict[str, Any]) -> str:
    if "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return escape(json.dumps(schema, indent=2, ensure_ascii=False))
