// The page of a diff report: boards, plots of one of them, and every difference, found by search and filters.

const CHANGES = {
  moved: "moved",
  entered: "entered",
  left: "left",
  score_differs: "score differs",
  tie_permuted: "order among equals",
  window_edge: "cut off among equals",
  aggregate: "aggregate differs",
};
const BRIEFLY = 3; // reasons that a row shows before it is opened

// Every difference as one flat item, of a board or of an aggregate.

function fromBoard(board, entry) {
  const points = (side) => (entry[side] ? entry[side].points : null);
  return {
    where: board.board,
    whereText: boardName(board.board),
    who: entry.employee_id,
    program: "",
    what: entry.change,
    legacy: entry.legacy,
    truth: entry.truth,
    pipeline: entry.pipeline,
    off: entry.legacy && entry.pipeline ? points("pipeline") - points("legacy") : null,
    judgement: entry.judgement,
    reasons: entry.reasons,
  };
}

function fromRow(row) {
  return {
    where: `#${row.level}`,
    whereText: `Total, ${row.level}`,
    who: row.employee_id ?? "",
    program: row.program_id ?? "",
    what: "aggregate",
    legacy: row.legacy,
    truth: row.truth,
    pipeline: row.pipeline,
    chain: row,
    off: row.pipeline.points - row.legacy.points,
    judgement: row.judgement,
    reasons: row.reasons,
  };
}

const items = [
  ...data.boards.flatMap((board) =>
    board.entries.filter((entry) => entry.change !== "same").map((entry) => fromBoard(board, entry)),
  ),
  ...data.aggregates.differences.map(fromRow),
];
for (const item of items) {
  const said = item.reasons.flatMap((reason) => [reason.text, reason.note, ...reason.events]);
  item.haystack = [item.who, item.program, CHANGES[item.what], item.whereText, ...said].join("\n").toLowerCase();
}

// Figures and boards.

function showFigures() {
  const compared = data.aggregates.levels.reduce((sum, level) => sum + level.rows, 0);
  find("figures").append(
    ...JUDGEMENTS.slice(1).reverse().map((one) => figure(`differences ${WORDS[one].name}`, whole(data.differences[one]), one, data.differences[one])),
    figure("aggregates compared", whole(compared)),
    ...Object.entries(data.read).filter(([what]) => /events|facts/.test(what)).map(([what, rows]) => figure(what, whole(rows))),
    figure("messages on their way", whole(data.queued)),
  );
}

function showBoards() {
  const depths = Object.keys(data.boards[0]?.agreement["legacy, pipeline"].overlap_at ?? {});
  const titles = ["Board", "Judgement", "Entries", "Elsewhere", ...depths.map((depth) => `Top ${depth}`), "Rank-biased overlap", "Kendall’s tau-b", "Made at"];
  find("boards").tHead.append(
    make("tr", { kids: titles.map((text, index) => make("th", { scope: "col", class: index > 1 && index < titles.length - 1 ? "number" : "", text })) }),
  );
  for (const board of data.boards) {
    const agreement = board.agreement["legacy, pipeline"];
    const elsewhere = board.entries.filter((entry) => entry.change !== "same").length;
    const pick = make("button", { type: "button", class: "link", on: { click: () => showBoard(board.board, true) } });
    pick.append(make("bdi", { text: boardName(board.board) }));
    const row = make("tr", { "data-board": board.board });
    row.append(
      make("th", { scope: "row", class: "who", kids: [pick] }),
      make("td", { kids: [tag(board.judgement)] }),
      make("td", { class: "number", text: `${whole(board.legacy.entries)} / ${whole(board.pipeline.entries)}`, title: "legacy / pipeline" }),
      make("td", { class: "number", text: whole(elsewhere) }),
      ...depths.map((depth) => make("td", { class: "number", text: percent(agreement.overlap_at[depth]) })),
      make("td", { class: "number", text: decimals(agreement.rank_biased_overlap) }),
      make("td", { class: "number", text: decimals(agreement.kendall_tau_b) }),
      make("td", { class: "place", kids: [made("legacy", board), make("br"), made("pipeline", board)] }),
    );
    find("boards").tBodies[0].append(row);
  }
}

