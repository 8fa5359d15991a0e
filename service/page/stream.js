// One question over POST /v1/ask, read as server-sent events. EventSource cannot POST, so the stream is
// parsed here, as the HTML standard's "event stream interpretation" says.

/** The service sends something every 15 s; after this long in silence the connection is taken for dead. */
const SILENCE_MS = 50_000;

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
 * Ask, and yield the service's events (agent/events.py) up to and including `done`.
 * Throws AskError; when `signal` is aborted it throws the signal's own reason.
 */
export async function* ask(request, signal, { silenceMs = SILENCE_MS } = {}) {
  const silence = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), silenceMs);
  };
  let started = false;
  try {
    heard();
    const response = await fetch("/v1/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify(request),
      cache: "no-store",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    heard();
    if (!response.ok) throw await refusal(response);
    started = true;
    for await (const { data } of readEvents(response.body, heard)) {
      const event = parsed(data);
      if (event.type === "error") throw new AskError(event.message);
      yield event;
      if (event.type === "done") return;
    }
    throw new AskError("The connection ended before the answer was complete. Ask again.");
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AskError) throw error;
    if (silence.signal.aborted) throw new AskError("The service has stopped responding. Ask again in a moment.");
    throw new AskError(
      started
        ? "The connection was lost before the answer was complete. Check the network, then ask again."
        : "The service could not be reached. Check that it is running and that this device is connected, then ask again.",
    );
  } finally {
    clearTimeout(timer);
  }
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
