// The dashboard: one board at a time, kept fresh by itself. Decides how a board and its freshness are shown. It
// must never let old data pass for fresh, and never turn an id into anything but text (text nodes, no markup).
//
// Everything flows one way: an event changes `state`, then render() draws the page from it.

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((node) => [node.id, node]));
const pace = Object.fromEntries(Object.entries(document.body.dataset).map(([name, ms]) => [name, Number(ms)]));
const MAX_DOUBLINGS = 5; // of the wait between retries
const SEARCH_DEBOUNCE_MS = 150;
const KEY_NAME = "cutover-api-key";

const state = {
  board: null, // what the address asks for
  search: "",
  answers: new Map(), // the last good answer of each board, by its query
  trouble: null, // why the last refresh brought no board, or null
  failures: 0, // failed refreshes in a row
  retryAt: null, // when the next try is due while in trouble, in epoch ms
  listedVersion: null, // the snapshot from which the list of programs is
};

// Address: what follows # is the query that the endpoint takes, and the search.

function boardFor({ program, board } = {}) {
  if (program) return { kind: "program", program, title: program, query: `?program=${encodeURIComponent(program)}` };
  if (board === "programs") return { kind: "programs", title: "Programs", query: "?board=programs" };
  return { kind: "global", title: "Everyone", query: "" };
}

function addressOf(board, search = "") {
  const parts = [board.query.slice(1), search && `search=${encodeURIComponent(search)}`];
  return `#${parts.filter(Boolean).join("&")}`;
}

function followAddress() {
  const wanted = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const board = boardFor(wanted);
  const moved = board.query !== state.board?.query;
  Object.assign(state, { board, search: (wanted.search ?? "").trim() });
  if (page.search.value.trim() !== state.search) page.search.value = state.search;
  if (moved) Object.assign(state, { trouble: null, failures: 0, retryAt: null });
  render();
  if (moved) refresh();
}

// Asking the endpoint: every way it can end is a value, told apart by `kind`.

async function ask(query, call = new AbortController()) {
  const deadline = setTimeout(() => call.abort(new DOMException("", "TimeoutError")), pace.timeoutMs);
  try {
    const headers = apiKey ? { "x-api-key": apiKey } : {};
    const response = await fetch(`./leaderboard${query}`, { cache: "no-cache", headers, signal: call.signal });
    return outcomeOf(response, parsed(await response.text()));
  } catch (error) {
    return { kind: "failed", reason: networkReason(error) };
  } finally {
    clearTimeout(deadline);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not JSON, such as the error page of a proxy
  }
}

function outcomeOf({ ok, status, headers }, body) {
  const retryAfterMs = 1000 * Number(headers.get("retry-after")) || 0;
  if (ok && isBoard(body)) return { kind: "board", body, clockOffsetMs: clockOffset(headers) };
  if (ok) return { kind: "failed", reason: "the answer was not a leaderboard" };
  if (status === 401 || status === 403) return { kind: "locked" };
  if (status === 404 && body?.error === "unknown_board") return { kind: "unknown" };
  if (status === 503 && body?.error === "no_snapshot_yet") return { kind: "waiting", retryAfterMs };
  return { kind: "failed", reason: `the server answered ${status}`, retryAfterMs };
}

function isBoard(body) {
  return Array.isArray(body?.entries) && !Number.isNaN(Date.parse(body.generated_at));
}

function networkReason({ name }) {
  if (name === "TimeoutError") return `no answer within ${duration(pace.timeoutMs)}`;
  return navigator.onLine ? "the server cannot be reached" : "this device is offline";
}

// What to add to this machine's clock to get the server's. The body's own age is of no use: a revalidated
// answer (304) brings back the body, and the age, of an earlier request.
function clockOffset(headers) {
  const serverNow = Date.parse(headers.get("date"));
  return Number.isNaN(serverNow) ? 0 : serverNow - Date.now();
}

