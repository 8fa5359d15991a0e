// Thumbs under an answer, with reasons and a comment. The thumb is kept at once; what is added to it when it is sent.

import { el } from "./dom.js";
import { RecordsError, sendFeedback } from "./records.js";
import { REASONS } from "./wording.js";

let forms = 0;

/** The row under an answer, and the form that opens below it. `initial` is what was said before, or null. */
export function feedbackRow(rolloutId, initial = null) {
  let held = initial;
  const status = el("span.feedback-status", { role: "status" });
  const details = el(".feedback-details", { hidden: true });
  const edit = el("button.link", { type: "button", hidden: true, onclick: () => open(true) });
  const buttons = {
    up: thumb("up", "Helpful"),
    down: thumb("down", "Not helpful"),
  };
  const row = el(
    ".feedback",
    { role: "group", "aria-label": "Feedback on this answer" },
    el(".thumbs", {}, el("span.feedback-ask", {}, "Was this helpful?"), buttons.up, buttons.down, edit, status),
    details,
  );
  show();
  return row;

  function thumb(kind, label) {
    return el("button.quiet.thumb", { type: "button", onclick: () => press(kind) }, el(`span.glyph.thumb-${kind}`, { "aria-hidden": "true" }), label);
  }

  function show() {
    for (const [kind, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(held?.thumbs === kind));
    edit.hidden = !held || !details.hidden;
    edit.textContent = held?.reasons.length || held?.comment ? "Change your reasons" : "Add a reason";
  }

  async function press(kind) {
    const wanted = held?.thumbs === kind ? null : { thumbs: kind, reasons: [], comment: "" };
    if (await keep(wanted)) {
      open(Boolean(wanted), false);
      status.textContent = wanted ? "Thank you, that is kept." : "Taken back.";
    }
  }

  async function keep(feedback, problem = null) {
    try {
      await sendFeedback(rolloutId, feedback);
    } catch (error) {
      if (!(error instanceof RecordsError)) throw error;
      const said = `Not kept. ${error.message}`;
      if (problem) problem.textContent = said;
      else status.textContent = said;
      return false;
    }
    held = feedback;
    show();
    return true;
  }

  function open(wanted, focus = true) {
    details.hidden = !wanted;
    details.replaceChildren(...(wanted ? [form()] : []));
    if (wanted && focus) details.querySelector("input").focus();
    show();
  }

  function form() {
    const id = `feedback-${++forms}`;
    const { thumbs, reasons, comment } = held;
    const boxes = Object.entries(REASONS[thumbs]).map(([code, words]) => ({
      code,
      box: el("input", { type: "checkbox", checked: reasons.includes(code) }),
      words,
    }));
    const words = el("textarea", { id, rows: 2, maxLength: 2000, dir: "auto", value: comment, "aria-describedby": `${id}-hint` });
    const problem = el("p.problem", { role: "alert" });
    const element = el(
      "form",
      {},
      el(
        "fieldset",
        {},
        el("legend", {}, thumbs === "up" ? "What was good?" : "What was wrong?"),
        ...boxes.map(({ box, words: label }) => el("label.chip", {}, box, el("span", {}, label))),
      ),
      el("label.comment-label", { htmlFor: id }, "Comment"),
      words,
      el("p.hint", { id: `${id}-hint` }, "Leave out anything that identifies a patient."),
      el(".actions", {}, el("button.quiet.strong", { type: "submit" }, "Send"), el("button.quiet", { type: "button", onclick: close }, "Close")),
      problem,
    );
    element.addEventListener("submit", async (event) => {
      event.preventDefault();
      const said = { thumbs, reasons: boxes.filter(({ box }) => box.checked).map(({ code }) => code), comment: words.value.trim() };
      if (await keep(said, problem)) {
        close();
        status.textContent = "Thank you, that is kept.";
      }
    });
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      close();
    });
    return element;
  }

  function close() {
    const thumbs = held?.thumbs;
    open(false);
    (edit.hidden ? buttons[thumbs ?? "up"] : edit).focus({ preventScroll: true });
  }
}
