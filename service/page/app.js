// The chat page: the question box, the turns of the conversation, the list of conversations, and the panel that opens
// their sources. What is asked is kept by the service, where it keeps anything, and is found again by the address.

import { TurnView } from "./answer.js";
import { Consent } from "./consent.js";
import { el } from "./dom.js";
import { EvidencePanel } from "./evidence.js";
import { feedbackRow } from "./feedback.js";
import { Filters } from "./filters.js";
import { HistoryPanel } from "./history.js";
import { addressOf, beginConversation, conversationIn, getConversation, RecordsError } from "./records.js";
import { ask, AskError } from "./stream.js";
import { nextQuestions } from "./suggestions.js";
import { answerTools, Printing } from "./tools.js";
import { count } from "./wording.js";

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
const unkept = byId("unkept");
const panel = new EvidencePanel(byId("evidence"));
const filters = new Filters(byId("filters-open"), byId("filters"));
const printing = new Printing(() => turns);
const consent = new Consent(byId("consent-open"), byId("consent"));
const list = new HistoryPanel(
  {
    nav: byId("history"),
    frame: byId("frame"),
    drawer: byId("history-drawer"),
    opener: byId("history-open"),
    closer: byId("history-close"),
    search: byId("history-search"),
    note: byId("history-note"),
    list: byId("history-list"),
    more: byId("history-more"),
    confirm: byId("confirm"),
  },
  { open: (id) => openConversation(id), deleted: (id) => id === conversation && startOver(), announce },
);
const touch = matchMedia("(pointer: coarse)");

let turns = [];
let running = null;
/** Id of the conversation shown, once something was asked in it. */
let conversation = null;
/** Whether the service keeps conversations for this browser. */
let keeps = true;
/** Counts what was shown: what arrives for an earlier view is dropped. */
let view = 0;

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
fresh.addEventListener("click", () => startOver());
window.addEventListener("popstate", () => {
  const id = conversationIn(location.href);
  if (id === conversation) return; // only the fragment changed
  if (id) openConversation(id, { push: false });
  else startOver({ push: false });
});
for (const example of document.querySelectorAll(".examples button")) {
  example.addEventListener("click", () => run(example.textContent));
}
begin();

async function begin() {
  filters.read();
  const id = conversationIn(location.href);
  if (id) openConversation(id, { push: false });
  await refreshList();
  if (keeps) await consent.read();
}

async function refreshList() {
  if (!keeps) return;
  try {
    await list.refresh();
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    keeps = false;
    list.hide();
  }
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
  const limits = filters.body;
  filters.close();
  const turn = new TurnView(question, { openEvidence, announce, underAnswer: (result) => under(turn, result, limits) });
  turns.push(turn);
  running = controller;
  box.value = "";
  thread.append(turn.element);
  showState();
  leaveButton();
  turn.element.scrollIntoView({ block: "start" });
  try {
    await keepConversation(controller.signal);
    const request = { question, ...limits, ...(conversation ? { conversation_id: conversation } : { history }) };
    let first = true;
    for await (const event of ask(request, controller.signal)) {
      if (first) refreshList(); // the question is kept by now
      first = false;
      turn.take(event);
    }
  } catch (error) {
    if (error.code === "conversation_not_found") leaveConversation();
    // A conversation that was closed meanwhile wants nothing back.
    if (turns.includes(turn)) endEarly(turn, error, controller.signal.aborted);
    if (!(error instanceof AskError) && !controller.signal.aborted) throw error;
  } finally {
    if (running === controller) running = null;
    showState();
    refreshList();
  }
}

/** Begin a conversation for the first question. An answer matters more than its keeping: a fault is told, no more. */
async function keepConversation(signal) {
  if (conversation || !keeps || !unkept.hidden) return;
  const shown = view;
  try {
    const { id } = await beginConversation();
    signal.throwIfAborted();
    if (shown !== view) return;
    conversation = id;
    history.pushState(null, "", addressOf(id));
    list.current = id;
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    if (error.keepsNothing) keeps = false;
    else {
      unkept.textContent = `This conversation is not kept. ${error.message}`;
      unkept.hidden = false;
    }
  }
}

