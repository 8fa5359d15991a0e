// The list of conversations: beside the answers where there is room, in a drawer where there is not.

import { el, written } from "./dom.js";
import { deleteConversation, listConversations, addressOf, RecordsError, renameConversation } from "./records.js";
import { count, dayGroup } from "./wording.js";

const roomy = matchMedia("(min-width: 1200px)");
/** Milliseconds after the last key before a search is sent. */
const SEARCH_AFTER_MS = 200;

export class HistoryPanel {
  #parts;
  #open;
  #deleted;
  #announce;
  #current = null;
  #items = [];
  #cursor = null;
  #looking = null;
  #timer;
  /** Id of the conversation whose options are open. */
  #expanded = null;
  /** The row in which a title is being typed; it outlives a new reading of the list. */
  #edited = null;

  /** open(id) shows a conversation; deleted(id) tells that one is gone; announce(text) speaks. */
  constructor(parts, { open, deleted, announce }) {
    this.#parts = parts;
    this.#open = open;
    this.#deleted = deleted;
    this.#announce = announce;
    parts.search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.refresh(), SEARCH_AFTER_MS);
    });
    parts.more.addEventListener("click", () => this.#more());
    parts.opener.addEventListener("click", () => this.#openDrawer());
    parts.closer.addEventListener("click", () => parts.drawer.close());
    parts.drawer.addEventListener("click", (event) => event.target === parts.drawer && parts.drawer.close());
    parts.nav.addEventListener("keydown", (event) => this.#onKey(event));
    roomy.addEventListener("change", () => this.#place());
    // At once, so that nothing moves when the list arrives.
    parts.nav.hidden = false;
    this.#place();
  }

  /** Nothing is kept here: there is no list. */
  hide() {
    this.#parts.nav.hidden = true;
    this.#parts.opener.hidden = true;
    document.documentElement.classList.remove("with-history");
  }

  set current(id) {
    this.#current = id;
    this.#render();
  }

  close() {
    if (this.#parts.drawer.open) this.#parts.drawer.close();
  }

  /** Read the first page again. Throws RecordsError where nothing is kept; other faults are told in the list. */
  async refresh() {
    this.#looking?.abort();
    const looking = (this.#looking = new AbortController());
    const query = this.#parts.search.value.trim();
    try {
      const page = await listConversations({ query, signal: looking.signal });
      this.#items = page.conversations;
      this.#cursor = page.next_cursor;
      this.#render();
      this.#say(this.#items.length ? "" : query ? "No conversation has all of these words." : "What you ask is kept here.");
      if (query) this.#announce(this.#items.length ? `${count(this.#items.length, "conversation")} found` : "No conversation found");
    } catch (error) {
      if (looking.signal.aborted) return;
      if (!(error instanceof RecordsError) || error.keepsNothing) throw error;
      this.#say(error.message, true);
    }
  }

  async #more() {
    try {
      const before = this.#items.length;
      const page = await listConversations({ query: this.#parts.search.value.trim(), cursor: this.#cursor });
      this.#items = [...this.#items, ...page.conversations];
      this.#cursor = page.next_cursor;
      this.#render();
      this.#linkOf(this.#items[before]?.id)?.focus();
    } catch (error) {
      if (!(error instanceof RecordsError)) throw error;
      this.#say(error.message, true);
    }
  }

  #say(text, fault = false) {
    this.#parts.note.textContent = text;
    this.#parts.note.classList.toggle("fault", fault);
  }

  #place() {
    const { nav, drawer, frame, opener } = this.#parts;
    if (roomy.matches) {
      this.close();
      frame.prepend(nav);
    } else drawer.append(nav);
    opener.hidden = nav.hidden || roomy.matches;
    document.documentElement.classList.toggle("with-history", !nav.hidden);
  }

  #openDrawer() {
    this.#parts.drawer.showModal();
    this.#parts.search.focus();
  }

  #onKey(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    const { search } = this.#parts;
    if (event.target === search && search.value) {
      search.value = "";
      this.refresh();
    } else if (this.#expanded) {
      const id = this.#expanded;
      this.#expand(null);
      this.#optionsOf(id)?.focus();
    } else return;
    event.preventDefault();
  }

  #render() {
    const groups = new Map();
    for (const item of this.#items) {
      const group = dayGroup(item.updated_at);
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(item);
    }
    const focused = document.activeElement?.closest?.("#history-list [data-id]") ? document.activeElement : null;
    const place = focused && [focused.closest("[data-id]").dataset.id, focused.className];
    this.#parts.list.replaceChildren(
      ...[...groups].flatMap(([name, items]) => [el("h3", {}, name), el("ul", {}, ...items.map((item) => this.#item(item)))]),
    );
    this.#parts.more.hidden = this.#cursor === null;
    // A list that was read again keeps the focus where it was.
    if (focused?.isConnected) focused.focus();
    else if (place) this.#row(place[0])?.querySelector(`.${place[1].split(" ")[0]}`)?.focus();
  }

  #item(item) {
    if (this.#edited?.dataset.id === item.id) return this.#edited;
    const expanded = item.id === this.#expanded;
    const title = item.title ?? "Untitled";
    const row = el("li.talk", {});
    row.dataset.id = item.id;
    row.classList.toggle("current", item.id === this.#current);
    const options = el(".talk-options", { id: `options-${item.id}`, hidden: !expanded },
      el("button.quiet", { type: "button", onclick: () => this.#rename(item, row) }, "Rename"),
      el("button.quiet", { type: "button", onclick: () => this.#delete(item, title) }, "Delete"),
    );
    row.append(
      written("a.talk-title", title, {
        href: addressOf(item.id),
        "aria-current": item.id === this.#current ? "page" : null,
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          this.close();
          this.#open(item.id);
        },
      }),
      el("button.talk-more.icon", {
        type: "button",
        "aria-label": `Options for ${title}`,
        "aria-expanded": String(expanded),
        "aria-controls": options.id,
        onclick: () => this.#expand(expanded ? null : item.id),
        textContent: "⋯",
      }),
      options,
    );
    return row;
  }

  #expand(id) {
    this.#expanded = id;
    this.#render();
  }

  #row(id) {
    return [...this.#parts.list.querySelectorAll("[data-id]")].find((row) => row.dataset.id === id);
  }

  #linkOf(id) {
    return this.#row(id)?.querySelector(".talk-title");
  }

  #optionsOf(id) {
    return this.#row(id)?.querySelector(".talk-more");
  }

  #rename(item, row) {
    const box = el("input.talk-name", {
      type: "text", value: item.title ?? "", maxLength: 200, required: true, dir: "auto", autocomplete: "off", "aria-label": "Title",
    });
    const problem = el("p.problem", { role: "alert" });
    const done = () => {
      this.#edited = null;
      this.#expanded = null;
      this.#render();
      this.#optionsOf(item.id)?.focus();
    };
    const form = el("form.talk-form", {}, box, el(".actions", {},
      el("button.quiet.strong", { type: "submit" }, "Save"),
      el("button.quiet", { type: "button", onclick: done }, "Cancel"),
    ), problem);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const title = box.value.trim();
      if (!title) return;
      try {
        const named = await renameConversation(item.id, title);
        this.#items = this.#items.map((other) => (other.id === item.id ? named : other));
        done();
        this.#announce(`Renamed to ${title}`);
      } catch (error) {
        if (!(error instanceof RecordsError)) throw error;
        problem.textContent = error.message;
      }
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      done();
    });
    row.replaceChildren(form);
    this.#edited = row;
    box.focus();
    box.select();
  }

  #delete(item, title) {
    const { confirm } = this.#parts;
    const problem = el("p.problem", { role: "alert" });
    const remove = el("button.danger", { type: "button" }, "Delete");
    remove.addEventListener("click", async () => {
      try {
        await deleteConversation(item.id);
      } catch (error) {
        if (!(error instanceof RecordsError)) throw error;
        if (error.code !== "conversation_not_found") {
          problem.textContent = error.message;
          return;
        }
      }
      const at = this.#items.findIndex((other) => other.id === item.id);
      this.#items = this.#items.filter((other) => other.id !== item.id);
      this.#expanded = null;
      confirm.close();
      this.#render();
      (this.#linkOf((this.#items[at] ?? this.#items[at - 1])?.id) ?? this.#parts.search).focus();
      this.#announce(`Deleted ${title}`);
      this.#deleted(item.id);
    });
    const cancel = el("button.quiet", { type: "button", onclick: () => confirm.close() }, "Keep it");
    confirm.replaceChildren(
      el("h2", { id: "confirm-title" }, "Delete this conversation?"),
      written("p.confirm-name", title),
      el("p", { id: "confirm-text" }, "Its questions, answers and feedback are deleted for good, here and in the records of this service."),
      problem,
      el(".actions", {}, cancel, remove),
    );
    confirm.showModal();
    cancel.focus();
  }
}
