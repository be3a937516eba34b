// Measures over time, drawn as SVG to the width that there is. A gap in the measuring is a gap in the line.

const MARGIN = { left: 52, right: 14, top: 26, bottom: 26 };
const PIXELS = 5; // that a value needs, to be told from the next
const STEPS = [1, 2, 2.5, 5, 10];
const MINUTE = 60_000;
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080].map((minutes) => minutes * MINUTE);
const clock = (time) => new Date(time).toISOString().slice(11, 16);
const day = (time) => new Date(time).toISOString().slice(5, 10);

// Round steps between two values, about `most` of them.
function rounded(low, high, most) {
  const raw = (high - low || Math.abs(high) || 1) / most;
  const scale = 10 ** Math.floor(Math.log10(raw));
  const step = STEPS.map((one) => one * scale).find((one) => one >= raw - 1e-12);
  const first = Math.floor(low / step + 1e-9) * step;
  const found = [];
  for (let value = first; value < high + step - 1e-9; value += step) found.push(Number(value.toPrecision(10)));
  return found;
}

function timeTicks(from, to, width) {
  const step = TICKS.find((one) => (to - from) / one <= width / 74) ?? TICKS.at(-1);
  const found = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) found.push(time);
  return found;
}

// plot: { width, height, times, gap, stages, series: [{ name, kind, values }], stacked, from, to, text, label }
function timePlot(plot) {
  const { width, height = 220, times } = plot;
  const [start, end] = [times[0], Math.max(times.at(-1), times[0] + MINUTE)];
  const x = (time) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * (time - start)) / (end - start);
  const levels = plot.stacked ? stacked(plot.series) : plot.series.map((one) => one.values);
  const taken = levels.flat().filter((value) => value !== null);
  const low = plot.from ?? Math.min(...taken);
  const high = plot.to ?? Math.max(...taken);
  const marks = rounded(Math.min(low, high), high > low ? high : low + (plot.least ?? 1), 4);
  const [floor, roof] = [Math.max(marks[0], plot.from ?? -Infinity), plot.to ?? marks.at(-1)];
  const y = (value) => height - MARGIN.bottom - ((height - MARGIN.bottom - MARGIN.top) * (value - floor)) / (roof - floor || 1);
  const svg = picture(width, height, plot.label);
  for (const value of marks.filter((one) => one >= floor && one <= roof)) {
    svg.append(draw("path", { class: "grid", d: `M${MARGIN.left} ${y(value)}H${width - MARGIN.right}` }));
    svg.append(label(MARGIN.left - 7, y(value), plot.text(value), "end", "soft"));
  }
  drawTimes(svg, start, end, x, width, height);
  drawStages(svg, plot, x, height);
  plot.series.forEach((one, index) => {
    if (plot.stacked) svg.append(area(one, times, levels[index], index ? levels[index - 1] : null, x, y, plot.gap));
    else svg.append(...course(one, times, x, y, plot.gap));
  });
  svg.append(draw("path", { class: "axis", d: `M${MARGIN.left} ${height - MARGIN.bottom}H${width - MARGIN.right}` }));
  followed(svg, plot, x, height);
  return svg;
}

function drawTimes(svg, start, end, x, width, height) {
  let before = "";
  for (const time of timeTicks(start, end, width - MARGIN.left)) {
    const name = day(time) === before || !before ? clock(time) : `${day(time)} ${clock(time)}`;
    before = day(time);
    svg.append(draw("path", { class: "axis", d: `M${x(time)} ${height - MARGIN.bottom}v4` }));
    if (x(time) < width - 24) svg.append(label(x(time), height - 10, name, x(time) < MARGIN.left + 16 ? "start" : "middle", "soft"));
  }
}

// The stages as a strip on top: each change is a line through the plot.
function drawStages(svg, { stages, times }, x, height) {
  let from = 0;
  stages.forEach((stage, index) => {
    if (index + 1 < stages.length && stages[index + 1] === stage) return;
    const [left, right] = [x(times[from]), x(times[Math.min(index + 1, times.length - 1)])];
    if (from) svg.append(draw("path", { class: "change", d: `M${left} 4V${height - MARGIN.bottom}` }));
    if (right - left > 8 * stage.length) svg.append(label(left + 5, 11, stage, "start", "soft"));
    from = index + 1;
  });
}