function made(side, board) {
  const at = board[side].made_at;
  return at ? make("time", { datetime: at, text: `${side} ${at.replace("T", " ").replace(/\.\d+Z$/, "")}` }) : `${side} never`;
}

let shownDepth = BOARD_SHOWN;

function showBoard(name, goThere = false) {
  const board = data.boards.find((one) => one.board === name);
  if (!board) return;
  find("board").value = name;
  find("plots-title").replaceChildren(make("bdi", { text: boardName(name) }));
  for (const row of find("boards").tBodies[0].rows) row.setAttribute("aria-current", String(row.dataset.board === name));
  const longest = Math.max(board.legacy.entries, board.pipeline.entries, 1);
  const depth = Math.min(shownDepth, longest);
  find("depth").hidden = longest <= BOARD_SHOWN;
  find("depth").textContent = shownDepth > BOARD_SHOWN ? `Show the top ${BOARD_SHOWN}` : `Show all ${whole(longest)}`;
  find("slopes").replaceChildren(slopes(board.entries, depth, lookFor));
  find("curve").replaceChildren(agreementCurve(board.agreement));
  find("histogram").replaceChildren(...[pointsHistogram(board.entries)].flat());
  if (goThere) find("plots-title").scrollIntoView({ block: "start" });
}

function showLegend() {
  const slope = (one) => draw("g", { "data-judgement": one }, draw("path", { class: "slope", d: "M0 4H28" }));
  find("judgement-legend").append(...JUDGEMENTS.map((one) => sign(WORDS[one].name, slope(one))));
  find("pair-legend").append(...PAIRS.map(([, name, kind]) => curveSign(name, kind)));
}

// Filters.

const state = { text: "", where: "", what: "", cause: "", judgements: new Set(), sort: "judgement", down: true, page: 0 };

function matches(item) {
  return (
    (!state.text || item.haystack.includes(state.text)) &&
    (!state.where || item.where === state.where) &&
    (!state.what || item.what === state.what) &&
    (!state.cause || item.reasons.some((reason) => reason.cause === state.cause)) &&
    (!state.judgements.size || state.judgements.has(item.judgement))
  );
}

const SORTS = {
  where: (item) => item.whereText,
  who: (item) => `${item.who}\n${item.program}`,
  what: (item) => CHANGES[item.what],
  legacy: (item) => place(item.legacy),
  truth: (item) => place(item.truth),
  pipeline: (item) => place(item.pipeline),
  off: (item) => (item.off === null ? -1 : Math.abs(item.off)),
  judgement: (item) => JUDGEMENTS.indexOf(item.judgement) + (inherited(item) ? 0 : 0.5),
};
// Whoever is only moved by others comes after those others.
const inherited = (item) => item.reasons.every((reason) => reason.cause === "moved_by_others" || reason.judgement !== item.judgement);
const place = (one) => (one === null ? Infinity : (one.rank ?? one.points));

function matching() {
  const key = SORTS[state.sort];
  const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  const chosen = items.filter(matches).map((item) => [key(item), item]);
  chosen.sort(([one], [other]) => (state.down ? order(other, one) : order(one, other)));
  return chosen.map(([, item]) => item);
}

function options(select, all, counted) {
  select.append(make("option", { value: "", text: all }));
  for (const [value, text, count] of counted) select.append(make("option", { value, text: `${text} (${whole(count)})` }));
}

function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function showFilters() {
  const texts = new Map(items.flatMap((item) => item.reasons.map((reason) => [reason.cause, reason.text])));
  const wheres = new Map(items.map((item) => [item.where, item.whereText]));
  options(find("where"), "everywhere", [...tally(items.map((item) => item.where))].map(([value, count]) => [value, wheres.get(value), count]));
  options(find("what"), "anything", [...tally(items.map((item) => item.what))].map(([value, count]) => [value, CHANGES[value], count]));
  const causes = tally(items.flatMap((item) => [...new Set(item.reasons.map((reason) => reason.cause))]));
  options(find("cause"), "any", [...causes].map(([value, count]) => [value, texts.get(value), count]));
  for (const one of JUDGEMENTS.slice(1).reverse()) {
    const box = make("input", { type: "checkbox", value: one, on: { change: (event) => chooseJudgement(one, event.target.checked) } });
    find("judgements").append(make("label", { kids: [box, `${WORDS[one].name} (${whole(data.differences[one])})`] }));
  }
  for (const id of ["where", "what", "cause"]) find(id).addEventListener("change", (event) => filter({ [id]: event.target.value }));
}

