// What is searched: one source or all, guidance of some regions or of all, and where the clinician works. Where somebody
// works is remembered by this browser; what narrows a search is not, so that nobody searches half the guidelines
// tomorrow without having chosen to.

import { el, written } from "./dom.js";
import { getRegions, getSources } from "./library.js";
import { regionName } from "./wording.js";

const HOME = "clinsearch.home-region";
const COUNTRY = /^[A-Z]{2}$/;

export class Filters {
  #opener;
  #panel;
  #sources = [];
  #regions = [];
  #source = null;
  #chosen = new Set();
  #home = remembered();

  /** `opener` is the button that tells what is searched, `panel` the group that it opens. */
  constructor(opener, panel) {
    this.#opener = opener;
    this.#panel = panel;
    opener.addEventListener("click", () => this.#open(panel.hidden));
    for (const node of [opener, panel]) {
      node.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || panel.hidden || event.isComposing) return;
        event.preventDefault();
        this.#open(false);
        opener.focus();
      });
    }
    this.#tell();
  }

  /** The fields of a request that say so. */
  get body() {
    return {
      ...(this.#source ? { source: this.#source } : {}),
      ...(this.#chosen.size ? { regions: [...this.#chosen] } : {}),
      ...(this.#home ? { home_region: this.#home } : {}),
    };
  }

  /** Where the clinician works, or null. */
  get home() {
    return this.#home;
  }

  /** Ask the service what there is to choose from; without an answer there is nothing to choose. */
  async read() {
    const [sources, regions] = await Promise.all([getSources(), getRegions()]);
    this.#sources = sources ?? [];
    this.#regions = regions ?? [];
    this.#opener.hidden = sources === null || regions === null;
    this.#render();
  }

  close() {
    this.#open(false);
  }

  #open(open) {
    this.#panel.hidden = !open;
    this.#opener.setAttribute("aria-expanded", String(open));
  }

  #tell() {
    const source = this.#sources.find(({ id }) => id === this.#source);
    const words = [source?.title, ...[...this.#chosen].map(regionName)].filter(Boolean);
    this.#opener.textContent = words.length ? `Only ${words.join(", ")}` : "Filters";
    this.#opener.classList.toggle("narrowed", words.length > 0);
  }

  #render() {
    const source = chooser("Search in", [["", "All sources"], ...this.#sources.map(({ id, title }) => [id, title])], this.#source, (value) => {
      this.#source = value;
      changed();
    });
    const chips = this.#regions.map((region) => {
      const box = el("input", { type: "checkbox", checked: this.#chosen.has(region) });
      box.addEventListener("change", () => {
        if (box.checked) this.#chosen.add(region);
        else this.#chosen.delete(region);
        changed();
      });
      return el("label.chip", {}, box, written("span", regionName(region)));
    });
    const regions = el("fieldset", {}, el("legend", {}, "Guidance from"), el(".chips", {}, ...chips), el("p.fine", {}, "None chosen: from everywhere."));
    const home = chooser("I work in", [["", "Not set"], ...countries()], this.#home, (value) => {
      this.#home = value;
      remember(value);
    });
    home.append(el("p.fine", {}, "Guidance from there comes first among equals; the rest is labelled. Remembered by this browser."));
    const clear = el("button.quiet", { type: "button" }, "Clear filters");
    const changed = () => {
      clear.disabled = !this.#source && !this.#chosen.size;
      this.#tell();
    };
    clear.addEventListener("click", () => {
      this.#source = null;
      this.#chosen.clear();
      this.#render();
      this.#panel.querySelector("select").focus();
    });
    this.#panel.replaceChildren(source, home, regions, el(".actions", {}, clear, el("button.quiet", { type: "button", onclick: () => {
      this.close();
      this.#opener.focus();
    } }, "Done")));
    changed();
  }
}

/** A labelled list to choose one of; `chose(value)` gets null for the first. */
function chooser(label, options, chosen, chose) {
  const list = el("select", {}, ...options.map(([value, words]) => el("option", { value, selected: value === (chosen ?? "") }, words)));
  list.addEventListener("change", () => chose(list.value || null));
  return el(".chooser", {}, el("label", {}, el("span", {}, label), list));
}

/** Every country that this browser has a name for, as [code, name] in the order of the names. */
function countries() {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const names = new Map();
  for (const code of letters.flatMap((first) => letters.map((second) => first + second))) {
    const name = regionName(code);
    // Codes of unions and of no country, and older codes of a country that has another one.
    if (name === code || ["EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"].includes(code) || code !== current(code)) continue;
    names.set(name, code);
  }
  return [...names].sort(([a], [b]) => a.localeCompare(b, "en")).map(([name, code]) => [code, name]);
}

/** The code in force for a country: "UK" is "GB". */
function current(code) {
  return new Intl.Locale(`und-${code}`).region;
}

function remembered() {
  try {
    const code = localStorage.getItem(HOME);
    return code && COUNTRY.test(code) ? code : null;
  } catch {
    return null; // a browser that keeps nothing
  }
}

function remember(code) {
  try {
    if (code) localStorage.setItem(HOME, code);
    else localStorage.removeItem(HOME);
  } catch {
    // It holds for this visit.
  }
}
