// The evidence panel: one whole recommendation, with everything it must not be read without.
// Beside the answer where there is room; a modal sheet from the bottom where there is not.

import { el, webLink, written } from "./dom.js";
import { standing } from "./standing.js";
import { regionName } from "./wording.js";

const narrow = matchMedia("(max-width: 799.98px)");

export class EvidencePanel {
  #dialog;
  #citations = [];
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

  /** Show one of an answer's citations; `opener` gets the focus back. */
  open(citations, number, opener) {
    this.#opener?.removeAttribute("aria-expanded");
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#citations = citations;
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
    this.#dialog.replaceChildren(bar, recommendation(citation));
    this.#dialog.scrollTop = 0;
  }
}

/** The whole recommendation. What the publisher did not state is said to be not stated, never left out. */
function recommendation(citation) {
  const row = (name, ...value) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
  const said = (value) => (value ? written("span", value) : el("span.absent", {}, "Not stated"));
  const contraindications = citation.contraindications.length
    ? el("ul", {}, ...citation.contraindications.map((item) => written("li", item)))
    : el("span.absent", {}, "None stated with this recommendation");
  const link = citation.url ? webLink(citation.url, "Open the original") : null;
  return el(
    ".evidence-body",
    {},
    citation.condition ? written("p.condition", citation.condition) : null,
    standing(citation),
    written("p.recommendation", citation.text),
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
