// What the service keeps for whoever uses this browser: conversations, feedback, the decision on training.

/** Something could not be read or kept; the message says what happened and what to do. */
export class RecordsError extends Error {
  constructor(message, { status = 0, code = "" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** This deployment keeps nothing, or does not know who asks. */
  get keepsNothing() {
    return this.status === 401 || this.status === 403;
  }
}

const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** The conversation that an address names, or null. */
export function conversationIn(address) {
  const id = new URL(address).searchParams.get("c");
  return id && ID.test(id) ? id : null;
}

/** The address of a conversation, or of none. */
export function addressOf(id) {
  return id ? `/?c=${id}` : "/";
}

/** A page of the list: {conversations, next_cursor}. */
export function listConversations({ query = "", cursor = null, signal } = {}) {
  const parameters = new URLSearchParams({ limit: "40" });
  if (query) parameters.set("q", query);
  if (cursor) parameters.set("cursor", cursor);
  return call("GET", `/v1/conversations?${parameters}`, undefined, signal);
}

export const beginConversation = () => call("POST", "/v1/conversations", {});
/** A conversation, its sources labelled for somebody who works in `home`. */
export const getConversation = (id, home = null) => call("GET", `/v1/conversations/${id}${home ? `?home_region=${home}` : ""}`);
export const renameConversation = (id, title) => call("PATCH", `/v1/conversations/${id}`, { title });
export const deleteConversation = (id) => call("DELETE", `/v1/conversations/${id}`);
export const sendFeedback = (rolloutId, feedback) => call("POST", "/v1/feedback", { rollout_id: rolloutId, feedback });
export const getConsent = () => call("GET", "/v1/consent");
export const putConsent = (training, version) => call("PUT", "/v1/consent", { training, version });

async function call(method, path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RecordsError("The service could not be reached. Check that this device is connected, then try again.");
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => null);
  const said = typeof problem?.detail === "string" ? problem.detail : `The service answered with an error (${response.status}).`;
  throw new RecordsError(said, { status: response.status, code: problem?.code ?? "" });
}
