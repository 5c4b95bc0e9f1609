// Power against limit, to look into: uPlot draws the numbers of portal/pages/power_series.py in place of the server's
// own drawing, which stands where this file does not run, where numbers do not come, and in forced colours.

import { clock, columnsOf, limitAt, localAt, ticksOf } from "./chart_numbers.js";

const KEY_PARTS = 240; // an arrow goes this part of what is shown
const PAGE_PARTS = 12; // and Page Up or Down this one
const SHORTEST_S = 120; // of what can be shown
const SAY_MS = 400; // between two things that are said
const FETCH_MS = 2000; // between two times that the numbers are asked for
const FONT = '13px "Source Sans 3", system-ui, sans-serif';
const DASHES = [[8, 3], [3, 3], [9, 3, 2, 3]];
const charts = new WeakMap();

// ------------------------------------------------------------------ the drawing

/** Each value from its moment on until the next one; what is not known is a hole. */
function stepped(plot, index) {
  const [times, values] = [plot.data[0], plot.data[index]];
  const [line, area] = [new Path2D(), new Path2D()];
  const x = (at) => plot.valToPos(at, "x", true);
  const y = (value) => plot.valToPos(value, "y", true);
  const floor = y(0);
  let last = null;
  for (let number = 0; number < times.length - 1; number += 1) {
    const value = values[number];
    if (value !== null) {
      const [left, right, height] = [x(times[number]), x(times[number + 1]), y(value)];
      if (last === null) line.moveTo(left, height);
      else line.lineTo(left, height);
      line.lineTo(right, height);
      area.rect(left, Math.min(height, floor), right - left + 0.5, Math.abs(height - floor));
    }
    last = value;
  }
  return { stroke: line, fill: area, clip: null, band: null, gaps: null, flags: 0 };
}

/** The colours of the page, as the theme and the light have them now. */
function inksOf(element) {
  const probe = element.appendChild(document.createElement("span"));
  const ink = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const inks = {
    flow: ink("--laad-flow"), flowSoft: ink("--basis-color-action-2-bg-default"), back: ink("--laad-flow-2"),
    limit: ink("--basis-color-action-1-border-default"), limitSoft: ink("--laad-steer-bg"), ink: ink("--laad-ink"),
    text: ink("--laad-ink-2"), grid: ink("--laad-line"), axis: ink("--laad-line-strong"),
  };
  probe.remove();
  return inks;
}

class Chart {
  constructor(root) {
    this.root = root;
    this.words = root.dataset;
    this.box = root.querySelector("[data-chart-box]");
    this.said = root.querySelector("[data-chart-said]");
    this.phaseButton = root.querySelector("[data-phase-lines]");
    this.language = document.documentElement.lang;
    this.hasPhases = true;
    this.at = null; // where the line stands
    this.refresh();
  }

  // ---------------------------------------------------------------- numbers

  /** Ask for the numbers anew; several wishes within a short time are one. */
  refresh() {
    if (this.waiting) return;
    const wait = Math.max(0, (this.fetched ?? -FETCH_MS) + FETCH_MS - performance.now());
    this.waiting = setTimeout(() => this.load(), wait);
  }

  async load() {
    this.fetched = performance.now();
    const isPart = this.plot && this.series !== this.base;
    const [base, part] = await Promise.all([this.fetch(""), isPart ? this.fetch(this.asking()) : null]);
    this.waiting = undefined;
    if (this.isHeld) this.refresh(); // nothing moves under a hand that draws over a stretch of time
    if (!base || this.isHeld) return;
    const staysPut = this.plot && !this.isWhole && this.base.start === base.start; // not when another day began
    this.base = base;
    this.series = (staysPut && part) || base;
    if (!this.plot) this.draw();
    else this.show(...(staysPut ? this.range : [base.start, base.end]), { quiet: true });
  }

  /** The part that is shown, as an address asks for it. */
  asking() {
    const [from, until] = this.range;
    return `?from=${Math.floor(from)}&until=${Math.ceil(until)}`;
  }