function chooseJudgement(one, chosen) {
  state.judgements[chosen ? "add" : "delete"](one);
  filter({});
}

function filter(changes) {
  Object.assign(state, changes, { page: 0 });
  showRows();
}

function clearFilters() {
  state.judgements.clear();
  filter({ text: "", where: "", what: "", cause: "" });
}

function lookFor(employee) {
  find("search").value = employee;
  filter({ text: employee.trim().toLowerCase() });
  find("differences").scrollIntoView({ block: "start" });
  find("differences").focus({ preventScroll: true });
}

// The table: a page of what matches; each row opens to its chain and all named events.

const COLUMNS = [
  ["where", "Where", ""],
  ["who", "Who", ""],
  ["what", "What", ""],
  ["legacy", "Legacy", "number"],
  ["truth", "Truth", "number"],
  ["pipeline", "Pipeline", "number"],
  ["off", "Pipeline − legacy", "number"],
  ["judgement", "Judgement", ""],
  [null, "Why", ""],
];

function showHead() {
  const cells = COLUMNS.map(([key, text, kind]) => {
    const sort = key && make("button", { type: "button", text, on: { click: () => sortBy(key) } });
    return make("th", { scope: "col", class: kind, "data-key": key ?? undefined, kids: [sort ?? text] });
  });
  find("rows").tHead.append(make("tr", { kids: cells }));
}

function sortBy(key) {
  const down = state.sort === key ? !state.down : key === "off" || key === "judgement";
  Object.assign(state, { sort: key, down, page: 0 });
  showRows();
}

function showRows(most = PAGE) {
  const chosen = matching();
  const pages = Math.max(Math.ceil(chosen.length / PAGE), 1);
  const first = most === PAGE ? state.page * PAGE : 0;
  showFound(chosen.slice(first, first + most).map(rowOf), chosen.length, items.length, "There are no differences: both sides and the truth agree.");
  for (const cell of find("rows").tHead.rows[0].cells) {
    cell.removeAttribute("aria-sort");
    if (cell.dataset.key === state.sort) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
  }
  find("clear").hidden = !(state.text || state.where || state.what || state.cause || state.judgements.size);
  find("page").textContent = `Page ${whole(state.page + 1)} of ${whole(pages)}`;
  find("before").disabled = state.page === 0;
  find("after").disabled = state.page + 1 >= pages;
  find("before").parentElement.hidden = pages === 1;
  return chosen.length;
}

function rowOf(item) {
  const row = make("tr", { "data-judgement": item.judgement });
  const details = () => toggle(row, item, opener);
  const opener = make("button", { type: "button", class: "link", "aria-expanded": "false", text: "Details", on: { click: details } });
  const off = item.off === null ? "–" : signed(item.off);
  row.append(
    make("td", { "data-label": "where", kids: [make("bdi", { text: item.whereText })] }),
    make("td", { class: "who", "data-label": "who", kids: who(item) }),
    make("td", { "data-label": "what", text: CHANGES[item.what] }),
    ...placesOf(item),
    make("td", { class: "number", "data-label": "pipeline − legacy", text: off }),
    make("td", { "data-label": "judgement", kids: [tag(item.judgement)] }),
    make("td", { class: "why whole", "data-label": "why", kids: [briefly(item.reasons), opener] }),
  );
  return row;
}

function who(item) {
  const parts = [];
  if (item.who) parts.push(make("bdi", { class: "id", kids: marked(item.who) }));
  if (item.program) parts.push(...(item.who ? [" × "] : []), make("bdi", { class: "id", kids: marked(item.program) }));
  return parts;
}

const marked = (text) => highlighted(text, state.text);

function briefly(reasons) {
  const more = reasons.length - BRIEFLY;
  const list = reasons.slice(0, more > 1 ? BRIEFLY : undefined).map((reason) => make("li", { kids: said(reason, 2) }));
  return make("ul", { kids: more > 1 ? [...list, make("li", { class: "place", text: `and ${whole(more)} more reasons` })] : list });
}

