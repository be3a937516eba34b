// The page of a shadow report: four measures over time, what they were spread over, and every difference.

const SIDES = [["legacy", "second"], ["pipeline", "third"]];
const MEASURES = [["rank-biased overlap", 1], ["overlap of the top 10", 0], ["Kendall’s tau-b", 2]];
const series = data.series;
const times = series.map((point) => Date.parse(point.at));
const stages = series.map((point) => point.stage);
const usual = [...times.slice(1).map((time, index) => time - times[index])].sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? MINUTE;
const gap = Math.max(2.5 * usual, 150_000);
const seconds = (value) => (value === null ? "–" : `${value.toLocaleString("en-US", { maximumFractionDigits: 1 })} s`);
const milliseconds = (value) => (value === null ? "–" : `${value.toLocaleString("en-US", { maximumFractionDigits: 1 })} ms`);
const share = (value) => (value === null ? "–" : value.toFixed(3).replace(/\.?0+$/, ""));
const when = (at) => at.slice(0, 16).replace("T", " ");

function showFigures() {
  const measure = (name, which, text) => (data.measures[name] ? text(data.measures[name][which]) : "–");
  find("figures").append(
    figure("comparisons", whole(data.comparisons)),
    data.hours >= 1
      ? figure("hours", data.hours.toLocaleString("en-US", { maximumFractionDigits: 1 }))
      : figure("minutes", whole(Math.round(data.hours * 60))),
    ...["unexplained", "to_repair"].map((one) => figure(`with something ${WORDS[one].name}`, whole(data.comparisons_with[one]), one, data.comparisons_with[one])),
    figure("legacy and pipeline, median", measure("rank-biased overlap of legacy, pipeline", "median", share)),
    figure("pipeline and truth, median", measure("rank-biased overlap of pipeline, truth", "median", share)),
    figure("oldest board of legacy", measure("age of legacy's board, s", "high", seconds)),
    figure("oldest board of the pipeline", measure("age of the pipeline's board, s", "high", seconds)),
  );
}

// Plots. Each is drawn anew when its width changes, so that its text keeps its size.

const PLOTS = {
  agreement: () => {
    const [, index] = MEASURES[Number(find("measure").value)];
    const board = find("board").value;
    const curves = PAIRS.map(([pair, name, kind]) => ({ name, kind, values: series.map((point) => point.agreement[board]?.[pair]?.[index] ?? null) }));
    return { series: curves, to: 1, least: 0.01, text: share, about: `${MEASURES[Number(find("measure").value)][0]}, ${boardName(board)}` };
  },
  ages: () => ({ series: ofSides("age_s"), from: 0, text: seconds, about: "Age of the global boards" }),
  latencies: () => ({ series: ofSides("latency_ms"), from: 0, text: milliseconds, about: "Time to serve the global board" }),
  counts: () => ({
    stacked: true,
    series: JUDGEMENTS.slice(1).map((one) => ({ name: WORDS[one].name, kind: one, values: series.map((point) => point.counts[one]) })),
    from: 0,
    text: whole,
    about: "Differences on all compared boards",
  }),
};

function ofSides(field) {
  return SIDES.map(([name, kind], index) => ({ name, kind, values: series.map((point) => point[field][index]) }));
}

function showPlot(name) {
  const plot = PLOTS[name]();
  const box = find(name);
  const readout = find(`${name}-readout`);
  const last = plot.series.map((one) => `${one.name} ${plot.text(one.values.at(-1))}`).join(", ");
  const asked = (index) => {
    const at = index === null ? `last, ${clock(times.at(-1))}` : `${day(times[index])} ${clock(times[index])}`;
    const values = plot.series.map((one) => `${one.name} ${plot.text(one.values[index ?? times.length - 1])}`);
    readout.textContent = `${at}: ${values.join(", ")}`;
  };
  const width = Math.max(box.clientWidth, 280);
  const taken = plot.series.some((one) => one.values.some((value) => value !== null));
  if (taken) box.replaceChildren(timePlot({ ...plot, width, times, stages, gap, onRead: asked, label: `${plot.about} from ${when(data.first)} to ${when(data.last)} UTC; last: ${last}.` }));
  else box.replaceChildren(...paragraph("It was never measured."));
  asked(null);
}

function showLegends() {
  const block = (kind) => draw("g", { "data-judgement": kind }, draw("rect", { class: "block", width: 12, height: 12, rx: 3 }));
  find("agreement-legend").append(...PAIRS.map(([, name, kind]) => curveSign(name, kind)));
  for (const id of ["ages", "latencies"]) find(`${id}-legend`).append(...SIDES.map(([name, kind]) => curveSign(name, kind)));
  find("counts-legend").append(...JUDGEMENTS.slice(1).map((one) => sign(WORDS[one].name, block(one), 12, 12)));
}

// Measures and causes.