  async fetch(query) {
    try {
      const answer = await fetch(this.root.dataset.chart + query, { headers: { Accept: "application/json" } });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null; // what is drawn stands
    }
  }

  /** What is shown closely is told more finely, once one stops zooming. */
  look() {
    clearTimeout(this.looking);
    this.looking = setTimeout(async () => {
      const [from, until] = this.range;
      const isMuchLess = until - from <= (this.series.until - this.series.from) / 2;
      const isFine = this.series.step_s === 1 && !this.series.in_quarters;
      if (isFine || !isMuchLess) return;
      if (this.isWhole) return;
      const part = await this.fetch(this.asking());
      if (part && this.holds(part) && !this.isHeld) this.take(part);
    }, 200);
  }

  /** Whether these numbers reach as far as what is shown. */
  holds(series) {
    return series.from <= this.range[0] + 1 && series.until >= this.range[1] - 1;
  }

  take(series) {
    this.series = series;
    this.root.querySelector("[data-phase-key]").hidden = !series.phases_kw || !this.hasPhases;
    this.root.querySelector("[data-phase-nominal]").hidden = series.phases_by !== "nominal";
    this.phaseButton.hidden = !series.phases_kw && !this.base.phases_kw;
    this.plot?.setData(columnsOf(series), false);
    this.plot?.setScale("x", { min: this.range[0], max: this.range[1] });
  }

  // ---------------------------------------------------------------- drawing

