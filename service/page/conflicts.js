// Recommendations that disagree, side by side, each in its own words with its date and strength.

import { el, written } from "./dom.js";
import { origin } from "./wording.js";

/**
 * The block of an answer's conflicts, or null where there are none. `opening(number, label)` makes a button that
 * opens a source.
 */
export function conflicts(answer, opening) {
  if (!answer.conflicts?.length) return null;
  const byNumber = new Map(answer.citations.map((citation) => [citation.number, citation]));
  const rows = answer.conflicts.flatMap((conflict) =>
    conflict.differences.map((difference) =>
      el(
        "li",
        {},
        el("p.differ", {}, `They differ on ${difference.kind}`),
        el(
          ".sides",
          {},
          side(byNumber.get(conflict.first), difference.first, opening),
          side(byNumber.get(conflict.second), difference.second, opening),
        ),
      ),
    ),
  );
  return el("section.conflicts", { "aria-label": "Recommendations that differ" }, el("h3", {}, "Recommendations differ"), el("ol", {}, ...rows));
}

function side(citation, words, opening) {
  return el(
    ".side",
    {},
    el("p.side-head", {}, opening(citation.number), written("span.origin", origin(citation))),
    written("blockquote", words),
    written("p.fine", `Strength: ${citation.strength ?? "not stated"}`),
  );
}