// A browser may forbid storage; the key then lives as long as the page.
function withStorage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

let apiKey = withStorage((storage) => storage.getItem(KEY_NAME));

// Refreshing: one request and one timer at a time, and none while nobody looks.

let currentCall = null;
let timer = null;

async function refresh() {
  clearTimeout(timer);
  currentCall?.abort();
  const call = (currentCall = new AbortController());
  if (state.retryAt !== null) state.retryAt = Date.now();
  tick();
  const outcome = await ask(state.board.query, call);
  if (call !== currentCall) return; // another board was asked for meanwhile
  accept(outcome);
  schedule(outcome);
  render();
  if (outcome.kind === "board") listPrograms(outcome.body);
}

function accept(outcome) {
  state.failures = outcome.kind === "failed" ? state.failures + 1 : 0;
  state.trouble = outcome.kind === "board" ? null : outcome;
  if (outcome.kind !== "board") return;
  const { query } = state.board;
  const { body } = outcome;
  const last = state.answers.get(query);
  // One snapshot only grows older, even if a cache on the way repeats an old Date header.
  const known = last?.body.version === body.version ? last.clockOffsetMs : -Infinity;
  const clockOffsetMs = Math.max(outcome.clockOffsetMs, known);
  state.answers.set(query, { body, clockOffsetMs, confirmedAt: Date.now() });
}

function schedule(outcome) {
  clearTimeout(timer);
  state.retryAt = null;
  if (document.hidden || outcome.kind === "locked") return;
  const delay = delayAfter(outcome);
  if (outcome.kind === "failed" || outcome.kind === "waiting") state.retryAt = Date.now() + delay;
  timer = setTimeout(refresh, delay);
}

// Jitter only lengthens a wait: Retry-After is kept, and many open pages do not ask in step.
function delayAfter({ kind, retryAfterMs = 0 }) {
  const backoff = pace.retryMs * 2 ** Math.min(state.failures - 1, MAX_DOUBLINGS);
  const waits = { failed: Math.max(retryAfterMs, backoff), waiting: retryAfterMs || pace.refreshMs };
  return (waits[kind] ?? pace.refreshMs) * (1 + Math.random() / 4);
}

async function listPrograms({ version, entries }) {
  if (version === state.listedVersion) return;
  const outcome = state.board.kind === "programs" ? { body: { entries } } : await ask("?board=programs");
  if (!outcome.body) return; // the list stays as it is, the next refresh asks again
  state.listedVersion = version;
  drawPrograms(outcome.body.entries.map(idOf));
}

// Words and numbers.

const number = (value) => value.toLocaleString();
const idOf = (entry) => entry.employee_id ?? entry.program_id;
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return `${ms} ms`;
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

function localTime(moment) {
  const isToday = new Date(moment).toDateString() === new Date().toDateString();
  const style = isToday ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(undefined, style).format(moment);
}

// Drawing: the page around the board.

const BADGES = {
  fresh: "Fresh",
  stale: "Stale",
  failed: "Not updating",
  waiting: "Waiting for data",
  unknown: "No such board",
  locked: "Locked",
  checking: "Checking",
};

function render() {
  const answer = state.answers.get(state.board.query);
  const tone = toneOf(answer);
  const hasBoard = Boolean(answer) && tone !== "locked" && tone !== "unknown";
  drawNavigation();
  drawNotice(tone, noticeFor(tone, answer), hasBoard);
  drawKeyForm(tone === "locked");
  page.badge.dataset.tone = tone;
  page.freshness.textContent = BADGES[tone];
  page.age.hidden = !hasBoard;
  page.board.hidden = !hasBoard;
  page.board.dataset.tone = tone;
  if (hasBoard) drawBoard(answer.body);
  announce(tone);
  tick();
}

