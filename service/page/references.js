// An answer on its way out of the page, as text to paste or as a list to print: whatever is taken along carries its
// labels, its warnings, and every recommendation it rests on, whole.

import { el, written } from "./dom.js";
import { count, dateWords, foundTitle, limitedWords, regionName, stopWords, withheldWords } from "./wording.js";

/** The citations that sentences rest on, and those that were only found. */
export function parted({ sentences, citations }) {
  const numbers = new Set(sentences.flatMap((sentence) => sentence.citations));
  return {
    used: citations.filter((citation) => numbers.has(citation.number)),
    found: citations.filter((citation) => !numbers.has(citation.number)),
  };
}

/** A sentence with its numbers: "Give it. [1] [2]". */
export function numbered({ text, citations }) {
  return [text, ...citations.map((number) => `[${number}]`)].join(" ");
}

/** What goes along with an answer: what it rests on, or all that was found where nothing was written. */
function taken(answer) {
  const { used, found } = parted(answer);
  return used.length ? { title: "References", citations: used } : { title: foundTitle(answer.kind), citations: found };
}

/** What must be said of an answer as a whole, each on a line of its own. */
function remarks({ answer, limited_to: limits = [] }) {
  return [
    answer.kind === "recommendations" ? "Recommendations, not a written answer." : null,
    answer.label,
    withheldWords(answer.withheld),
    limitedWords(limits),
  ].filter(Boolean);
}

/** "Institute, 2025-09, version 2, United Kingdom". */
function publication({ publisher, published, year, version, region }) {
  return [publisher, published ?? year ?? "no date", version && `version ${version}`, regionName(region)].filter(Boolean).join(", ");
}

/** [name, value] of all that a recommendation must not be read without; what is not stated is said to be not stated. */
function qualifiers({ strength, certainty, population, contraindications }) {
  return [
    ["Strength", strength ?? "not stated"],
    ["Certainty", certainty ?? "not stated"],
    ["Population", population ?? "not stated"],
    ["Contraindications", contraindications.length ? contraindications.join("; ") : "none stated with this recommendation"],
  ];
}

/** Where publishers disagree: both sides, each in its own words, under its number. */
function differing({ disagreements = [], citations }) {
  const side = (number, words) => {
    const citation = citations.find((one) => one.number === number);
    return `[${number}] ${citation.title}. ${publication(citation)}. Strength: ${citation.strength ?? "not stated"}\n    ${words}`;
  };
  return disagreements.flatMap(({ first, second, differences }) =>
    differences.map((one) => [`Recommendations differ on ${one.kind}:`, side(first, one.first), side(second, one.second)].join("\n")),
  );
}

/** A finished run (RunSummary) as plain text, with its references. */
export function plainAnswer(question, result, now = new Date()) {
  const { answer } = result;
  const { title, citations } = taken(answer);
  // Answers kept from before there was a policy say nothing of it.
  const { notices = [], disclaimers = [] } = answer;
  const references = citations.map((citation) =>
    [
      `[${citation.number}] ${citation.title}. ${publication(citation)}.`,
      citation.url,
      ...citation.labels.map((label) => `! ${label}`),
      `Recommendation: ${citation.text}`,
      ...qualifiers(citation).map(([name, value]) => `${name}: ${value}`),
      citation.notice,
    ].filter(Boolean).join("\n    "),
  );
  const blocks = [
    `Question: ${question}`,
    ...notices.map((notice) => notice.text),
    ...answer.sentences.map(numbered),
    ...remarks(result),
    ...differing(answer),
    ...(references.length ? [title, ...references] : []),
    ...disclaimers,
    `${stopWords(result)}. clinsearch, copied ${dateWords(now)}, run ${result.rollout_id}.`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** The references of a turn for paper; null where there is nothing to print. */
export function printedReferences(turn, now = new Date()) {
  const { answer, result } = turn;
  const { title, citations } = taken(answer);
  if (!citations.length) return null;
  const item = (citation) =>
    el(
      "li",
      {},
      el("p.printed-title", {}, el("span.printed-number", {}, `[${citation.number}] `), written("span", citation.title)),
      written("p", publication(citation)),
      citation.url ? written("p.printed-url", citation.url) : null,
      ...citation.labels.map((label) => written("p.printed-label", label)),
      written("p.printed-text", citation.text),
      el("dl", {}, ...qualifiers(citation).map(([name, value]) => el("div", {}, el("dt", {}, `${name}: `), written("dd", value)))),
      citation.notice ? written("p.printed-notice", citation.notice) : null,
    );
  const about = [`${count(citations.length, "recommendation")}, printed ${dateWords(now)}`];
  if (result) about.push(`model ${result.model}`, `index ${result.index_version}`, `run ${result.rollout_id}`);
  return el(".printed", {}, el("h3", {}, title), el("ol", {}, ...citations.map(item)), el("p.printed-about", {}, about.join(" · ")));
}