  draw() {
    this.root.hidden = false;
    this.inks = inksOf(this.root);
    this.range = [this.base.start, this.base.end];
    this.plot = new window.uPlot(this.options(), columnsOf(this.base), this.box);
    this.take(this.base);
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(this.box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.inks = inksOf(this.root);
      this.plot.redraw(false);
    });
    this.plot.over.addEventListener("mousemove", () => this.hover());
    this.plot.over.addEventListener("mousedown", () => { this.isHeld = true; });
    document.addEventListener("mouseup", () => { this.isHeld = false; }, { capture: true });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("click", (event) => this.click(event));
    this.tell();
  }

  size = () => ({ width: this.box.clientWidth, height: this.box.clientHeight });

  options() {
    const number = new Intl.NumberFormat(this.language, { maximumFractionDigits: 1 });
    const color = (name) => () => this.inks[name];
    const line = { paths: stepped, points: { show: false } };
    const phase = (dash) => ({ ...line, width: 1.5, dash, stroke: color("ink"), show: true });
    const axis = { stroke: color("text"), font: FONT, grid: { stroke: color("grid"), width: 1 }, ticks: { show: false } };
    return {
      ...this.size(),
      legend: { show: false },
      padding: [12, 24, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, dist: 5 },
        bind: { dblclick: () => () => this.whole() } },
      scales: {
        x: { time: false, range: (plot, min, max) => [min, max] },
        y: { range: () => this.heights() },
      },
      axes: [
        { ...axis, size: 30, splits: (plot, i, min, max) => ticksOf(this.base.offsets, min, max, plot.width),
          values: (plot, ticks) => ticks.map((at) => this.tick(at)) },
        { ...axis, size: 62, values: (plot, ticks) => ticks.map((value, place) =>
          number.format(value) + (place === ticks.length - 1 ? " kW" : "")) },
      ],
      series: [
        {},
        { ...line, fill: color("limitSoft"), width: 0 },
        { ...line, fill: () => (this.showsPhases ? this.inks.flowSoft : this.inks.flow), stroke: color("flow"), width: 1.5 },
        { ...line, fill: color("back"), stroke: color("flow"), width: 1 },
        ...DASHES.map(phase),
        { ...line, stroke: color("limit"), width: 3 },
        { ...line, stroke: color("limit"), width: 2.5, dash: [6, 5] },
        { ...line, stroke: color("ink"), width: 1.5, dash: [2, 4] },
      ],
      hooks: {
        draw: [() => this.drawNow()],
        setScale: [(plot, scale) => scale === "x" && this.zoomed()],
      },
    };
  }

  get showsPhases() {
    return this.hasPhases && Boolean(this.series.phases_kw);
  }

  /** From what was given back up to the highest power, limit or connection of the whole chart. */
  heights() {
    const { import_kw: taken, export_kw: back, limits, connection_kw: connection } = this.base;
    const drawn = limits.filter(({ decides }) => decides || connection === null).map(({ limit_kw: limit }) => limit);
    const most = (values) => values.reduce((highest, value) => Math.max(highest, value ?? 0), 0);
    const top = Math.max(most(taken), most(drawn), connection ?? 0, most(this.series.import_kw), 0.1);
    return [-1.08 * Math.max(most(back ?? []), most(this.series.export_kw ?? [])), 1.08 * top];
  }

  drawNow() {
    if (this.base.now === null) return;
    const { ctx, bbox } = this.plot;
    const x = Math.round(this.plot.valToPos(this.base.now, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.save();
    ctx.strokeStyle = this.inks.ink;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  // ---------------------------------------------------------------- zoom

  get isWhole() {
    return this.range[0] <= this.base.start && this.range[1] >= this.base.end;
  }

  /** Show from `from` until `until`, within the chart. */
  show(from, until, { quiet = false } = {}) {
    const whole = this.base.end - this.base.start;
    const span = Math.min(whole, Math.max(Math.min(SHORTEST_S, whole), until - from));
    const start = Math.min(Math.max((from + until - span) / 2, this.base.start), this.base.end - span);
    this.range = [start, start + span];
    this.take(this.holds(this.series) ? this.series : this.base);
    this.tell();
    this.look();
    if (!quiet) this.say(this.words.shown.replace("{from}", this.time(start)).replace("{until}", this.time(start + span)));
  }

  zoom(factor) {
    const [from, until] = this.range;
    const middle = this.at !== null && this.at > from && this.at < until ? this.at : (from + until) / 2;
    const share = (middle - from) / (until - from);
    const span = (until - from) * factor;
    this.show(middle - share * span, middle + (1 - share) * span);
  }

  whole = () => this.show(this.base.start, this.base.end);

  /** However it came about: by a button, a key, a drag or a double click. */
  zoomed() {
    if (!this.plot) return; // still being made
    const { min, max } = this.plot.scales.x;
    const isAsked = Math.abs(min - this.range[0]) < 0.5 && Math.abs(max - this.range[1]) < 0.5;
    if (!isAsked) { // uPlot's own: keep it within what can be shown
      queueMicrotask(() => this.show(min, max));
      return;
    }
    this.point();
  }

  tell() {
    const set = (name, isOff) => this.root.querySelector(`[data-zoom="${name}"]`).setAttribute("aria-disabled", String(isOff));
    set("in", this.range[1] - this.range[0] <= SHORTEST_S);
    set("out", this.isWhole);
    set("all", this.isWhole);
    this.root.dataset.range = this.range.map(Math.round).join(" ");
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    if (button.dataset.zoom === "in") this.zoom(1 / 2);
    if (button.dataset.zoom === "out") this.zoom(2);
    if (button.dataset.zoom === "all") this.whole();
    if (button === this.phaseButton) {
      this.hasPhases = !this.hasPhases;
      button.setAttribute("aria-pressed", String(this.hasPhases));
      this.plot.batch(() => [4, 5, 6].forEach((index) => this.plot.setSeries(index, { show: this.hasPhases })));
      this.take(this.series);
    }
  }

  // ---------------------------------------------------------------- the line one moves

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, until] = this.range;
    const at = this.at ?? Math.min(this.base.now ?? until, until);
    const step = Math.max(1, (until - from) / KEY_PARTS);
    const page = (until - from) / PAGE_PARTS;
    const moves = {
      ArrowLeft: at - step, ArrowDown: at - step, ArrowRight: at + step, ArrowUp: at + step,
      PageUp: at + page, PageDown: at - page, Home: from, End: until,
    };
    const zooms = { "+": () => this.zoom(1 / 2), "=": () => this.zoom(1 / 2), "-": () => this.zoom(2), 0: () => this.whole() };
    if (!(event.key in moves) && !(event.key in zooms)) return;
    event.preventDefault();
    if (event.key in moves) this.move(moves[event.key]);
    else zooms[event.key]();
  }

  /** The line to this moment; who walks out of what is shown takes it along. */
  move(to) {
    const at = Math.min(Math.max(to, this.base.start), this.base.end);
    const [from, until] = this.range;
    const half = (until - from) / 2;
    if (at < from || at > until) this.show(at - half, at + half, { quiet: true });
    this.at = at;
    this.point();
    this.say(this.sentence(at));
  }

  /** The line where it belongs, whatever is shown now. */
  point() {
    const isSeen = this.at !== null && this.at >= this.range[0] && this.at <= this.range[1];
    this.plot.setCursor(isSeen ? { left: this.plot.valToPos(this.at, "x"), top: 0 } : { left: -10, top: -10 });
  }

  hover() {
    const { left } = this.plot.cursor;
    if (left === undefined || left < 0) return;
    this.at = this.plot.posToVal(left, "x");
    this.say(this.sentence(this.at));
  }

  // ---------------------------------------------------------------- in words

  tick(at) {
    const { start, end, offsets } = this.base;
    const text = clock(offsets, at);
    if (text.startsWith("00:00") && end - start > 25 * 3600) {
      const local = localAt(offsets, at);
      return `${local.getUTCDate()}-${local.getUTCMonth() + 1}`;
    }
    return at === end && text === "00:00" ? "24:00" : text;
  }

  time(at) {
    const { start, end, offsets } = this.base;
    const text = at === end && clock(offsets, at) === "00:00" ? "24:00" : clock(offsets, at, { seconds: this.series.step_s < 30 });
    if (end - start <= 25 * 3600) return text;
    const local = localAt(offsets, at);
    return `${local.getUTCDate()}-${local.getUTCMonth() + 1} ${text}`;
  }

  power(value) {
    return value.toLocaleString(this.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }

  /** Time, power, limit and who decides it: "18:02: power 7,4 kW, limit 8,3 kW, 12 A (Evening)". */
  sentence(at) {
    const { series, words } = this;
    const place = Math.min(Math.floor((at - series.from) / series.step_s), series.import_kw.length - 1);
    const [taken, back] = [series.import_kw[place] ?? null, series.export_kw?.[place]];
    const isComing = series.now !== null && at > series.now;
    const parts = [];
    if (taken === null) parts.push(`${words.power} ${isComing ? words.coming : words.unmeasured}`);
    else parts.push(`${words.power} ${this.power(taken)} kW`);
    if (back) parts.push(`${words.back} ${this.power(back)} kW`);
    const held = limitAt(series, Math.min(at, this.base.end - 0.001));
    if (held && held.limit_kw !== null) {
      const ampere = held.limit_a === null ? "" : `, ${held.limit_a.toLocaleString(this.language, { maximumFractionDigits: 1 })} A`;
      parts.push(`${words.limit} ${this.power(held.limit_kw)} kW${ampere} (${held.by})`);
    }
    const byPhase = series.phases_kw?.map((row) => row[place] ?? null);
    if (this.showsPhases && byPhase.some((value) => value !== null)) {
      parts.push(`${words.phases} ${byPhase.map((value) => (value === null ? "–" : this.power(value))).join(" / ")} kW`);
    }
    return `${this.time(at)}: ${parts.join(", ")}`;
  }

  /** Said at once, and then not more often than one can listen. */
  say(text) {
    this.toSay = text;
    if (this.saying) return;
    this.said.textContent = text;
    this.saying = setTimeout(() => {
      this.saying = undefined;
      if (this.toSay !== this.said.textContent) this.say(this.toSay);
    }, SAY_MS);
  }
}

function begin() {
  for (const root of document.querySelectorAll("[data-chart]")) {
    if (charts.has(root)) charts.get(root).refresh();
    else charts.set(root, new Chart(root));
  }
}

if (window.uPlot && !matchMedia("(forced-colors: active)").matches) {
  begin();
  // The part around it was fetched anew (live.js): the drawing itself is kept, its numbers are not.
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target?.id === "live") begin(); });
}
