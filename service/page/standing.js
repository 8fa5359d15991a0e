// What is said beside guidance that is superseded, expired or from another region. The sentences are the service's.

import { el, written } from "./dom.js";

/** The labels of a source, or null where there is nothing to say. */
export function standing(citation) {
  if (!citation.labels?.length) return null;
  // What is not for the patient of the question stands out from what is only old.
  const against = citation.conflicts?.some((conflict) => conflict.weight !== "check") ?? false;
  const list = against ? "ul.standing.not-for-patient" : "ul.standing";
  return el(list, {}, ...citation.labels.map((label) => written("li", label)));
}
