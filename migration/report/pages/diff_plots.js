// The three plots of a diff report, drawn as SVG from its data. Texts are set as text, never as markup.

const BOARD_SHOWN = 30;
const ROW = 20;

// Slopes: where legacy, truth and the pipeline put each employee.

function places(entries, side) {
  const listed = entries.filter((entry) => entry[side]);
  listed.sort((one, other) => one[side].rank - other[side].rank || entries.indexOf(one) - entries.indexOf(other));
  const found = new Map();
  for (const entry of listed) {
    const tied = listed.filter((other) => other[side].rank === entry[side].rank);
    found.set(entry, entry[side].rank + tied.indexOf(entry));
  }
  return found;
}

function slopes(entries, most, onPick) {
  const sides = ["legacy", "truth", "pipeline"];
  const columns = sides.map((side) => places(entries, side));
  const top = entries.filter((entry) => columns.some((column) => column.get(entry) <= most));
  const width = 720;
  const left = 210;
  const right = width - 210;
  const floor = most + 1;
  const below = top.some((entry) => columns.some((column) => !(column.get(entry) <= most)));
  const height = 44 + (floor + (below ? 1 : 0)) * ROW;
  const x = [left, (left + right) / 2, right];
  const y = (column, entry) => 34 + Math.min(column.get(entry) ?? floor, floor) * ROW - ROW / 2;
  const changed = top.filter((entry) => entry.change !== "same").length;
  const svg = picture(
    width, height,
    `Ranks of ${top.length} employees by legacy, truth and pipeline; ${changed} stand elsewhere. The table of differences names them.`,
  );
  sides.forEach((side, index) => {
    const title = side[0].toUpperCase() + side.slice(1);
    svg.append(label(x[index], 12, title, ["end", "middle", "start"][index], "soft"));
    svg.append(draw("path", { class: "grid", d: `M${x[index]} 28V${height - 6}` }));
  });
  if (below) svg.append(label(x[1], height - 4, "lower, or not on the board", "middle", "soft"));
  const calmFirst = [...top].sort((one, other) => (one.change === "same" ? 0 : 1) - (other.change === "same" ? 0 : 1));
  for (const entry of calmFirst) {
    const at = columns.map((column) => y(column, entry));
    const path = `M${x[0]} ${at[0]}L${x[1]} ${at[1]}L${x[2]} ${at[2]}`;
    const person = draw("g", { class: "person", "data-judgement": entry.judgement });
    person.append(
      draw("title", {}, `${entry.employee_id}: ${sides.map((side) => `${side} ${inWords(entry[side])}`).join(", ")}`),
      draw("path", { class: "hit", d: path }),
      draw("path", { class: "slope", d: path }),
    );
    at.forEach((cy, index) => {
      if (columns[index].get(entry) <= most) person.append(draw("circle", { cx: x[index], cy, r: 3 }));
    });
    for (const [index, anchor, shift] of [[0, "end", -8], [2, "start", 8]]) {
      if (!(columns[index].get(entry) <= most)) continue;
      const { rank } = entry[sides[index]];
      const name = shortened(entry.employee_id, 24);
      person.append(label(x[index] + shift, at[index], index ? `${rank}  ${name}` : `${name}  ${rank}`, anchor));
    }
    person.addEventListener("click", () => onPick(entry.employee_id));
    svg.append(person);
  }
  return svg;
}

function inWords(place) {
  return place ? `rank ${place.rank} with ${whole(place.points)} points` : "not shown";
}

// Agreement by depth: three curves; the axis starts at the quarter below the lowest.

function agreementCurve(agreement) {
  const curves = PAIRS.map(([key, name, kind]) => ({ name, kind, shares: agreement[key].overlap_by_depth }));
  const deepest = Math.max(...curves.map((curve) => curve.shares.length));
  const [width, height, left, right, bottom] = [480, 230, 46, 12, 34];
  const x = (depth) => left + ((width - left - right) * (depth - 1)) / Math.max(deepest - 1, 1);
  const lowest = Math.min(...curves.flatMap((curve) => curve.shares), 1);
  const floor = Math.max(Math.floor(4 * lowest - 0.4) / 4, 0);
  const y = (share) => 10 + ((height - bottom - 10) * (1 - share)) / (1 - floor);
  const ends = curves.map((curve) => `${curve.name} ${percent(curve.shares.at(-1) ?? 1)}`);
  const svg = picture(width, height, `Agreement down to rank ${deepest}: ${ends.join(", ")}.`);
  for (const share of [0, 1, 2, 3, 4].map((step) => floor + (step * (1 - floor)) / 4)) {
    svg.append(draw("path", { class: "grid", d: `M${left} ${y(share)}H${width - right}` }));
    svg.append(label(left - 6, y(share), percent(share), "end", "soft"));
  }
  for (const depth of new Set([1, Math.ceil(deepest / 2), deepest])) {
    svg.append(label(x(depth), height - 20, String(depth), depth === deepest && deepest > 1 ? "end" : "middle", "soft"));
  }
  svg.append(label((left + width) / 2, height - 5, "rank", "middle", "soft"));
  for (const curve of curves) {
    const steps = curve.shares.map((share, index) => `${index ? "L" : "M"}${x(index + 1).toFixed(1)} ${y(share).toFixed(1)}`);
    svg.append(draw("path", { class: `curve ${curve.kind}`, d: steps.join("") + (steps.length === 1 ? "h2" : "") }));
  }
  svg.append(reader(svg, curves, { x, left, right: width - right, height: height - bottom, deepest }));
  return svg;
}

