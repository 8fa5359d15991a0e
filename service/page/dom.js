// Building the page from data. Everything that came from the service goes in as text: no function here
// takes markup, so nothing a model, a guideline or a client wrote can become an element or an attribute
// other than the few named below.

/** An element with properties, then children. Strings become text; null and undefined are left out. */
export function el(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Text in whatever direction its own letters run. */
export function written(tag, text, properties = {}) {
  return el(tag, { dir: "auto", ...properties }, String(text));
}

/** A link to the web, or null when the address is anything but http or https. */
export function webLink(address, text) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  return el(
    "a",
    { href: url.href, target: "_blank", rel: "noopener noreferrer" },
    text,
    el("span.host", {}, ` on ${url.host}`),
    el("span.unseen", {}, " (opens in a new tab)"),
  );
}
