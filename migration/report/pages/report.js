// What the pages of all reports are made with. Texts are set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const JUDGEMENTS = ["same", "explained", "to_repair", "unexplained"];
const WORDS = {
  same: { name: "the same" },
  explained: { name: "explained" },
  to_repair: { name: "to repair" },
  unexplained: { name: "unexplained" },
};

const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const whole = (number) => number.toLocaleString("en-US");
const signed = (number) => (number > 0 ? "+" : number < 0 ? "−" : "") + whole(Math.abs(number));
const percent = (share) => `${(100 * share).toFixed(share === 1 || share === 0 ? 0 : 1)}%`;
const decimals = (number) => (number === null ? "–" : number.toFixed(4));
const boardName = (board) => (board === "global" ? "Global" : `Program ${board.replace(/^program#/, "")}`);

function make(name, { text, kids = [], on = {}, ...attributes } = {}) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  for (const [event, act] of Object.entries(on)) node.addEventListener(event, act);
  node.append(...kids);
  return node;
}

function tag(judgement) {
  return make("span", { class: "tag", "data-judgement": judgement, text: WORDS[judgement].name });
}

function highlighted(text, sought) {
  const at = sought && text.toLowerCase().length === text.length ? text.toLowerCase().indexOf(sought) : -1;
  if (at < 0) return [text];
  const end = at + sought.length;
  return [text.slice(0, at), make("mark", { text: text.slice(at, end) }), text.slice(end)];
}

function draw(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function picture(width, height, label, ...children) {
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...children);
}

function label(x, y, text, anchor = "start", kind = "") {
  return draw("text", { x, y, "text-anchor": anchor, class: kind, dy: "0.35em" }, text);
}

// Cuts by visible characters, so that no emoji is halved.
function shortened(text, most) {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}

function paragraph(text) {
  const node = document.createElement("p");
  node.className = "muted";
  node.textContent = text;
  return [node];
}

// Saving what is shown: a cell that a spreadsheet would run as a formula is led by an apostrophe.

function cell(value) {
  const text = String(value ?? "");
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

function download(name, lines) {
  const text = lines.map((line) => line.map(cell).join(",")).join("\r\n");
  const url = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
  make("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
