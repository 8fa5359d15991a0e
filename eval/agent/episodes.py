"""Episodes: the runs of one asking of one question, in order, without what scoring does not read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from agent import Rollout, StopReason

#: Turns of one asking, the first one first.
Episode = tuple[Rollout, ...]


def episodes(rollouts: Iterable[Rollout]) -> Mapping[str, Mapping[int, Episode]]:
    """Episodes by the key of their first turn and by repetition.

    What a killed batch left of an episode that was made again is left out: a later turn counts only after one that
    asked for something, and of several turns in one place the last one made counts.
    """
    found: dict[tuple[str, int], list[Rollout]] = defaultdict(list)
    for rollout in rollouts:
        found[(rollout.provenance.episode or rollout.task_key, rollout.rep)].append(_slim(rollout))
    whole: dict[str, dict[int, Episode]] = defaultdict(dict)
    for (key, rep), runs in found.items():
        if (episode := _in_order(key, runs)) is not None:
            whole[key][rep] = episode
    return whole


def _slim(rollout: Rollout) -> Rollout:
    """Without token ids and probabilities, which are most of a record."""
    bare = {"prompt_token_ids": None, "token_ids": None, "logprobs": None, "probabilities": None}
    return rollout.model_copy(update={"steps": tuple(step.model_copy(update=bare) for step in rollout.steps)})


def _in_order(key: str, runs: list[Rollout]) -> Episode | None:
    places: dict[int, Rollout] = {}
    for run in sorted(runs, key=lambda run: run.created_at):
        places[_prompt_length(run)] = run
    first = next((place for place, run in places.items() if run.task_key == key), None)
    if first is None:
        return None
    episode = [places[first]]
    for place in sorted(place for place in places if place > first):
        if episode[-1].outcome.stop_reason is not StopReason.NEEDS_CLARIFICATION:
            break
        episode.append(places[place])
    return tuple(episode)


def _prompt_length(run: Rollout) -> int:
    """Messages before the first decision: two more with every earlier turn."""
    return run.steps[0].prompt_messages if run.steps else len(run.messages)
