// Questions to ask next, under an answer. The service makes them of recommendations and has found each answered.

import { el, written } from "./dom.js";
import { getSuggestions } from "./library.js";
import { parted } from "./references.js";

/**
 * The place for them, empty until they are there; null after a run that gave no answer: what could not be answered
 * is no ground to go on from. `limits` are the filters asked with, `ask(question)` asks one.
 */
export function nextQuestions(result, limits, ask) {
  if (result.stop_reason !== "answered" || !result.answer.citations.length) return null;
  const title = el("h3", { id: `next-${result.rollout_id}` }, "Ask next");
  const place = el("section.next", { "aria-labelledby": title.id, hidden: true });
  fill(place, title, result.answer, limits, ask);
  return place;
}

async function fill(place, title, answer, limits, ask) {
  const ids = (citations) => citations.map((citation) => citation.passage_id).slice(0, 20);
  const { used, found } = parted(answer);
  const body = used.length ? { passage_ids: ids(used), found_ids: ids(found) } : { passage_ids: ids(found) };
  const offered = (await getSuggestions({ ...limits, ...body }))?.suggestions ?? [];
  if (!offered.length) return;
  place.append(
    title,
    el("ul", {}, ...offered.map(({ question }) => el("li", {}, written("button", question, { type: "button", onclick: () => ask(question) })))),
  );
  place.hidden = false;
}