// One line where there is room for every value; else the middle of each few, in a band from least to most.
function course({ kind, values }, times, x, y, gap) {
  const room = Math.floor((x(times.at(-1)) - x(times[0])) / PIXELS);
  if (times.length <= room) return [draw("path", { class: `curve ${kind}`, d: line(times, values, x, y, gap) })];
  const size = Math.ceil(times.length / room);
  const few = [];
  for (let from = 0; from < times.length; ) {
    let to = from + 1;
    while (to < times.length && to - from < size && times[to] - times[to - 1] <= gap) to += 1;
    const taken = values.slice(from, to).filter((value) => value !== null).sort((one, other) => one - other);
    const at = (times[from] + times[to - 1]) / 2;
    few.push({ at, ends: to < times.length && times[to] - times[to - 1] > gap, low: taken[0] ?? null, middle: taken[taken.length >> 1] ?? null, high: taken.at(-1) ?? null });
    from = to;
  }
  return [
    draw("path", { class: `band ${kind}`, d: band(few, x, y) }),
    draw("path", { class: `curve ${kind}`, d: line(few.map((one) => one.at), few.map((one) => one.middle), x, y, gap + (size * (times.at(-1) - times[0])) / times.length) }),
  ];
}

function band(few, x, y) {
  const runs = [[]];
  for (const one of few) {
    if (one.middle !== null) runs.at(-1).push(one);
    if (one.ends || one.middle === null) runs.push([]);
  }
  return runs.filter((run) => run.length).map((run) => {
    const over = run.map((one) => `${x(one.at).toFixed(1)} ${y(one.high).toFixed(1)}`);
    const under = run.map((one) => `${x(one.at).toFixed(1)} ${y(one.low).toFixed(1)}`).reverse();
    return `M${[...over, ...under].join("L")}Z`;
  }).join("");
}

function line(times, values, x, y, gap) {
  let pen = false;
  return values
    .map((value, index) => {
      const broken = index && times[index] - times[index - 1] > gap;
      if (value === null) {
        pen = false;
        return "";
      }
      const step = `${pen && !broken ? "L" : "M"}${x(times[index]).toFixed(1)} ${y(value).toFixed(1)}`;
      const alone = values[index + 1] === null || index + 1 === values.length;
      const dot = (!pen || broken) && alone ? "h1.5" : "";
      pen = true;
      return step + dot;
    })
    .join("");
}

function stacked(series) {
  const sums = series[0].values.map(() => 0);
  return series.map((one) => one.values.map((value, index) => (sums[index] += value ?? 0)));
}

// Steps, not slopes: a count holds until the next comparison.
function area(one, times, upper, lower, x, y, gap) {
  const parts = [];
  times.forEach((time, index) => {
    const under = lower ? lower[index] : 0;
    if (upper[index] === under) return;
    const next = times[index + 1];
    const alone = next === undefined || next - time > gap ? time + Math.min(gap / 3, MINUTE) : next;
    const until = times.length > 1 ? Math.min(alone, times.at(-1)) : alone;
    parts.push(`M${x(time).toFixed(1)} ${y(under).toFixed(1)}V${y(upper[index]).toFixed(1)}H${(x(until) + 0.3).toFixed(1)}V${y(under).toFixed(1)}Z`);
  });
  return draw("g", { "data-judgement": one.kind }, draw("path", { class: "block", d: parts.join("") }));
}

// A line that follows the pointer; the caller shows the values at its time.
function followed(svg, { times, onRead }, x, height) {
  const cursor = draw("path", { class: "axis", "aria-hidden": "true" });
  svg.append(cursor);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    let nearest = 0;
    times.forEach((time, index) => {
      if (Math.abs(x(time) - at) < Math.abs(x(times[nearest]) - at)) nearest = index;
    });
    cursor.setAttribute("d", `M${x(times[nearest])} ${MARGIN.top - 6}V${height - MARGIN.bottom}`);
    onRead(nearest);
  });
  svg.addEventListener("pointerleave", () => {
    cursor.removeAttribute("d");
    onRead(null);
  });
}