function said(reason, most) {
  const listed = reason.events.slice(0, most);
  const more = reason.event_count - listed.length;
  const parts = [reason.text];
  if (listed.length) {
    parts.push(reason.events_needed < reason.event_count ? `: ${whole(reason.events_needed)} of ` : ": ");
    listed.forEach((event, index) => parts.push(index ? ", " : "", make("bdi", { class: "id", kids: marked(event) })));
    if (more) parts.push(` and ${whole(more)} more`);
  }
  if (reason.note) parts.push(" (", make("bdi", { text: reason.note }), ")");
  if (reason.points) parts.push(make("span", { class: "place", text: ` ${reason.side} ${signed(reason.points)}` }));
  return parts;
}

function toggle(row, item, opener) {
  const open = opener.getAttribute("aria-expanded") === "true";
  opener.setAttribute("aria-expanded", String(!open));
  opener.textContent = open ? "Details" : "Close";
  if (open) row.nextElementSibling.remove();
  else row.after(make("tr", { class: "detail", kids: [make("td", { colspan: COLUMNS.length, kids: [chain(item), allReasons(item)] })] }));
}

function chain(item) {
  const places = item.chain
    ? [["legacy", item.chain.legacy], ["legacy’s events", item.chain.legacy_events], ["truth", item.chain.truth], ["facts", item.chain.facts], ["pipeline", item.chain.pipeline]]
    : [["legacy’s board", item.legacy], ["truth", item.truth], ["pipeline’s board", item.pipeline]];
  const list = make("ol", { class: "chain" });
  places.forEach(([name, one], index) => {
    const before = index ? places[index - 1][1] : null;
    if (index) {
      const off = before && one ? one.points - before.points : null;
      const same = off === 0 && before.events === one.events && (!before.fingerprint || !one.fingerprint || before.fingerprint === one.fingerprint);
      list.append(make("li", { class: same ? "step" : "step off", text: same ? "=" : off === null ? "≠" : off ? signed(off) : "≠" }));
    }
    list.append(make("li", { kids: [make("strong", { text: name }), ...placed(one)] }));
  });
  return list;
}

function allReasons(item) {
  return make("ul", { class: "reasons", kids: item.reasons.map((reason) => make("li", { kids: [tag(reason.judgement), " ", ...said(reason, Infinity)] })) });
}

function save() {
  const titles = ["where", "employee_id", "program_id", "what", "legacy_rank", "legacy_points", "truth_rank", "truth_points", "pipeline_rank", "pipeline_points", "judgement", "why", "events"];
  const lines = matching().map((item) => [
    item.whereText, item.who, item.program, CHANGES[item.what],
    ...["legacy", "truth", "pipeline"].flatMap((side) => [item[side]?.rank, item[side]?.points]),
    item.judgement, item.reasons.map((reason) => reason.text).join("; "), item.reasons.flatMap((reason) => reason.events).join(" "),
  ]);
  download(`diff-${data.stack}.csv`, [titles, ...lines]);
}

function turn(by) {
  state.page += by;
  showRows();
  find("differences").scrollIntoView({ block: "start" });
}

function forPrint(most) {
  const matched = showRows(most);
  find("cut").hidden = matched <= MOST_PRINTED;
  find("cut").textContent = `The first ${whole(MOST_PRINTED)} of ${whole(matched)} are printed; filter for others.`;
}

listen({ seek: (text) => filter({ text }), clear: clearFilters, save, print: forPrint });
find("before").addEventListener("click", () => turn(-1));
find("after").addEventListener("click", () => turn(1));
find("board").append(...data.boards.map((board) => make("option", { value: board.board, text: boardName(board.board) })));
find("board").addEventListener("change", (event) => showBoard(event.target.value));
find("depth").addEventListener("click", () => {
  shownDepth = shownDepth > BOARD_SHOWN ? BOARD_SHOWN : Infinity;
  showBoard(find("board").value);
});
showFigures();
showBoards();
showLegend();
showFilters();
showHead();
showRows();
if (data.boards.length) showBoard((data.boards.find((board) => board.judgement !== "same") ?? data.boards[0]).board);
