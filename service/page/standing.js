// What is said beside guidance that is superseded, expired or from another region. The sentences are the service's.

import { el, written } from "./dom.js";

/** The labels of a source, or null where there is nothing to say. */
export function standing(citation) {
  if (!citation.labels?.length) return null;
  return el("ul.standing", {}, ...citation.labels.map((label) => written("li", label)));
}
