// Draws what ran when: the loop as a surface of water on which each turn of work is a drop, the threads of pools as bars
// below. Times are microseconds since the beginning of the run.
import { words } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
/** Where things stand, in pixels from the top. */
const SAID = 7;
const LOOP_LABEL = 27;
const SURFACE = 92;
const DEPTH = 4;
/** How far down light reaches into the water. */
const DEEP = 26;
const LANE = 44;
const BAR = { top: 22, height: 14 };
const AXIS = 30;
/** How tall a drop is for a microsecond, and for a second. */
const DROP = { least: 10, most: 56 };
const SLANT = 0.3;
/** Nothing is drawn narrower than this, so that the shortest turn is seen. */
const NARROWEST = 2.2;
/** How far off, in pixels, a pointer may be from a drop. */
const NEAR = 12;
/** The least time shown, so that the first drops do not fill the width. */
const SHORTEST = 400;

/** What is shown, and the drawing of it. */
export class Timeline {
  /** `onPick` is told what the visitor looks at: a span, or null. */
  constructor(place, onPick) {
    this.place = place;
    this.onPick = onPick;
    this.clear();
    new ResizeObserver(() => this.draw()).observe(place);
    place.addEventListener("pointermove", (event) => this.point(event));
    place.addEventListener("pointerdown", (event) => this.point(event));
    place.addEventListener("pointerleave", () => this.pick(null));
    place.addEventListener("blur", () => this.pick(null));
    place.addEventListener("keydown", (event) => this.step(event));
  }

  clear() {
    this.runs = [];
    this.waits = [];
    /** The bars of each thread, by its name, in the order in which the threads were first heard of. */
    this.pools = new Map();
    this.said = [];
    this.end = 0;
    this.live = false;
    this.picked = null;
    this.litLine = null;
  }