function showMeasures() {
  const body = find("measures").tBodies[0];
  for (const [name, spread] of Object.entries(data.measures)) {
    const text = name.startsWith("rank") ? (value) => value.toFixed(4) : (value) => value.toLocaleString("en-US", { maximumFractionDigits: 1 });
    const cells = ["low", "median", "p95", "high", "last"].map((which) => make("td", { class: "number", "data-label": which, text: text(spread[which]) }));
    body.append(make("tr", { kids: [make("th", { scope: "row", text: name }), ...cells] }));
  }
}

function showCauses() {
  const rows = data.causes.map((one) => make("li", { kids: [make("strong", { text: whole(one.comparisons) }), ` ${one.text}`] }));
  find("causes").append(...rows);
  find("no-causes").hidden = rows.length > 0;
  const failed = Object.entries(data.failed_serves).filter(([, count]) => count).map(([side, count]) => `${side} could not serve in ${whole(count)} comparisons`);
  const gaps = data.gaps.map((one) => `${when(one.after)} to ${one.before.slice(11, 16)}`);
  const notes = [...failed, ...(gaps.length ? [`no comparisons for more than two minutes: ${gaps.slice(0, 5).join(", ")}${gaps.length > 5 ? ` and ${gaps.length - 5} more` : ""}`] : [])];
  if (data.unlisted_differences) notes.push(`${whole(data.unlisted_differences)} sightings of differences are counted above, and too many at once to be listed below`);
  find("notes").append(...notes.map((text) => make("li", { text })));
}

// Differences.

const sought = { text: "", board: "", judgement: "", most: PAGE };
const items = data.differences.map((one) => ({ ...one, haystack: `${one.employee_id}\n${boardName(one.board)}\n${one.why}`.toLowerCase() }));

function matching() {
  return items.filter((one) => one.haystack.includes(sought.text) && (!sought.board || one.board === sought.board) && (!sought.judgement || one.judgement === sought.judgement));
}

function showRows(most = sought.most) {
  const chosen = matching();
  showFound(chosen.slice(0, most).map(rowOf), chosen.length, items.length, "There were no differences: both sides and the truth agreed.");
  find("more").hidden = chosen.length <= most;
  find("clear").hidden = !(sought.text || sought.board || sought.judgement);
}

function rowOf(one) {
  const seen = one.times > 1 ? [`${whole(one.times)} times`, make("br"), make("span", { class: "place", text: `${when(one.first)} to ${one.last.slice(11, 16)}` })] : [when(one.last)];
  return make("tr", {
    "data-judgement": one.judgement,
    kids: [
      make("td", { class: "who", "data-label": "who", kids: [make("bdi", { class: "id", kids: highlighted(one.employee_id, sought.text) }), make("br"), make("span", { class: "place", kids: [make("bdi", { text: boardName(one.board) })] })] }),
      ...placesOf(one),
      make("td", { "data-label": "seen", kids: seen }),
      make("td", { "data-label": "judgement", kids: [tag(one.judgement)] }),
      make("td", { class: "why whole", "data-label": "why", kids: [make("bdi", { kids: highlighted(one.why, sought.text) })] }),
    ],
  });
}

function seek(changes) {
  Object.assign(sought, { most: PAGE }, changes);
  showRows();
}

function save() {
  const titles = ["board", "employee_id", "legacy_rank", "legacy_points", "truth_rank", "truth_points", "pipeline_rank", "pipeline_points", "judgement", "first", "last", "times", "why"];
  const lines = matching().map((one) => [one.board, one.employee_id, ...["legacy", "truth", "pipeline"].flatMap((side) => [one[side]?.rank, one[side]?.points]), one.judgement, one.first, one.last, one.times, one.why]);
  download(`shadow-${data.stack}.csv`, [titles, ...lines]);
}

const options = (select, entries) => find(select).append(...entries.map(([value, text]) => make("option", { value, text })));
const boards = [...new Set(series.flatMap((point) => Object.keys(point.agreement)))];
options("board", boards.map((board) => [board, boardName(board)]));
options("measure", MEASURES.map(([name], index) => [String(index), name]));
options("where", [["", "every board"], ...[...new Set(items.map((one) => one.board))].map((board) => [board, boardName(board)])]);
options("judged", [["", "every judgement"], ...JUDGEMENTS.slice(1).reverse().map((one) => [one, WORDS[one].name])]);
find("board").addEventListener("change", () => showPlot("agreement"));
find("measure").addEventListener("change", () => showPlot("agreement"));
find("where").addEventListener("change", (event) => seek({ board: event.target.value }));
find("judged").addEventListener("change", (event) => seek({ judgement: event.target.value }));
find("more").addEventListener("click", () => seek({ most: Infinity }));
listen({ seek: (text) => seek({ text }), clear: () => seek({ text: "", board: "", judgement: "" }), save, print: showRows });
showFigures();
showLegends();
showMeasures();
showCauses();
showRows();
const widths = new Map();
const watched = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (widths.get(target.id) === target.clientWidth) continue;
    widths.set(target.id, target.clientWidth);
    showPlot(target.id);
  }
});
for (const name of Object.keys(PLOTS)) {
  widths.set(name, find(name).clientWidth);
  showPlot(name);
  watched.observe(find(name));
}
