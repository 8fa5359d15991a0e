// One question over POST /v1/ask, read as server-sent events. EventSource cannot POST, so the stream is
// parsed here, as the HTML standard's "event stream interpretation" says.

/** The service sends something every 15 s; after this long in silence the connection is taken for dead. */
const SILENCE_MS = 50_000;
/** Before each attempt to take a lost stream up again; the last one holds from then on. */
const WAITS_MS = [250, 500, 1_000, 2_000, 4_000];

/** A question that could not be carried through; the message says what happened and what to do. */
export class AskError extends Error {
  constructor(message, { requestId = null, code = "" } = {}) {
    super(message);
    this.requestId = requestId;
    this.code = code;
  }
}

/** Text in, whole events out. Takes any cut of the stream, and CRLF, CR or LF line ends. */
export class EventParser {
  #line = "";
  #afterReturn = false;
  #data = [];
  #event = "";
  #id = "";

  /** The events this piece of text completed: [{id, event, data}]. */
  push(text) {
    const events = [];
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      const char = text[i];
      if (char !== "\n" && char !== "\r") {
        this.#afterReturn = false;
        continue;
      }
      // The second half of a CRLF, perhaps from the next chunk, ends no second line.
      if (!(char === "\n" && this.#afterReturn)) {
        const event = this.#take(this.#line + text.slice(start, i));
        if (event) events.push(event);
        this.#line = "";
      }
      this.#afterReturn = char === "\r";
      start = i + 1;
    }
    this.#line += text.slice(start);
    return events;
  }

  #take(line) {
    if (line === "") {
      const event = this.#data.length
        ? { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") }
        : null;
      this.#data = [];
      this.#event = "";
      return event;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment: the heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id") this.#id = value;
    return null;
  }
}

/** Events of a byte stream. A character cut between two chunks is put together again. */
export async function* readEvents(body, onBytes = () => {}) {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // an event without its closing blank line is incomplete and does not count
      onBytes();
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Ask, and yield the service's events (agent/events.py) up to and including `done`, each once. Where the connection is
 * lost in between, the stream is taken up again where it was, for as long as the service holds it; meanwhile
 * `{type: "connection", lost}` is yielded when it was lost and when it is back.
 * Throws AskError; when `signal` is aborted the service is told to end the run, and the signal's own reason is thrown.
 */
export async function* ask(request, signal, { silenceMs = SILENCE_MS, waitsMs = WAITS_MS } = {}) {
  const stream = { id: null, heldS: 0, last: 0, over: false };
  const leave = () => {
    if (stream.id && !stream.over) end(stream.id);
    stream.over ||= stream.id !== null;
  };
  signal.addEventListener("abort", leave);
  addEventListener("pagehide", leave);
  try {
    let lostAt = null;
    let tries = 0;
    for (;;) {
      try {
        for await (const event of once(stream, request, signal, silenceMs)) {
          if (lostAt !== null) yield { type: "connection", lost: false };
          lostAt = null;
          tries = 0;
          if (event) yield event;
          if (stream.over) return;
        }
        throw new LostError("The connection ended before the answer was complete. Ask again.");
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof LostError)) throw error;
        if (lostAt === null && stream.heldS) yield { type: "connection", lost: true };
        lostAt ??= performance.now();
        const wait = waitsMs[Math.min(tries++, waitsMs.length - 1)];
        // A service that holds nothing is not tried again.
        if (performance.now() + wait - lostAt > stream.heldS * 1000) throw new AskError(error.message);
        await pause(wait, signal);
      }
    }
  } finally {
    signal.removeEventListener("abort", leave);
    removeEventListener("pagehide", leave);
    leave();
  }
}

/** The connection broke; the message is for when there is nothing to go on with. */
class LostError extends Error {}

/** One connection: the events that follow `stream.last`. Yields null as soon as the service has answered. */
async function* once(stream, request, signal, silenceMs) {
  const cut = new AbortController();
  let silent = false;
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      silent = true;
      cut.abort();
    }, silenceMs);
  };
  const stop = () => stream.id && cut.abort();
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    heard();
    const response = await opened(stream, request, cut.signal, signal);
    heard();
    yield null;
    for await (const { id, data } of readEvents(response.body, heard)) {
      if (id && Number(id) <= stream.last) continue; // seen already
      const event = parsed(data);
      stream.last = Number(id);
      stream.over = event.type === "done" || event.type === "error";
      if (event.type === "error") throw new AskError(event.message);
      yield event;
      if (stream.over) return;
    }
  } catch (error) {
    if (error instanceof AskError || error instanceof LostError || signal.aborted) throw error;
    if (silent) throw new LostError("The service has stopped responding. Ask again in a moment.");
    throw new LostError(
      stream.id
        ? "The connection was lost before the answer was complete. Check the network, then ask again."
        : "The service could not be reached. Check that it is running and that this device is connected, then ask again.",
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    // A question that was stopped before the service named its run is still on its way, see `opened`.
    if (stream.id || !signal.aborted) cut.abort();
  }
}

/** The response to the question, or to going on with it; throws the reason of `signal` at once when that is aborted. */
async function opened(stream, request, cut, signal) {
  if (stream.id) {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": String(stream.last) };
    const response = await fetch(`/v1/ask/${stream.id}/events`, { headers, cache: "no-store", signal: cut });
    if (response.status === 200) return response;
    if (response.status >= 500) throw new LostError((await refusal(response)).message); // a proxy's, or it is starting
    stream.over = true;
    throw new AskError("The connection was lost, and the rest of the answer is no longer to be had. Ask again.");
  }
  const asked = fetch("/v1/ask", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ ...request, resumable: true }),
    cache: "no-store",
    signal: cut,
  });
  const stopped = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    const response = await Promise.race([asked, stopped]);
    if (!response.ok) throw await refusal(response);
    stream.id = response.headers.get("x-rollout-id");
    stream.heldS = Number(response.headers.get("x-resume-seconds") ?? 0);
    return response;
  } catch (error) {
    if (signal.aborted) {
      // The run begins all the same, and is ended once the service has said which it is.
      asked.then(({ headers, body }) => {
        end(headers.get("x-rollout-id"));
        body?.cancel();
      }).catch(() => {});
    }
    throw error;
  } finally {
    stopped.catch(() => {}); // nobody waits for it any more
  }
}

/** Tell the service that nobody wants this run any more; also while the page is being closed. */
function end(id) {
  if (id) fetch(`/v1/ask/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
}

/** Wait; not so long when the network comes back, and no longer when `signal` is aborted. */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => done(() => reject(signal.reason));
    const wake = () => done(resolve);
    const timer = setTimeout(wake, ms);
    const done = (settle) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      removeEventListener("online", wake);
      settle();
    };
    signal.addEventListener("abort", stop);
    addEventListener("online", wake);
  });
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    throw new AskError("The service sent something this page cannot read. Ask again; if it happens again, reload the page.");
  }
}

/** The service's own words about a refusal (application/problem+json), or the status where there are none. */
async function refusal(response) {
  const problem = await response.json().catch(() => null);
  if (typeof problem?.detail === "string") {
    return new AskError(problem.detail, { requestId: problem.request_id || null, code: problem.code ?? "" });
  }
  return new AskError(`The service answered with an error (${response.status}). Ask again in a moment.`);
}
