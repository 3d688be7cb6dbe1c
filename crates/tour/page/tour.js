// Brings the page to life: each pattern runs at a click, and the two switches of the page.
import { events, Refused } from "./run.js";
import { Timeline } from "./timeline.js";
import { words } from "./words.js";

/** One pattern of the page. */
class Pattern {
  constructor(section) {
    const find = (selector) => section.querySelector(selector);
    this.section = section;
    this.form = find("form");
    this.state = find(".state");
    this.told = find(".told");
    this.box = find(".output");
    this.output = find(".output ol");
    this.chart = find(".chart");
    this.timeline = new Timeline(this.chart, (span) => this.look(span));
    /** The words about how the run goes, made anew when the language changes. */
    this.status = () => "";
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.abort) this.abort.abort();
      else this.run();
    });
    this.output.addEventListener("pointerover", (event) => this.lightLine(event.target.closest("li")));
    this.output.addEventListener("pointerleave", () => this.lightLine(null));
    this.skipHeader();
    this.speak();
  }

  /** Scrolls the source past its header, which says in comments what is said beside it. */
  skipHeader() {
    const lines = [...this.section.querySelectorAll(".source pre code > span")];
    const first = lines.find((line) => line.textContent.trim() && !line.textContent.startsWith("//!"));
    if (first) first.closest("pre").scrollTop = first.offsetTop - 4;
  }

  async run() {
    this.abort = new AbortController();
    this.output.replaceChildren();
    this.told.textContent = "";
    this.ended = null;
    this.enter("running", (say) => say.running);
    this.timeline.begin();
    try {
      const args = this.form.elements.args?.value.trim().split(/\s+/).filter(Boolean) ?? [];
      for await (const [name, data] of events(this.section.id, args, this.abort.signal)) this.take(name, data);
      if (!this.ended) this.fail((say) => say.cut);
    } catch (err) {
      this.interrupted(err);
    }
    this.abort = null;
    this.timeline.finish(this.ended?.at);
    this.speak();
  }

  take(name, data) {
    if (name === "span") this.timeline.span(data);
    if (name === "line" || name === "log") this.print(name, data);
    if (name === "end") this.end(data);
  }

  print(kind, data) {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const line = document.createElement("li");
    line.className = kind;
    line.dataset.micros = data.at;
    const text = line.appendChild(document.createElement("span"));
    if (kind === "log") text.append(worded("b", (say) => say.log));
    text.append(data.text);
    if (data.place) text.append(worded("small", (say) => say.from(data.place)));
    this.output.append(line);
    this.timeline.say(data.at, kind === "log");
    timed(line);
    // Follows the end, unless the visitor has scrolled away from it.
    if (scrollTop + clientHeight > scrollHeight - 4) this.box.scrollTop = this.box.scrollHeight;
  }

  end(data) {
    this.ended = data;
    if (data.error) {
      this.print("failed", { at: data.at, text: data.error });
      this.enter("failed", (say) => say.failed(say.time(data.at)));
    } else {
      this.enter("done", (say) => say.done(say.time(data.at)));
    }
  }

  interrupted(err) {
    if (err.name === "AbortError") this.enter("stopped", (say) => say.stopped);
    else if (err instanceof Refused) this.fail((say) => (err.status === 503 ? say.full : err.message));
    else this.fail((say) => say.gone);
  }

  fail(status) {
    this.enter("failed", status);
  }

  enter(state, status) {
    this.section.dataset.state = state;
    this.section.classList.toggle("running", state === "running");
    this.state.classList.toggle("failed", state === "failed");
    this.status = status;
    this.state.textContent = status(words());
  }

  /** Says everything again in the language of the page. */
  speak() {
    const say = words();
    this.state.textContent = this.status(say);
    this.told.textContent = this.summary(say);
    this.chart.setAttribute("aria-label", `${say.chart} ${this.summary(say) || say.empty}`);
    this.box.setAttribute("aria-label", this.section.querySelector("h2").innerText);
    for (const line of this.output.children) timed(line);
    this.timeline.draw();
  }

  summary(say) {
    if (!this.ended) return "";
    const totals = this.timeline.totals();
    for (const key of ["ran", "waited", "worked"]) totals[key] = say.time(totals[key]);
    const { lines, spans } = this.ended.omitted;
    return say.sum(totals) + (lines || spans ? ` ${say.more(lines, spans)}` : "");
  }

  /** Tells about a piece of the timeline and shows the line of the source that it came from. */
  look(span) {
    const say = words();
    this.section.querySelectorAll(".source .lit").forEach((line) => line.classList.remove("lit"));
    if (!span) {
      this.told.textContent = this.summary(say);
      return;
    }
    const tell = { run: say.ran, wait: say.waited, pool: say.worked }[span.kind];
    this.told.textContent = tell(say.time(span.from), say.time(span.to - span.from), span.line);
    const line = span.line && document.getElementById(`${this.section.id}-${span.line}`);
    if (line) this.show(line);
  }

  /** Lights a line and scrolls its box, but not the page. */
  show(line) {
    line.classList.add("lit");
    const box = line.closest("pre");
    const [top, bottom] = [line.offsetTop, line.offsetTop + line.offsetHeight];
    if (top < box.scrollTop || bottom > box.scrollTop + box.clientHeight) {
      box.scrollTop = top - box.clientHeight / 3;
    }
  }

  lightLine(line) {
    for (const other of this.output.children) other.classList.toggle("lit", other === line);
    this.timeline.light(line ? [...this.output.children].indexOf(line) : null);
  }
}

/** An element whose words follow the language of the page. */
function worded(name, text) {
  const made = document.createElement(name);
  made.say = () => (made.textContent = text(words()));
  made.say();
  return made;
}

/** Writes the time of a line beside it, and its own words, in the language of the page. */
function timed(line) {
  line.dataset.at = words().time(Number(line.dataset.micros));
  for (const part of line.querySelectorAll("b, small")) part.say();
}

const { squallSettings: settings } = globalThis;
const patterns = [...document.querySelectorAll(".pattern")].map((section) => new Pattern(section));

function speak() {
  document.title = words().title;
  for (const pattern of patterns) pattern.speak();
}

document.getElementById("language").addEventListener("click", () => {
  const root = document.documentElement;
  root.lang = root.lang === "en" ? "zh-Hans" : "en";
  settings.keep("language", root.lang);
  const address = new URL(location.href);
  if (address.searchParams.has("lang")) {
    address.searchParams.set("lang", root.lang === "en" ? "en" : "zh");
    history.replaceState(null, "", address);
  }
  speak();
});

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const before = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = before === "dark" ? "light" : "dark";
  settings.keep("theme", root.dataset.theme);
});

speak();
