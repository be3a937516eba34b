// What the pages of all reports are made with. Texts are set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const JUDGEMENTS = ["same", "explained", "to_repair", "unexplained"];
const PAIRS = [
  ["legacy, pipeline", "legacy and pipeline", "first"],
  ["legacy, truth", "legacy and truth", "second"],
  ["pipeline, truth", "pipeline and truth", "third"],
];
const PAGE = 100; // rows that are shown at once
const MOST_PRINTED = 2000;
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
  return [make("p", { class: "muted", text })];
}

function figure(name, text, judgement, count) {
  return make("div", { "data-judgement": judgement, "data-count": count, kids: [make("dt", { text: name }), make("dd", { text })] });
}

// A legend's item: a mark as it is drawn, and what it stands for.
function sign(name, mark, width = 28, height = 8) {
  return make("li", { kids: [draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, mark), ` ${name}`] });
}

function curveSign(name, kind) {
  return sign(name, draw("path", { class: `curve ${kind}`, d: "M0 4H28" }));
}

// The table of differences.

function placed(one) {
  if (!one) return ["–"];
  const beside = one.rank === undefined ? `${whole(one.events)} events` : `rank ${whole(one.rank)}`;
  return [whole(one.points), make("br"), make("span", { class: "place", text: beside })];
}

function placesOf(item) {
  return ["legacy", "truth", "pipeline"].map((side) => make("td", { class: "number", "data-label": side, kids: placed(item[side]) }));
}

function showFound(rows, chosen, all, none) {
  const body = find("rows").tBodies[0];
  body.replaceChildren(...rows);
  const colspan = find("rows").tHead.rows[0].cells.length;
  if (!chosen) body.append(make("tr", { kids: [make("td", { colspan, class: "whole", text: all ? "Nothing matches." : none })] }));
  find("found").textContent = chosen === all ? `All ${whole(all)} differences.` : `${whole(chosen)} of ${whole(all)} differences.`;
  find("save").disabled = !chosen;
}

function listen({ seek, clear, save, print }) {
  find("search").addEventListener("input", (event) => seek(event.target.value.trim().toLowerCase()));
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  find("clear").addEventListener("click", () => {
    find("filters").reset();
    clear();
    find("search").focus();
  });
  find("save").addEventListener("click", save);
  addEventListener("beforeprint", () => print(MOST_PRINTED));
  addEventListener("afterprint", () => print());
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
