// Small helpers that every other part needs. Text from outside only ever becomes text nodes and attribute values.

const UNSEEN = new RegExp(
  "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]", "g");

/** Text with control characters and marks of direction written out as U+202E. */
function seen(text) {
  return String(text).replace(UNSEEN,
    (c) => "⟨U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
}

/** An element: attributes by name, `on` for listeners, then children; strings become text. */
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else made.setAttribute(name, value === true ? "" : seen(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    made.append(child instanceof Node ? child : seen(child));
  }
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
function draw(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = seen(text);
  return made;
}

/** Hours as people read them, as the page's own template writes them. */
function duration(hours) {
  const size = Math.abs(hours);
  if (size * 3600 < 60) return (size * 3600).toFixed(0) + " s";
  if (size < 1) return (size * 60).toFixed(1) + " min";
  return size < 100 ? size.toFixed(2) + " h" : size.toFixed(0) + " h";
}

function signed(hours) {
  if (Math.abs(hours) * 3600 < 0.5) return "±0";
  return (hours > 0 ? "+" : "−") + duration(hours);
}

function number(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

/** What the page carries: base64 of gzip of JSON. */
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = JSON.parse(await new Response(stream).text());
  Object.assign(data.texts, data.decided_texts); // apart in the page, as they are written later
  // a limit that looks at a column as it is carries no values of its own
  for (const rule of data.rules) for (const part of rule.parts) if (part.value === null) part.value = data.numbers[part.column];
  return data;
}

/** What the browser keeps for this page; nothing where it does not let us, which `works` tells. */
const kept = {
  works: true,
  get(key) {
    try { return localStorage.getItem(key); } catch { this.works = false; return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, value); } catch { this.works = false; }
  },
};

function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function typing(target) {
  return target instanceof Element && target.closest("input, select, textarea, [contenteditable], summary, dialog") !== null;
}