function openEvidence(...shown) {
  panel.open(...shown);
}

/** What goes under an answer that was asked with the filters `limits`; thumbs and consent only where it is kept. */
function under(turn, result, limits) {
  const kept = conversation && !result.failures.some((failure) => failure.code === "not_kept");
  const next = nextQuestions(result, limits, run);
  return [tools(turn), kept ? feedbackRow(result.rollout_id) : null, next, kept ? consent.card() : null];
}

function tools(turn) {
  return answerTools(turn, () => printing.print(turn));
}

/** Keep what was shown, say what to do, and put the question back where it can be changed. */
function endEarly(turn, error, stopped) {
  if (!box.value.trim()) box.value = turn.question;
  const again = againButton(turn);
  if (stopped) {
    turn.end("Stopped by you", "You stopped this answer. Your question is back in the box.", { stopped }, again);
    return;
  }
  const message = error instanceof AskError ? error.message : "This page failed while showing the answer. Ask again.";
  turn.end("Not answered", `${message} Your question is still in the box.`, { requestId: error.requestId }, again);
}

function againButton(turn) {
  return el("button.quiet", { type: "button", onclick: () => askAgain(turn), textContent: "Ask again" });
}

function askAgain(turn) {
  if (running) return;
  turns = turns.filter((other) => other !== turn);
  turn.element.remove();
  run(turn.question);
}

/** Show a conversation that is kept. */
async function openConversation(id, { push = true } = {}) {
  startOver({ push: false, focus: false });
  const shown = ++view;
  conversation = id;
  list.current = id;
  if (push) history.pushState(null, "", addressOf(id));
  main.setAttribute("aria-busy", "true");
  main.removeAttribute("data-empty");
  try {
    const found = await getConversation(id, filters.home);
    if (shown !== view) return;
    for (const kept of found.asked) restore(kept);
    showState();
    turns.at(-1)?.element.scrollIntoView({ block: "start", behavior: "instant" });
    announce(`Opened ${found.title ?? "conversation"}, ${count(found.asked.length, "question")}`);
    leaveButton();
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    if (shown !== view) return;
    const gone = error.status === 404 || error.keepsNothing;
    if (gone) startOver({ push: false });
    if (gone) history.replaceState(null, "", addressOf(null));
    problem.textContent = gone ? error.message : `This conversation could not be opened. ${error.message} Reload the page to try again.`;
  } finally {
    if (shown === view) main.removeAttribute("aria-busy");
  }
}

/** A turn as it was kept. */
function restore({ rollout_id: rolloutId, question, state, asked_at: askedAt, result, shown, feedback }) {
  const underAnswer = () => [tools(turn), feedbackRow(rolloutId, feedback)];
  const turn = new TurnView(question, { openEvidence, underAnswer, askedAt });
  turns.push(turn);
  thread.append(turn.element);
  if (result) {
    turn.take({ type: "done", result });
    return;
  }
  if (shown) turn.showPart(shown);
  const said = {
    stopped: "This answer was stopped before it was complete.",
    failed: "The service failed on this question.",
    asked: "There is no answer yet. It may be on its way in another window, or the service was stopped.",
  };
  turn.end(state === "stopped" ? "Stopped" : "Not answered", said[state], { stopped: state !== "failed" }, againButton(turn));
}

/** The conversation on the page is no longer kept: what is asked next begins another. */
function leaveConversation() {
  conversation = null;
  list.current = null;
  history.replaceState(null, "", addressOf(null));
}

function startOver({ push = true, focus = true } = {}) {
  running?.abort();
  running = null;
  view += 1;
  panel.close();
  turns = [];
  thread.replaceChildren();
  box.value = "";
  problem.replaceChildren();
  unkept.hidden = true;
  main.removeAttribute("aria-busy");
  if (push && conversation) history.pushState(null, "", addressOf(null));
  conversation = null;
  list.current = null;
  showState();
  if (focus) box.focus();
}

function showState() {
  const empty = turns.length === 0;
  main.toggleAttribute("data-empty", empty);
  byId("talk-heading").hidden = empty;
  fresh.hidden = empty && !conversation;
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