// A line that follows the pointer and reads all curves out at its depth.
function reader(svg, curves, { x, left, right, height, deepest }) {
  const group = draw("g", { "aria-hidden": "true" });
  const line = draw("path", { class: "axis" });
  const text = curves.map((_, index) => label(left + 8, height - 50 + index * 16, ""));
  group.append(line, ...text);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const depth = Math.round(1 + ((at - left) / Math.max(right - left, 1)) * Math.max(deepest - 1, 1));
    if (depth < 1 || depth > deepest) return;
    line.setAttribute("d", `M${x(depth)} 10V${height}`);
    curves.forEach((curve, index) => {
      const share = curve.shares[Math.min(depth, curve.shares.length) - 1];
      text[index].textContent = share === undefined ? "" : `top ${depth}, ${curve.name}: ${percent(share)}`;
    });
  });
  svg.addEventListener("pointerleave", () => {
    line.removeAttribute("d");
    for (const one of text) one.textContent = "";
  });
  return group;
}

// Histogram: how far the points of those on both boards are apart.

function bins(values) {
  const furthest = Math.max(...values.map((value) => Math.abs(value.points)));
  const steps = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000];
  let size = steps.find((step) => furthest / step <= 10);
  for (let scale = 1000; size === undefined; scale *= 10) size = [2, 5, 10].map((n) => n * scale).find((n) => furthest / n <= 10);
  const found = new Map();
  for (const value of values) {
    const bin = Math.sign(value.points) * Math.ceil(Math.abs(value.points) / size);
    const counts = found.get(bin) ?? {};
    counts[value.judgement] = (counts[value.judgement] ?? 0) + 1;
    found.set(bin, counts);
  }
  return { size, found };
}

function pointsHistogram(entries) {
  const both = entries.filter((entry) => entry.legacy && entry.pipeline);
  const values = both
    .map((entry) => ({ points: entry.pipeline.points - entry.legacy.points, judgement: entry.judgement }))
    .filter((value) => value.points);
  const said = `${whole(both.length - values.length)} of ${whole(both.length)} on both boards have the same points.`;
  if (!values.length) return paragraph(said);
  const { size, found } = bins(values);
  const last = Math.max(...[...found.keys()].map(Math.abs));
  const highest = Math.max(...[...found.values()].map((counts) => Object.values(counts).reduce((a, b) => a + b)));
  const [width, height, left, bottom] = [480, 220, 40, 40];
  const step = (width - left - 10) / (2 * last + 1);
  const middle = left + step * (last + 0.5);
  const y = (count) => height - bottom - (height - bottom - 20) * (count / highest);
  const svg = picture(width, height, `Differences of points. ${said}`);
  for (const [bin, counts] of found) {
    let under = 0;
    for (const judgement of JUDGEMENTS) {
      const count = counts[judgement] ?? 0;
      if (!count) continue;
      const bar = { class: "block", x: middle + (bin - 0.5) * step + 1, y: y(under + count), width: Math.max(step - 2, 1), height: y(under) - y(under + count) };
      const from = (Math.abs(bin) - 1) * size + 1;
      const to = Math.abs(bin) * size;
      const span = from === to ? `${signed(Math.sign(bin) * to)}` : `${signed(Math.sign(bin) * from)} to ${signed(Math.sign(bin) * to)}`;
      svg.append(draw("g", { "data-judgement": judgement }, draw("title", {}, `${span} points: ${whole(count)} ${WORDS[judgement].name}`), draw("rect", bar)));
      under += count;
    }
    svg.append(label(middle + bin * step, y(under) - 8, whole(under), "middle", "soft"));
  }
  svg.append(draw("path", { class: "axis", d: `M${left} ${height - bottom}H${width - 10}` }));
  svg.append(draw("path", { class: "grid", d: `M${middle} 20V${height - bottom}` }));
  for (const bin of new Set([-last, 0, last])) {
    svg.append(label(middle + bin * step, height - bottom + 14, signed(bin * size), "middle", "soft"));
  }
  svg.append(label(middle, height - 6, "pipeline − legacy, points", "middle", "soft"));
  return [svg, ...paragraph(said)];
}