// Fresh or stale is the server's word, and it holds until the next refresh should have come.
function toneOf(answer) {
  if (state.trouble) return answer && state.trouble.kind === "waiting" ? "failed" : state.trouble.kind;
  if (!answer || Date.now() - answer.confirmedAt > 1.5 * pace.refreshMs + pace.timeoutMs) return "checking";
  return answer.body.stale ? "stale" : "fresh";
}

function noticeFor(tone, answer) {
  if (tone === "stale") return ["This data is stale", sentence(answer.body.stale_reasons.join("; "))];
  if (tone === "waiting") return ["The first snapshot is on its way", "It shows here as soon as it is taken."];
  if (tone === "unknown") return ["There is no such board", "Nobody has points in this program, or its name is another."];
  if (tone === "checking" && !answer) return ["Loading the board…", ""];
  if (tone !== "failed") return null;
  const reason = state.trouble.reason ?? "the pipeline has no snapshot any more";
  if (!answer) return ["The board cannot be loaded", sentence(reason)];
  const [taken, confirmed] = [Date.parse(answer.body.generated_at), answer.confirmedAt].map(localTime);
  const times = `The snapshot is of ${taken}, the last successful refresh was at ${confirmed}.`;
  return ["These are the last known results", `Refreshing failed: ${reason}. ${times}`];
}

function drawNotice(tone, notice, hasBoard) {
  page.notice.hidden = !notice;
  page.notice.dataset.tone = tone;
  page.notice.dataset.size = hasBoard ? "small" : "large";
  [page["notice-title"].textContent, page["notice-text"].textContent] = notice ?? ["", ""];
  page.retry.hidden = state.retryAt === null;
}

function drawKeyForm(locked) {
  const hadFocus = page["key-form"].contains(document.activeElement);
  page["key-form"].hidden = !locked;
  page["key-text"].textContent = apiKey
    ? "The key was refused. Check it, or ask for another one."
    : "It stays in this tab, until you close it.";
  if (!locked && hadFocus) page.main.focus();
}

function drawNavigation() {
  const { kind, program = "", title } = state.board;
  document.title = `${title} · Leaderboard`;
  page["to-global"].href = addressOf(boardFor(), kind === "programs" ? "" : state.search);
  page["to-global"].setAttribute("aria-current", kind === "global" ? "page" : "false");
  page["to-programs"].setAttribute("aria-current", kind === "programs" ? "page" : "false");
  page.search.placeholder = kind === "programs" ? "Find a program" : "Find an employee";
  page.program.classList.toggle("current", kind === "program");
  if (![...page.program.options].some((option) => option.value === program)) page.program.append(optionFor(program));
  page.program.value = program;
}

function drawPrograms(ids) {
  const sorted = [...new Set(ids)].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const listed = [...page.program.options].slice(1).map((option) => option.value);
  if (sorted.join("\n") === listed.join("\n")) return; // so that a list that is open stays open
  page.program.replaceChildren(page.program.options[0], ...sorted.map(optionFor));
  drawNavigation();
}

// Every second, what grows by itself. Nothing here is announced: a screen reader would never be quiet.
function tick() {
  const answer = state.answers.get(state.board.query);
  if (answer) page.age.textContent = `· ${duration(ageMs(answer))} old`;
  if (state.retryAt === null) return;
  const left = Math.ceil((state.retryAt - Date.now()) / 1000);
  page.countdown.textContent = left > 0 ? `Next try in ${left} s.` : "Trying again…";
}

function ageMs({ body, clockOffsetMs }) {
  return Math.max(0, Date.now() + clockOffsetMs - Date.parse(body.generated_at));
}

// What is said again unchanged would be read out again.
function say(region, text) {
  if (region.textContent !== text) region.textContent = text;
}

let announced = null;

function announce(tone) {
  const subject = `${state.board.query} ${tone}`;
  if (subject === announced || tone === "checking") return;
  announced = subject;
  const notice = page.notice.hidden ? "" : ` ${page["notice-title"].textContent}. ${page["notice-text"].textContent}`;
  say(page.announcer, `${state.board.title}: ${BADGES[tone]}.${notice}`);
}

