// The evidence panel: one whole recommendation, with everything it must not be read without.
// Beside the answer where there is room; a modal sheet from the bottom where there is not.

import { el, webLink, written } from "./dom.js";
import { cutAt, supported } from "./highlight.js";
import { standing } from "./standing.js";
import { regionName } from "./wording.js";

const narrow = matchMedia("(max-width: 799.98px)");

export class EvidencePanel {
  #dialog;
  #citations = [];
  #sentences = [];
  #index = 0;
  #opener = null;
  #switching = false;

  constructor(dialog) {
    this.#dialog = dialog;
    dialog.addEventListener("close", () => this.#closed());
    // Only a click on the backdrop has the dialog itself as its target.
    dialog.addEventListener("click", (event) => event.target === dialog && narrow.matches && dialog.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && dialog.open && !event.defaultPrevented && !event.isComposing) {
        event.preventDefault();
        dialog.close();
      }
    });
    narrow.addEventListener("change", () => {
      if (!dialog.open) return;
      this.#switching = true;
      dialog.close();
      this.#show();
    });
  }

  /** Show one of an answer's citations with the words that its `sentences` use; `opener` gets the focus back. */
  open(citations, number, opener, sentences) {
    this.#opener?.removeAttribute("aria-expanded");
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#citations = citations;
    this.#sentences = sentences;
    this.#index = Math.max(0, citations.findIndex((citation) => citation.number === number));
    this.#render();
    if (!this.#dialog.open) this.#show();
    this.#dialog.querySelector("#evidence-title").focus();
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #show() {
    if (narrow.matches) this.#dialog.showModal();
    else this.#dialog.show();
    document.documentElement.classList.add("with-evidence");
  }

  #closed() {
    // `close` is dispatched later than close(): when changing between sheet and side panel it is open again.
    if (this.#switching) {
      this.#switching = false;
      return;
    }
    const opener = this.#opener;
    this.#opener = null;
    document.documentElement.classList.remove("with-evidence");
    opener?.removeAttribute("aria-expanded");
    // Somebody typing the next question keeps the focus there.
    const elsewhere = document.activeElement !== document.body && !this.#dialog.contains(document.activeElement);
    if (!elsewhere) (opener?.isConnected ? opener : document.getElementById("question")).focus();
  }

  #move(by) {
    this.#index += by;
    this.#render();
    this.#dialog.querySelector("#evidence-title").focus();
  }

  #render() {
    const citation = this.#citations[this.#index];
    const total = this.#citations.length;
    const step = (by, label, sign) =>
      el("button.icon", {
        type: "button",
        "aria-label": label,
        disabled: !this.#citations[this.#index + by],
        onclick: () => this.#move(by),
        textContent: sign,
      });
    const bar = el(
      ".evidence-bar",
      {},
      el("h2", { id: "evidence-title", tabIndex: -1 }, total > 1 ? `Source ${citation.number} of ${total}` : `Source ${citation.number}`),
      total > 1 ? step(-1, "Previous source", "‹") : null,
      total > 1 ? step(1, "Next source", "›") : null,
      el("button.icon", { type: "button", "aria-label": "Close", onclick: () => this.close(), textContent: "✕" }),
    );
    const resting = this.#sentences.filter((sentence) => sentence.citations.includes(citation.number));
    this.#dialog.replaceChildren(bar, recommendation(citation, resting.map((sentence) => sentence.text)));
    this.#dialog.scrollTop = 0;
  }
}

/** A sentence of an answer that is made of contraindications (agent/quoting.py) rests on those, every other on the text. */
const WARNS = /^Contraindications:/;

/** Text in which what the sentences say too is marked. */
function marked(tag, text, sentences) {
  return el(tag, { dir: "auto" }, ...cutAt(text, supported(text, sentences), (part) => el("mark", {}, part)));
}

/**
 * The whole recommendation, marked where the answer's `sentences` rest on it. What the publisher did not state is
 * said to be not stated, never left out.
 */
function recommendation(citation, sentences) {
  const text = marked("p.recommendation", citation.text, sentences.filter((sentence) => !WARNS.test(sentence)));
  const warnings = sentences.filter((sentence) => WARNS.test(sentence));
  const row = (name, ...value) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
  const said = (value) => (value ? written("span", value) : el("span.absent", {}, "Not stated"));
  const contraindications = citation.contraindications.length
    ? el("ul", {}, ...citation.contraindications.map((item) => marked("li", item, warnings)))
    : el("span.absent", {}, "None stated with this recommendation");
  const link = citation.url ? webLink(citation.url, "Open the original") : null;
  return el(
    ".evidence-body",
    {},
    citation.condition ? written("p.condition", citation.condition) : null,
    standing(citation),
    text,
    text.querySelector("mark") ? el("p.rests", {}, el("mark", {}, "Marked"), ": the words that the answer uses. Read the whole before acting.") : null,
    el(
      "dl",
      {},
      row("Strength", said(citation.strength)),
      row("Certainty", said(citation.certainty)),
      row("Population", said(citation.population)),
      row("Contraindications", contraindications),
    ),
    el("h3", {}, "Where it comes from"),
    el(
      "dl",
      {},
      row("Guideline", written("span", citation.title)),
      row("Publisher", written("span", citation.publisher)),
      row("Published", said(citation.published ?? citation.year)),
      citation.review_by ? row("Review by", written("span", citation.review_by)) : null,
      citation.version ? row("Version", written("span", citation.version)) : null,
      row("Region", written("span", regionName(citation.region))),
    ),
    // An address that is not a web address is shown, so that nothing is lost, but never followed.
    link ? el("p.original", {}, link) : citation.url ? written("p.original", citation.url) : null,
    citation.notice ? el(".notice-foot", {}, written("p.notice", citation.notice)) : null,
  );
}
