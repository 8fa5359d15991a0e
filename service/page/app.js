// The chat page: the question box, the turns of the conversation, and the panel that opens their sources.
// Nothing is kept after the page is closed.

import { TurnView } from "./answer.js";
import { el } from "./dom.js";
import { EvidencePanel } from "./evidence.js";
import { ask, AskError } from "./stream.js";

const MAX_TURNS = 10;

const byId = (id) => document.getElementById(id);
const main = byId("main");
const thread = byId("thread");
const form = byId("ask");
const box = byId("question");
const send = byId("send");
const stop = byId("stop");
const problem = byId("question-problem");
const fresh = byId("new");
const announcer = byId("announcer");
const panel = new EvidencePanel(byId("evidence"));
const touch = matchMedia("(pointer: coarse)");

let turns = [];
let running = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
box.addEventListener("keydown", (event) => {
  // While an input method is composing, Enter picks a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
box.addEventListener("input", () => problem.replaceChildren());
stop.addEventListener("click", () => running?.abort());
fresh.addEventListener("click", startOver);
for (const example of document.querySelectorAll(".examples button")) {
  example.addEventListener("click", () => run(example.textContent));
}

function submit() {
  if (running) return;
  const question = box.value.trim();
  if (question) run(question);
  else {
    problem.textContent = "Type a clinical question first.";
    box.focus();
  }
}

async function run(question) {
  if (running) return;
  const controller = new AbortController();
  const history = turns.map((turn) => turn.asHistory()).filter(Boolean).slice(-MAX_TURNS);
  const turn = new TurnView(question, { openEvidence: (...shown) => panel.open(...shown), announce });
  turns.push(turn);
  running = controller;
  box.value = "";
  thread.append(turn.element);
  showState();
  leaveButton();
  turn.element.scrollIntoView({ block: "start" });
  try {
    for await (const event of ask({ question, history }, controller.signal)) turn.take(event);
  } catch (error) {
    // A conversation that was closed meanwhile wants nothing back.
    if (turns.includes(turn)) endEarly(turn, error, controller.signal.aborted);
    if (!(error instanceof AskError) && !controller.signal.aborted) throw error;
  } finally {
    if (running === controller) running = null;
    showState();
  }
}

/** Keep what was shown, say what to do, and put the question back where it can be changed. */
function endEarly(turn, error, stopped) {
  if (!box.value.trim()) box.value = turn.question;
  const again = el("button.quiet", { type: "button", onclick: () => askAgain(turn), textContent: "Ask again" });
  if (stopped) {
    turn.end("Stopped by you", "You stopped this answer. Your question is back in the box.", { stopped }, again);
    return;
  }
  const message = error instanceof AskError ? error.message : "This page failed while showing the answer. Ask again.";
  turn.end("Not answered", `${message} Your question is still in the box.`, { requestId: error.requestId }, again);
}

function askAgain(turn) {
  if (running) return;
  turns = turns.filter((other) => other !== turn);
  turn.element.remove();
  run(turn.question);
}

function startOver() {
  running?.abort();
  running = null;
  panel.close();
  turns = [];
  thread.replaceChildren();
  box.value = "";
  problem.replaceChildren();
  showState();
  box.focus();
}

function showState() {
  const empty = turns.length === 0;
  main.toggleAttribute("data-empty", empty);
  fresh.hidden = empty;
  byId("question-label").textContent = turns.some((turn) => turn.result) ? "Follow-up question" : "Your question";
  const stopHadFocus = document.activeElement === stop;
  send.hidden = running !== null;
  stop.hidden = running === null;
  if (stopHadFocus && stop.hidden) leaveButton();
}

/** The button pressed is gone: the focus goes to the box, except where that would raise a keyboard over the answer. */
function leaveButton() {
  if (touch.matches) document.activeElement?.blur();
  else box.focus({ preventScroll: true });
}

function announce(text) {
  announcer.textContent = text;
}
