// One turn on the page: the question, what the agent is doing, and the answer as it arrives.

import { disagreements } from "./disagreements.js";
import { el, written } from "./dom.js";
import { numbered, parted, printedReferences } from "./references.js";
import { standing } from "./standing.js";
import { count, dateWords, duration, foundTitle, limitedWords, origin, stopWords, withheldWords } from "./wording.js";

let turns = 0;

export class TurnView {
  element;
  question;
  /** The finished run (RunSummary), once `done` arrived. */
  result = null;
  #openEvidence;
  #announce;
  #underAnswer;
  #askedAt;
  #citations = new Map();
  #sentences = [];
  #withheld = {};
  #steps = [];
  #beforeLoss = "";
  #parts;

  /**
   * openEvidence(citations, number, opener, sentences) shows a source; announce(text) tells people who cannot see
   * the page; underAnswer(result) is what goes under a finished answer. `askedAt` is set of a turn that
   * was read from the records.
   */
  constructor(question, { openEvidence, announce = () => {}, underAnswer = () => [], askedAt = null }) {
    this.question = question;
    this.#underAnswer = underAnswer;
    this.#askedAt = askedAt;
    this.#openEvidence = openEvidence;
    this.#announce = announce;
    const id = `turn-${++turns}`;
    const part = (tag, properties) => el(tag, properties);
    this.#parts = {
      limited: part("p.limited"),
      status: part("span.status"),
      steps: part("ol"),
      about: part("p.about"),
      // What the policy says before an answer, and with it.
      notices: part(".notices", { role: "note" }),
      top: part(".top-label"),
      sentences: part(".sentences"),
      bottom: part(".bottom-label"),
      withheld: part("p.withheld", { hidden: true }),
      disagreements: part(".differing"),
      // What an answer rests on comes before what else was found.
      sources: part(".sources"),
      cards: part(".cards"),
      disclaimers: part(".disclaimers"),
      under: part(".under"),
      problem: part(".turn-problem", { role: "alert" }),
    };
    const { limited, status, steps, about, ...answer } = this.#parts;
    this.element = el(
      "article.turn",
      { "aria-labelledby": id, "aria-busy": "true" },
      written("h2.question", question, { id }),
      limited,
      el("details.doing", {}, el("summary", {}, el("span.dot", { "aria-hidden": "true" }), status), steps, about),
      el(".answer", {}, ...Object.values(answer)),
    );
    this.#say("Reading the question…");
  }

  /** Nothing of the answer is on the page yet. */
  get isBlank() {
    return this.#sentences.length === 0;
  }

  /** What is on the page of the answer, whole or not. */
  get answer() {
    const part = { kind: "written", label: null, sentences: this.#sentences, citations: [...this.#citations.values()], withheld: this.#withheld };
    return this.result?.answer ?? part;
  }

  /** What is added to the turn on paper, or null. */
  printed() {
    return printedReferences(this);
  }

  /** Apply one event of the stream. */
  take(event) {
    switch (event.type) {
      case "notices":
        this.#showSaid(event);
        event.notices.forEach((notice) => this.#announce(notice.text));
        break;
      case "step":
        this.#steps.push(event.step);
        this.#parts.steps.append(stepItem(event.step));
        this.#say(event.step.summary);
        break;
      case "evidence":
        this.#citations.set(event.citation.number, event.citation);
        break;
      case "sentence":
        this.#addSentence(event.sentence);
        break;
      case "withheld":
        this.#withheld[event.reason] = (this.#withheld[event.reason] ?? 0) + 1;
        this.#showWithheld();
        break;
      case "done":
        this.#finish(event.result);
        break;
      case "connection":
        this.#tellConnection(event.lost);
        break;
    }
  }

  /** The run ended early, by the clinician or by a fault. `actions` are buttons. */
  end(status, message, { requestId = null, stopped = false } = {}, ...actions) {
    this.#settle(status);
    this.#parts.problem.classList.toggle("stopped", stopped);
    const rest = this.isBlank ? null : "What is shown above was checked against its sources, but the answer may be incomplete.";
    this.#parts.problem.replaceChildren(
      el("p", {}, message),
      ...[rest && el("p", {}, rest), requestId && el("p.fine", {}, `Request id ${requestId}`)].filter(Boolean),
      el(".actions", {}, ...actions),
    );
  }

  /** Show what was kept of an answer that was stopped. */
  showPart(answer) {
    this.#citations = new Map(answer.citations.map((citation) => [citation.number, citation]));
    answer.sentences.forEach((sentence) => this.#addSentence(sentence));
    this.#showLabel(answer);
    this.#showSaid(answer);
  }

  /** This turn as the history of a follow-up question, or null when it did not finish. */
  asHistory() {
    if (!this.result) return null;
    const { sentences, label } = this.result.answer;
    // What was only found beside an answer is not what it rests on.
    const { used, found } = parted(this.result.answer);
    const held = used.length ? used : found;
    const body = sentences.map(numbered).join(" ");
    return {
      question: this.question,
      answer: [body, label].filter(Boolean).join("\n\n").slice(0, 8000),
      passage_ids: held.map((citation) => citation.passage_id).slice(0, 20),
    };
  }

  #finish(result) {
    this.result = result;
    const { answer } = result;
    this.#citations = new Map(answer.citations.map((citation) => [citation.number, citation]));
    // The result is the authority; what was streamed stays in place when it says the same, so that a
    // citation someone is on keeps the focus.
    if (JSON.stringify(answer.sentences) !== JSON.stringify(this.#sentences)) {
      this.#sentences = [];
      this.#parts.sentences.replaceChildren();
      answer.sentences.forEach((sentence) => this.#addSentence(sentence));
    }
    this.#withheld = answer.withheld;
    this.#showWithheld();
    this.#parts.steps.replaceChildren(...result.steps.map(stepItem), ...result.failures.map(failureItem));
    this.#parts.about.textContent = `Model ${result.model} · index ${result.index_version} · run ${result.rollout_id}`;

    this.#parts.limited.textContent = limitedWords(result.limited_to ?? []);
    const { used, found: listed } = parted(answer);
    // Not said quietly: whoever reads this answer again tomorrow will not find it.
    const lost = result.failures.find((failure) => failure.code === "not_kept");
    if (lost) this.#parts.bottom.append(written("p.label-note", lost.message));
    this.#showLabel(answer);
    const differing = disagreements(answer, (number) => this.#citeButton(number));
    if (differing) this.#parts.disagreements.replaceChildren(differing);
    this.#showSaid(answer);
    if (listed.length) this.#showCards(listed, answer.kind);
    if (used.length) this.#showSources(used);

    const words = [stopWords(result)];
    if (used.length) words.push(count(used.length, "source"));
    words.push(this.#askedAt ? dateWords(this.#askedAt) : duration(result.duration_ms));
    this.#parts.under.replaceChildren(...this.#underAnswer(result).filter(Boolean));
    this.#settle(words.join(" · "));
    this.#announce([stopWords(result), ...answer.sentences.map((s) => s.text), answer.label].filter(Boolean).join(". "));
  }

  /** The stream was lost and is taken up again by itself: said quietly, and what was said before comes back. */
  #tellConnection(lost) {
    if (lost) this.#beforeLoss = this.#parts.status.textContent;
    this.#say(lost ? "Connection lost. Reconnecting…" : this.#beforeLoss);
  }

  #say(text) {
    this.#parts.status.textContent = text;
    this.#announce(text);
  }

  #settle(status) {
    this.#parts.status.textContent = status;
    this.element.setAttribute("aria-busy", "false");
    this.element.classList.add("settled");
  }

  #addSentence(sentence) {
    this.#sentences.push(sentence);
    const cites = sentence.citations.flatMap((number) => ["\u00a0", this.#citeButton(number)]);
    // The last word and its numbers stay on one line, unless it is too long for that.
    const [, body, last] = sentence.text.match(/^(.*\s)(\S{1,24})$/s) ?? [null, sentence.text, ""];
    this.#parts.sentences.append(el("p.sentence", { dir: "auto" }, body, el("span.together", {}, last, ...cites)));
    if (this.#sentences.length === 1) this.#say("Writing, and checking each sentence against its source…");
  }

  #citeButton(number) {
    const citation = this.#citations.get(number);
    const name = citation ? `Source ${number}: ${[citation.publisher, citation.year].filter(Boolean).join(", ")}` : `Source ${number}`;
    return this.#opening("button.cite", number, { "aria-label": name, textContent: String(number) });
  }

  /** A button that opens source `number`. */
  #opening(tag, number, properties, ...children) {
    const button = el(
      tag,
      {
        type: "button",
        "aria-haspopup": "dialog",
        onclick: () => {
          if (this.#citations.has(number)) this.#openEvidence([...this.#citations.values()], number, button, this.#sentences);
        },
        ...properties,
      },
      ...children,
    );
    return button;
  }

  /** What the policy says. Answers kept from before there was one say nothing. */
  #showSaid({ notices = [], disclaimers = [] }) {
    this.#parts.notices.replaceChildren(...notices.map((notice) => written("p", notice.text)));
    this.#parts.disclaimers.replaceChildren(...disclaimers.map((text) => written("p.fine", text)));
  }

  #showLabel(answer) {
    if (!answer.label) return;
    const titles = {
      recommendations: "Recommendations, not a written answer",
      clarification: "One more detail is needed",
      declined: "No answer",
    };
    const title = titles[answer.kind];
    const label = el(`.label-note.${answer.kind}`, {}, title ? el("h3", {}, title) : null, written("p", answer.label));
    // Under an answer that was written, the label says what is missing from it; elsewhere it comes first.
    (answer.sentences.length ? this.#parts.bottom : this.#parts.top).append(label);
  }

  #showWithheld() {
    const text = withheldWords(this.#withheld);
    this.#parts.withheld.textContent = text;
    this.#parts.withheld.hidden = !text;
  }

  #showCards(citations, kind) {
    const title = kind === "written" ? "Also found" : foundTitle(kind);
    const cards = citations.map((citation) =>
      el(
        "li.card",
        {},
        el("p.card-head", {}, el("span.number", {}, String(citation.number)), citation.condition ? written("span", citation.condition) : null),
        standing(citation),
        written("p.card-text", citation.text),
        qualifiers(citation),
        el(
          ".card-foot",
          {},
          el("p", {}, written("span.source-title", citation.title), written("span.origin", origin(citation))),
          this.#opening("button.quiet", citation.number, { "aria-label": `Open source ${citation.number}: ${citation.title}` }, "Open source"),
        ),
      ),
    );
    this.#parts.cards.append(el("h3", {}, title), el("ol", {}, ...cards));
  }

  #showSources(citations) {
    const rows = citations.map((citation) =>
      el(
        "li",
        {},
        this.#opening(
          "button.source",
          citation.number,
          {},
          el("span.number", {}, String(citation.number)),
          el("span.source-lines", {}, written("span.source-title", citation.title), written("span.origin", origin(citation))),
        ),
        standing(citation),
        qualifiers(citation),
      ),
    );
    this.#parts.sources.append(el("h3", {}, count(citations.length, "source")), el("ol", {}, ...rows));
  }
}

/** Grade, population and contraindications: they travel with every recommendation shown. */
function qualifiers(citation) {
  const item = (name, value, kind = "") => (value ? el("div", { className: kind }, el("dt", {}, name), written("dd", value)) : null);
  return el(
    "dl.qualifiers",
    {},
    item("Strength", citation.strength ?? "not stated"),
    item("Certainty", citation.certainty),
    item("Population", citation.population, "whole"),
    item("Contraindications", citation.contraindications.join("; "), "whole against"),
  );
}

function stepItem(step) {
  return el(
    "li",
    {},
    written("span", step.summary),
    el("span.time", {}, ` ${duration(step.duration_ms)}`),
    step.queries.length ? el("ul.queries", {}, ...step.queries.map((query) => written("li", query))) : null,
  );
}

function failureItem(failure) {
  return el("li.failure", {}, written("span", failure.message));
}
