// Taking an answer along: copied as text, or printed.

import { el } from "./dom.js";
import { plainAnswer } from "./references.js";

/** The row under a finished answer; null where there is nothing to take along. `print()` prints it. */
export function answerTools(turn, print) {
  const { sentences, citations } = turn.answer;
  if (!sentences.length && !citations.length) return null;
  const status = el("span.feedback-status", { role: "status" });
  const copy = async () => {
    status.textContent = (await copied(plainAnswer(turn.question, turn.result))) ? "Copied, with references and warnings." : "This browser does not let a page copy. Print instead.";
  };
  return el(
    ".tools",
    { role: "group", "aria-label": "Take this answer along" },
    el("button.quiet", { type: "button", onclick: copy }, "Copy with references"),
    el("button.quiet", { type: "button", onclick: () => print() }, "Print"),
    status,
  );
}

/** Put text on the clipboard; whether that worked. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain http a browser gives no clipboard; the old way still works there.
    return copiedFromBox(text);
  }
}

function copiedFromBox(text) {
  const before = document.activeElement;
  const box = el("textarea.unseen", { value: text, readOnly: true, "aria-hidden": "true", tabIndex: -1 });
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  before?.focus({ preventScroll: true });
  return done;
}

/** Paper: one answer by its button, the whole conversation by the browser's own command. */
export class Printing {
  #turns;
  #chosen = null;

  /** `turns()` gives the turns on the page. */
  constructor(turns) {
    this.#turns = turns;
    window.addEventListener("beforeprint", () => this.#prepare());
    window.addEventListener("afterprint", () => this.#clear());
  }

  print(turn) {
    this.#chosen = turn;
    window.print();
    this.#chosen = null;
  }

  #prepare() {
    this.#clear();
    for (const turn of this.#turns()) {
      turn.element.classList.toggle("not-printed", this.#chosen !== null && turn !== this.#chosen);
      turn.element.append(turn.printed() ?? "");
    }
  }

  #clear() {
    for (const turn of this.#turns()) turn.element.classList.remove("not-printed");
    for (const printed of document.querySelectorAll(".printed")) printed.remove();
  }
}