  begin() {
    this.clear();
    this.live = true;
    this.begun = performance.now();
    // With time the picture shrinks smoothly, or only when there is news, for those who want no motion.
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let drawn = -1;
    const frame = () => {
      if (!calm || drawn !== this.end) this.draw();
      drawn = this.end;
      if (this.live) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** A line was said at a time. */
  say(at, log) {
    this.said.push({ at, log });
    this.end = Math.max(this.end, at);
  }

  span(span) {
    this.end = Math.max(this.end, span.to);
    if (span.kind === "run") this.runs.push(span);
    if (span.kind === "wait") this.waits.push(span);
    if (span.kind === "pool") {
      if (!this.pools.has(span.thread)) this.pools.set(span.thread, []);
      this.pools.get(span.thread).push(span);
    }
  }

  finish(at) {
    this.live = false;
    this.end = Math.max(this.end, at ?? 0);
    this.draw();
  }

  /** How much of each there was. */
  totals() {
    const sum = (spans) => spans.reduce((total, span) => total + span.to - span.from, 0);
    const jobs = [...this.pools.values()].flat();
    return {
      runs: this.runs.length,
      ran: sum(this.runs),
      waited: sum(this.waits),
      jobs: jobs.length,
      worked: sum(jobs),
    };
  }

  /** Marks the dot of a line, by its number; null: of none. */
  light(number) {
    this.litLine = number;
    if (!this.live) this.draw();
  }

  draw() {
    const width = this.place.clientWidth;
    if (!width) return;
    const now = this.live ? (performance.now() - this.begun) * 1e3 : 0;
    const domain = Math.max(this.end, now, SHORTEST) * 1.005;
    this.scale = (width - 2) / domain;
    const height = this.bottom + this.pools.size * LANE + AXIS;
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
    if (this.end || this.live) this.drawAxis(svg, domain, height, width);
    svg.append(label(words().loop, LOOP_LABEL));
    this.drawLoop(svg, now, width);
    [...this.pools].forEach(([thread, bars], row) => this.drawPool(svg, thread, bars, row, width));
    this.drawSaid(svg);
    this.drawPick(svg, height);
    this.place.replaceChildren(svg);
  }

  /** Where the lanes of the pools begin. */
  get bottom() {
    return SURFACE + DEEP - 6;
  }

  x(micros) {
    return 1 + micros * this.scale;
  }

  drawAxis(svg, domain, height, width) {
    const step = stepOf(domain, width / 95);
    for (let at = 0; at <= domain; at += step) {
      const x = this.x(at);
      svg.append(element("path", { class: "grid", d: `M${x} ${SAID + 8}V${height - 20}` }));
      const text = at === 0 ? "0" : words().time(at);
      const anchor = at === 0 ? "start" : x > width - 34 ? "end" : "middle";
      svg.append(label(text, height - 5, { x: at === 0 ? 0 : Math.min(x, width), "text-anchor": anchor }));
    }
  }

  drawLoop(svg, now, width) {
    svg.append(element("rect", { class: "bed", x: 0, y: SURFACE, width, height: DEPTH, rx: DEPTH / 2 }));
    const known = Math.max(0, ...[this.runs.at(-1), this.waits.at(-1)].map((span) => span?.to ?? 0));
    // While the loop is silent it waits; how long, it tells afterwards.
    const silence = this.live && now > known ? [{ from: known, to: now }] : [];
    // Before the first run there is nothing but calm water.
    const waits = this.end || this.live ? [...this.waits, ...silence] : [{ from: 0, to: width / this.scale }];
    const water = (depth) => waits.map((span) => this.box(span, SURFACE, depth)).join("");
    if (waits.length) {
      svg.append(element("path", { fill: "url(#deep)", d: water(DEEP) }));
      svg.append(element("path", { class: "still", d: water(DEPTH) }));
    }
    const runs = this.runs.map((span) => this.drop(span)).join("");
    if (runs) svg.append(element("path", { class: "runs", d: runs }));
  }

  drawPool(svg, thread, bars, row, width) {
    const top = this.bottom + row * LANE;
    const y = top + BAR.top + 4;
    svg.append(label(thread, top + BAR.top - 3));
    svg.append(element("rect", { class: "bed", x: 0, y: y + BAR.height / 2 - 1, width, height: 2 }));
    for (const span of bars) {
      const size = { x: this.x(span.from), width: this.wide(span), y, height: BAR.height };
      svg.append(element("rect", { class: "pool", rx: Math.min(4, size.width / 2), ...size }));
    }
  }

  drawSaid(svg) {
    this.said.forEach(({ at, log }, number) => {
      const lit = number === this.litLine;
      const kind = `said${log ? " log" : ""}${lit ? " lit" : ""}`;
      svg.append(element("circle", { class: kind, cx: this.x(at), cy: SAID, r: lit ? 5 : 2.6 }));
    });
  }

  drawPick(svg, height) {
    if (!this.picked) return;
    const x = this.x(this.picked.from) + this.wide(this.picked) / 2;
    svg.append(element("path", { class: "pick", d: `M${x} ${SAID}V${height - 20}` }));
    if (this.picked.kind === "run") svg.append(element("path", { class: "picked", d: this.drop(this.picked) }));
  }

  wide(span) {
    return Math.max((span.to - span.from) * this.scale, NARROWEST);
  }

  box(span, y, height) {
    return `M${f(this.x(span.from))} ${y}h${f(this.wide(span))}v${height}h-${f(this.wide(span))}z`;
  }

  drop(span) {
    const size = Math.log10(Math.max(span.to - span.from, 1)) / 6;
    const height = DROP.least + (DROP.most - DROP.least) * Math.min(size, 1);
    const width = f(this.wide(span));
    return `M${f(this.x(span.from))} ${SURFACE + DEPTH - 1}h${width}l${f(height * SLANT)} -${f(height)}h-${width}z`;
  }

  /** Looks at what is under the pointer. */
  point(event) {
    const box = this.place.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const row = Math.floor((y - this.bottom) / LANE);
    const bars = [...this.pools.values()][row];
    this.pick(row < 0 || !bars ? this.onLoop(x) : this.closest(bars, x));
  }

  onLoop(x) {
    return this.closest(this.runs, x) ?? this.closest(this.waits, x);
  }

  /** The nearest of the spans, if one is near; of several the longest. */
  closest(spans, x) {
    let found = null;
    let least = NEAR;
    for (const span of spans) {
      const from = this.x(span.from);
      const distance = Math.max(from - x, x - from - this.wide(span), 0);
      const longer = found && distance === least && span.to - span.from > found.to - found.from;
      if (distance < least || longer) [found, least] = [span, distance];
    }
    return found;
  }

  /** Steps from span to span with the keys. */
  step(event) {
    const all = [...this.runs, ...this.waits, ...[...this.pools.values()].flat()].sort((a, b) => a.from - b.from);
    const at = all.indexOf(this.picked);
    const next = { ArrowRight: at + 1, ArrowLeft: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape") this.pick(null);
    if (next === undefined || !all.length) return;
    event.preventDefault();
    this.pick(all[Math.min(Math.max(next, 0), all.length - 1)]);
  }

  pick(span) {
    if (span === this.picked) return;
    this.picked = span;
    this.onPick(span);
    if (!this.live) this.draw();
  }
}

/** Coordinates to a tenth of a pixel: shorter paths. */
function f(number) {
  return Math.round(number * 10) / 10;
}

/** The time between two marks of the axis: 1, 2 or 5 times a power of ten, with at most `most` marks. */
function stepOf(domain, most) {
  const rough = domain / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
}

function label(text, y, attributes = {}) {
  const made = element("text", { x: 0, y, ...attributes });
  made.textContent = text;
  return made;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