// Drawing: the board.

function dressed(node, attributes, ...children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const el = (tag, ...rest) => dressed(document.createElement(tag), ...rest);
const svg = (tag, ...rest) => dressed(document.createElementNS("http://www.w3.org/2000/svg", tag), ...rest);
const spoken = (text) => el("span", { class: "sr" }, text);
const shown = (text) => el("span", { "aria-hidden": "true" }, text);
const optionFor = (id) => el("option", { value: id, dir: "auto" }, id);

let drawn = {}; // what the table shows, so that it is left alone while nothing changes

function drawBoard(body) {
  const { board, version } = body;
  const { search } = state;
  if (board === drawn.board && version === drawn.version && search === drawn.search) return;
  drawOverview(body);
  drawTable(body, board === drawn.board && version !== drawn.version);
  drawn = { board, version, search };
}

function drawOverview(body) {
  const taken = new Date(body.generated_at);
  page.title.replaceChildren(el("bdi", { title: state.board.title }, state.board.title));
  page.points.textContent = number(body.points);
  page.events.textContent = number(body.events);
  page.taken.textContent = localTime(taken);
  page.taken.dateTime = body.generated_at;
  page.taken.title = `${taken.toISOString()} (UTC)`;
  page.lag.replaceChildren(lagText(body.lag_s), " ", el("small", {}, `${number(body.pending)} queued`));
  page.provenance.textContent = `Snapshot ${body.version}, fingerprint ${body.fingerprint}`;
}

function lagText(seconds) {
  if (seconds === null) return "unknown";
  return seconds < 10 ? `${number(seconds)} s` : duration(1000 * seconds);
}

function drawTable({ entries }, isNewSnapshot) {
  const matches = entries.filter((entry) => matchAt(idOf(entry)) >= 0);
  const [subject, subjects] = state.board.kind === "programs" ? ["Program", "programs"] : ["Employee", "employees"];
  page.subject.textContent = subject;
  page.caption.textContent = `Top ${number(entries.length)} ${subjects} by points`;
  say(page.found, foundText(entries.length, matches.length));
  page.found.dataset.size = matches.length ? "small" : "large";
  page.table.hidden = matches.length === 0;
  const context = { best: entries[0]?.points, tied: tiedRanks(entries), hasPast: entries.some(wasRanked) };
  replaceRows(matches.map((entry) => drawRow(entry, context)), isNewSnapshot);
}

function foundText(total, found) {
  if (total === 0) return "No activities yet. The board fills with the first one.";
  if (!state.search) return "";
  if (found === 0) return `“${state.search}” is not in the top ${number(total)}.`;
  return `${number(found)} of ${number(total)} match “${state.search}”.`;
}

function tiedRanks(entries) {
  return new Set(entries.filter(({ rank }, at) => at > 0 && entries[at - 1].rank === rank).map(({ rank }) => rank));
}

function wasRanked(entry) {
  return entry.previous_rank !== null;
}

function drawRow(entry, { best, tied, hasPast }) {
  const id = idOf(entry);
  const activitiesOnPhone = el("span", { class: "on-phone" }, `${number(entry.events)} activities`); // no column there
  const cells = [
    el("td", { class: "rank" }, drawRank(entry.rank, tied.has(entry.rank))),
    el("td", { class: "move muted" }, ...(hasPast ? drawMove(entry) : [spoken("no earlier snapshot")])),
    el("th", { class: "name", scope: "row" }, drawName(id), activitiesOnPhone, drawBar(entry.points / best)),
    el("td", { class: "number events" }, number(entry.events)),
    el("td", { class: "number points" }, number(entry.points)),
  ];
  return el("tr", { "data-id": id, ...(entry.rank <= 3 && { "data-medal": entry.rank }) }, ...cells);
}

function drawRank(rank, isTied) {
  const marks = isTied ? [shown("="), number(rank), spoken(" tied")] : [number(rank)];
  return el("span", { class: "chip" }, ...marks);
}

function drawMove({ rank, previous_rank: previous }) {
  if (previous === null) return [el("span", { class: "new" }, "New")];
  if (previous === rank) return [shown("–"), spoken("unchanged")];
  const [way, arrow] = previous > rank ? ["up", "▲"] : ["down", "▼"];
  return [el("span", { class: way }, shown(`${arrow} `), spoken(`${way} `), number(Math.abs(previous - rank)))];
}

function drawName(id) {
  const text = el("bdi", {}, ...highlighted(id));
  if (id.length > 16) text.title = id; // it may be cut short
  return state.board.kind === "programs" ? el("a", { href: addressOf(boardFor({ program: id })) }, text) : text;
}

function drawBar(share) {
  return svg("svg", { "aria-hidden": "true" }, svg("rect", { width: `${100 * share}%`, height: "100%", rx: "2" }));
}

// New rows take the old ones' place; on a new snapshot they glide there from where their subject was.
function replaceRows(rows, glides) {
  const focused = document.activeElement?.closest("#rows tr")?.dataset.id;
  const before = new Map([...page.rows.rows].map((row) => [row.dataset.id, row.offsetTop]));
  page.rows.replaceChildren(...rows);
  if (focused) rows.find((row) => row.dataset.id === focused)?.querySelector("a")?.focus();
  if (!glides || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const row of rows) {
    const way = before.get(row.dataset.id) - row.offsetTop; // NaN for a newcomer
    if (way) row.animate([{ transform: `translateY(${way}px)` }, {}], { duration: 450, easing: "ease-out" });
  }
}

// Searching the board that is shown, in any letter case.

let searchTimer = null;

function matchAt(id) {
  return id.toLowerCase().indexOf(state.search.toLowerCase());
}

function highlighted(id) {
  // Where lower case has another length ("İ"), its positions are not the id's: no highlight.
  if (!state.search || id.toLowerCase().length !== id.length) return [id];
  const [start, end] = [matchAt(id), matchAt(id) + state.search.length];
  return [id.slice(0, start), el("mark", {}, id.slice(start, end)), id.slice(end)];
}

function searchSoon() {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(searchNow, SEARCH_DEBOUNCE_MS);
}

function searchNow() {
  clearTimeout(searchTimer);
  state.search = page.search.value.trim();
  history.replaceState(null, "", addressOf(state.board, state.search));
  render();
}

// Wiring.

function onKeyDown(event) {
  const types = event.target.matches("input, select");
  if (event.key === "/" && !types && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    page.search.focus();
    page.search.select();
  } else if (event.key === "Escape" && event.target === page.search) {
    page.search.value = "";
    searchNow();
  }
}

function onVisibilityChange() {
  if (document.hidden) clearTimeout(timer);
  else refresh();
}

function onTick() {
  if (toneOf(state.answers.get(state.board.query)) === page.badge.dataset.tone) tick();
  else render();
}

function onKeySubmit(event) {
  event.preventDefault();
  apiKey = page.key.value;
  withStorage((storage) => storage.setItem(KEY_NAME, apiKey));
  page.key.value = "";
  refresh();
}

function onProgramChange() {
  location.hash = addressOf(boardFor({ program: page.program.value }), state.search);
}

page.search.addEventListener("input", searchSoon);
page["search-form"].addEventListener("submit", (event) => (event.preventDefault(), searchNow()));
page["key-form"].addEventListener("submit", onKeySubmit);
page["retry-now"].addEventListener("click", refresh);
page.skip.addEventListener("click", (event) => (event.preventDefault(), page.main.focus())); // # is the board's
page.program.addEventListener("change", onProgramChange);
document.addEventListener("keydown", onKeyDown);
document.addEventListener("visibilitychange", onVisibilityChange);
addEventListener("hashchange", followAddress);
addEventListener("online", refresh);
setInterval(onTick, 1000);
followAddress();
