"""How answers and sources look in a terminal. Text is printed without markup, so nothing in it can style itself."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from agent import Citation, RunSummary
from agent.answer import Answer
from retrieval import Hit


def print_answer(console: Console, result: RunSummary) -> None:
    """The answer with numbered sources."""
    answer = result.answer
    for notice in answer.notices:
        console.print(Text(notice.text, style="bold red"))
    if answer.label and not answer.sentences:
        console.print(Text(answer.label, style="bold yellow"))
    for sentence in answer.sentences:
        marks = "".join(f" [{number}]" for number in sentence.citations)
        console.print(Text.assemble(sentence.text, (marks, "cyan")))
    if answer.label and answer.sentences:
        console.print(Text(answer.label, style="yellow"))
    if answer.withheld:
        counts = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in answer.withheld.items())
        console.print(Text(f"Withheld sentences: {counts}.", style="dim"))
    _print_disagreements(console, answer)
    used = answer.used
    for citation in used or answer.citations:
        console.print()
        print_citation(console, citation)
    others = [citation for citation in answer.citations if citation not in used] if used else []
    if others:
        console.print(Text("\nAlso found", style="bold"))
    for citation in others:
        console.print()
        print_citation(console, citation)
    if answer.disclaimers:
        console.print()
    for disclaimer in answer.disclaimers:
        console.print(Text(disclaimer, style="yellow"))
    console.print(
        Text(f"\n{result.stop_reason} in {result.duration_ms / 1000:.1f} s, rollout {result.rollout_id}", style="dim")
    )


def _print_disagreements(console: Console, answer: Answer) -> None:
    for disagreement in answer.disagreements:
        for difference in disagreement.differences:
            console.print(Text(f"\nRecommendations differ on {difference.kind}:", style="bold yellow"))
            for citation, words in answer.sides(disagreement, difference):
                told = (citation.publisher, citation.year, citation.region, citation.strength)
                origin = ", ".join(str(part) for part in told if part)
                console.print(Text.assemble((f"[{citation.number}] ", "cyan"), f"{origin}: {words}"))


def print_citation(console: Console, citation: Citation) -> None:
    """One source: the whole recommendation and where it comes from."""
    heading = f"[{citation.number}] {citation.condition}" if citation.condition else f"[{citation.number}]"
    console.print(Text(heading, style="bold cyan"))
    for label in citation.labels:
        console.print(Text(f"    {label}", style="bold yellow"))
    console.print(Text(f"    {citation.text}"))
    details = [
        ("For", citation.population),
        ("Not for", "; ".join(citation.contraindications)),
        ("Strength", citation.strength),
        ("Certainty", citation.certainty),
    ]
    for name, value in details:
        if value:
            console.print(Text(f"    {name}: {value}"))
    origin = ", ".join(
        str(part) for part in (citation.publisher, citation.title, citation.year, citation.region) if part
    )
    console.print(Text(f"    {origin}", style="dim"))
    for line in (citation.url, citation.notice):
        if line:
            console.print(Text(f"    {line}", style="dim"))


def print_hit(console: Console, hit: Hit) -> None:
    """One search result."""
    print_citation(console, Citation.of(hit.rank, hit))
    legs = f"bm25 rank {hit.bm25_rank or '-'}, dense rank {hit.dense_rank or '-'}, score {hit.score:.4f}"
    console.print(Text(f"    {legs}", style="dim"))
