// The words the page itself says about a run. What the service says (labels, step summaries) is shown as sent.

const WITHHELD = {
  no_citation: "cited no source",
  unknown_key: "cited a source that was not found in this search",
  number_not_in_passage: "gave a number its source does not give",
  negation_differs: "differed from its source on a “not” or “avoid”",
  drug_not_in_passage: "named a drug its source does not name there",
  population_differs: "was about other people than its source",
  route_differs: "gave another route than its source",
  strength_differs: "was firmer or less firm than its source",
  condition_dropped: "left out or changed a condition of its source",
  support_too_low: "was too far from what its source says",
  words_not_in_passage: "said something its source does not say",
  not_for_patient: "rests on a recommendation that does not apply to this patient",
};

/** Reasons for a thumb, by the codes that are kept. */
export const REASONS = {
  up: {
    right_recommendation: "The right recommendation",
    clear: "Clear",
    complete: "Complete",
  },
  down: {
    clinically_wrong: "Clinically wrong",
    incomplete: "Something is missing",
    other_question: "Not what I asked",
    other_patient: "For other patients",
    wrong_source: "Weak or wrong source",
    outdated: "Out of date",
    unclear: "Hard to understand",
  },
};

const STOPPED = {
  answered: "Answered from the guidelines",
  replied: "Replied without a new search",
  needs_clarification: "Needs one more detail from you",
  no_evidence: "No answer found in the guidelines searched",
  declined: "Not taken on",
  budget_exhausted: "Stopped at its limit before an answer was ready",
  model_failed: "The model gave no complete answer that could be verified",
};

/** Why the run ended, in plain words. */
export function stopWords(result) {
  if (result.stop_reason === "answered" && result.answer.kind === "recommendations") return "Recommendations listed";
  return STOPPED[result.stop_reason] ?? "Finished";
}

/** "2 sentences were withheld: 1 cited no source; 1 gave ...", or "" when none was. */
export function withheldWords(counts) {
  const reasons = Object.entries(counts).filter(([, count]) => count > 0);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  if (!total) return "";
  const said = (reason) => WITHHELD[reason] ?? "could not be verified";
  const opening = `${count(total, "sentence")} the model wrote ${total === 1 ? "is" : "are"} not shown: `;
  if (total === 1) return `${opening}it ${said(reasons[0][0])}.`;
  if (reasons.length === 1) return `${opening}each ${said(reasons[0][0])}.`;
  return `${opening}${reasons.map(([reason, number]) => `${number} ${said(reason)}`).join("; ")}.`;
}

/** The heading of recommendations that were found, where the answer is of this kind and they are all there is. */
export function foundTitle(kind) {
  return kind === "declined" ? "Nearest recommendations found" : "Recommendations found";
}

/** "1 source", "3 sources". */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Milliseconds as people say them: "40 ms", "2.1 s". */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** When something was, by the calendar of this device: "Today", "Yesterday", "Last 7 days", "Earlier". */
export function dayGroup(moment, now = new Date()) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const days = Math.ceil((midnight - new Date(moment)) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days <= 7 ? "Last 7 days" : "Earlier";
}

const dates = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** "12 Nov 2026". */
export function dateWords(moment) {
  return dates.format(new Date(moment));
}

const regionNames = new Intl.DisplayNames(["en"], { type: "region" });

/** "GB" as "United Kingdom", "INT" as "International"; a code nobody knows as it stands. */
export function regionName(code) {
  if (code === "INT") return "International";
  try {
    return regionNames.of(code) ?? code;
  } catch {
    return code;
  }
}

/** "Searched only: region United Kingdom; source guidelines", or "" where everything was searched. */
export function limitedWords(conditions) {
  if (!conditions.length) return "";
  const named = (codes) => codes.split(" or ").map(regionName).join(" or ");
  return `Searched only: ${conditions.map((said) => said.replace(/^region (.+)$/, (_, codes) => `region ${named(codes)}`)).join("; ")}.`;
}

/** Publisher, year and region on one line. */
export function origin(citation) {
  return [citation.publisher, citation.year, regionName(citation.region)].filter(Boolean).join(" · ");
}
