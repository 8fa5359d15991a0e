// Whether questions may be trained on: asked once, under an answer, and changed at any time from the list of conversations.

import { el, written } from "./dom.js";
import { getConsent, putConsent, RecordsError } from "./records.js";

export class Consent {
  #opener;
  #dialog;
  /** As GET /v1/consent gives it; null until it was read. */
  #held = null;
  #card = null;

  /** `opener` is the button that tells the decision and changes it. */
  constructor(opener, dialog) {
    this.#opener = opener;
    this.#dialog = dialog;
    opener.addEventListener("click", () => this.#show());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  async read() {
    try {
      this.#took(await getConsent());
    } catch (error) {
      // Nothing is known, so nothing is asked and nothing may be used.
      if (!(error instanceof RecordsError)) throw error;
    }
  }

  /** The question for under an answer, the first time there is one; null where it was decided or stands already. */
  card() {
    if (!this.#held || this.#held.asked || this.#card?.isConnected) return null;
    const said = el("p.fine", { role: "status" });
    const title = el("h3", { id: "consent-card-title" }, "Your questions and training");
    this.#card = el("section.consent-card", { "aria-labelledby": title.id }, title, ...this.#question(said, () => {
      this.#card.replaceChildren(said);
      said.textContent = this.#held.training ? "Thank you. You can change this under Conversations." : "Noted: they are not used. You can change this under Conversations.";
      said.tabIndex = -1;
      said.focus({ preventScroll: true });
    }));
    return this.#card;
  }

  #show() {
    const said = el("p.problem", { role: "alert" });
    const now = this.#held.training ? "Now: your questions may be used for training." : "Now: your questions are not used for training.";
    this.#dialog.replaceChildren(
      el("h2", { id: "consent-title" }, "Use for training"),
      el("p.consent-now", {}, now),
      ...this.#question(said, () => this.#dialog.close(), el("button.quiet.last", { type: "button", onclick: () => this.#dialog.close() }, "Close")),
    );
    this.#dialog.showModal();
  }

  #question(said, done, ...actions) {
    const decide = async (training) => {
      try {
        this.#took(await putConsent(training, this.#held.version));
        done();
      } catch (error) {
        if (!(error instanceof RecordsError)) throw error;
        said.textContent = `Not kept. ${error.message}`;
        if (error.code === "consent_wording_changed") await this.read();
      }
    };
    return [
      written("p", this.#held.wording),
      el(".actions", {},
        el("button.quiet", { type: "button", onclick: () => decide(true) }, "Yes, they may"),
        el("button.quiet", { type: "button", onclick: () => decide(false) }, "No"),
        ...actions,
      ),
      said,
    ];
  }

  #took(consent) {
    this.#held = consent;
    this.#opener.hidden = false;
    this.#opener.textContent = `Use for training: ${consent.training ? "yes" : "no"}`;
  }
}
