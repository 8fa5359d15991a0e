// Recommendations that disagree, side by side, each in its own words with its date and strength.

import { el, written } from "./dom.js";
import { origin } from "./wording.js";

/**
 * The block of an answer's disagreements, or null where there are none. `opening(number, label)` makes a button that
 * opens a source.
 */
export function disagreements(answer, opening) {
  if (!answer.disagreements?.length) return null;
  const byNumber = new Map(answer.citations.map((citation) => [citation.number, citation]));
  const rows = answer.disagreements.flatMap((disagreement) =>
    disagreement.differences.map((difference) =>
      el(
        "li",
        {},
        el("p.differ", {}, `They differ on ${difference.kind}`),
        el(
          ".sides",
          {},
          side(byNumber.get(disagreement.first), difference.first, opening),
          side(byNumber.get(disagreement.second), difference.second, opening),
        ),
      ),
    ),
  );
  return el("section.disagreements", { "aria-label": "Recommendations that differ" }, el("h3", {}, "Recommendations differ"), el("ol", {}, ...rows));
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
