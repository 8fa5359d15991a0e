"""The blind second pass over the starter guidelines.

`ask` writes every fact's question, without its value, for someone who has not seen the files.
`compare` takes their answers and reports which facts agree: a fact agrees when both answers state the
same quantities, or when a reviewer who saw only question and both answers ruled them the same.
`apply` drops every recommendation with a fact that does not agree and writes the counts into its file.

    python scripts/starter_second_pass.py ask OUT.jsonl [ID ...]
    python scripts/starter_second_pass.py compare ANSWERS.jsonl OPEN.jsonl [RULINGS.jsonl]
    python scripts/starter_second_pass.py apply DATE ANSWERS.jsonl [RULINGS.jsonl]
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import yaml

from agent.quantities import quantities
from retrieval.starter import STARTER_DIRECTORY, StarterFile, read_starter_file

METHOD = "every fact restated from its question alone by someone who had not seen the file; quantities compared"
Key = tuple[str, str, int]


def _files(ids: list[str]) -> list[StarterFile]:
    paths = [STARTER_DIRECTORY / f"{name}.md" for name in ids] or sorted(STARTER_DIRECTORY.glob("*.md"))
    return [read_starter_file(path) for path in paths]


def _rows(path: str) -> dict[Key, dict[str, object]]:
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    return {(str(row["file"]), str(row["recommendation"]), int(row["fact"])): row for row in rows}


def same_answer(first: str, second: str) -> bool:
    """True when both texts state the same numbers with the same units, or are the same words."""

    def normal(text: str) -> set[tuple[str, str]]:
        text = re.sub(r"\b(\d+) times (?:a|per|each) day\b", r"\1 times daily", text)
        return {(q.number, q.unit) for q in quantities(text)}

    if " ".join(first.casefold().split()).rstrip(".") == " ".join(second.casefold().split()).rstrip("."):
        return True
    return bool(normal(first)) and normal(first) == normal(second)


def ask(out: str, ids: list[str]) -> None:
    """Write the questions."""
    lines = [
        json.dumps({"file": file.id, "recommendation": item.id, "fact": index, "ask": fact.ask})
        for file in _files(ids)
        for item in file.recommendations
        for index, fact in enumerate(item.facts)
    ]
    Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")


def agreement(answers: str, rulings: str | None) -> tuple[dict[Key, bool], list[dict[str, object]]]:
    """Which facts agree, and the rows a reviewer still has to rule on."""
    given, ruled = _rows(answers), _rows(rulings) if rulings else {}
    agreed: dict[Key, bool] = {}
    open_rows: list[dict[str, object]] = []
    for file in _files([]):
        for item in file.recommendations:
            for index, fact in enumerate(item.facts):
                key = (file.id, item.id, index)
                second = str(given.get(key, {}).get("answer") or "")
                if key in ruled:
                    agreed[key] = ruled[key]["ruling"] == "same"
                else:
                    agreed[key] = same_answer(fact.answer, second)
                    if not agreed[key] and second:
                        open_rows.append(
                            {"file": key[0], "recommendation": key[1], "fact": index, "ask": fact.ask}
                            | {"first": fact.answer, "second": second}
                        )
    return agreed, open_rows


def apply(date: str, answers: str, rulings: str | None) -> None:
    """Drop what does not agree and record the check in each file."""
    agreed, _ = agreement(answers, rulings)
    for file in _files([]):
        facts = {key: value for key, value in agreed.items() if key[0] == file.id}
        by_recommendation: dict[str, list[bool]] = defaultdict(list)
        for (_, recommendation, _), value in facts.items():
            by_recommendation[recommendation].append(value)
        dropped = [name for name, values in by_recommendation.items() if not all(values)]
        record = {
            "date": date,
            "method": METHOD,
            "facts": len(facts),
            "agreed": sum(facts.values()),
            "dropped": dropped,
        }
        _rewrite(STARTER_DIRECTORY / f"{file.id}.md", dropped, record)


def _rewrite(path: Path, dropped: list[str], record: dict[str, object]) -> None:
    front, body = path.read_text(encoding="utf-8")[4:].split("\n---\n", 1)
    data = yaml.safe_load(front)
    data["recommendations"] = [item for item in data["recommendations"] if item["id"] not in dropped]
    used = {item["source"] for item in data["recommendations"]}
    data["sources"] = [source for source in data["sources"] if source["key"] in used]
    data["checks"] = {**(data.get("checks") or {}), "second_pass": record}
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=118)
    path.write_text(f"---\n{text}---\n{body}", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Run one command; see the module's text."""
    match arguments:
        case ["ask", out, *ids]:
            ask(out, ids)
        case ["compare", answers, out, *rest]:
            agreed, rows = agreement(answers, rest[0] if rest else None)
            Path(out).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            sys.stdout.write(f"{sum(agreed.values())} of {len(agreed)} facts agree, {len(rows)} to rule on\n")
        case ["apply", date, answers, *rest]:
            apply(date, answers, rest[0] if rest else None)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
