// What the page says while something runs, in both languages.

/** A time in microseconds with the unit that suits it, to three digits, in one piece. */
function time(micros) {
  // What would be rounded to a thousand gets the next unit.
  const [value, unit] =
    micros < 999.5 ? [micros, "µs"] : micros < 999.5e3 ? [micros / 1e3, "ms"] : [micros / 1e6, "s"];
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}\u00a0${unit}`;
}

const en = {
  title: "Squall: a tour",
  time,
  loop: "the loop",
  log: "log",
  from: (place) => `spawned at ${place}`,
  running: "running …",
  done: (took) => `done in ${took}`,
  stopped: "stopped",
  failed: (took) => `ended with an error after ${took}`,
  gone: "The tour does not answer. Is it still running?",
  full: "As many patterns are running as may at once. Try again when one has ended.",
  cut: "The answer broke off. Is the tour still running?",
  more: (lines, spans) =>
    `Left out: ${[lines && `${lines} lines`, spans && `${spans} pieces of the timeline`].filter(Boolean).join(", ")}.`,
  sum({ runs, ran, waited, jobs, worked }) {
    const loop = `The loop ran ${runs === 1 ? "once" : `${runs} times`}, ${ran} in all, and waited ${waited}.`;
    if (!jobs) return loop;
    return `${loop} The pool did ${jobs === 1 ? "one job" : `${jobs} jobs`}, ${worked} in all.`;
  },
  ran: (at, took, line) => `At ${at} the loop ran for ${took}${line ? `: what line ${line} gave it` : ""}.`,
  waited: (at, took) => `From ${at} on the loop waited for ${took}.`,
  worked: (at, took, line) =>
    `From ${at} on this thread worked for ${took}${line ? `: what line ${line} gave it` : ""}.`,
  chart: "What ran when. The left and right arrow keys step through it.",
  empty: "Nothing has run yet: calm water.",
};

const zh = {
  title: "Squall 导览",
  time,
  loop: "循环",
  log: "日志",
  from: (place) => `发起于 ${place}`,
  running: "运行中……",
  done: (took) => `完成，用时 ${took}`,
  stopped: "已停止",
  failed: (took) => `${took} 后以错误结束`,
  gone: "导览程序没有回应。它还在运行吗？",
  full: "同时运行的程序已经到了上限。等一个结束了再试。",
  cut: "回应中断了。导览程序还在运行吗？",
  more: (lines, spans) =>
    `略去了${[lines && ` ${lines} 行输出`, spans && ` ${spans} 段时间线`].filter(Boolean).join("、")}。`,
  sum({ runs, ran, waited, jobs, worked }) {
    const loop = `循环运行了 ${runs} 次，共 ${ran}；等待了 ${waited}。`;
    return jobs ? `${loop}线程池做了 ${jobs} 件活儿，共 ${worked}。` : loop;
  },
  ran: (at, took, line) => `${at} 处，循环运行了 ${took}${line ? `：是第 ${line} 行交给它的` : ""}。`,
  waited: (at, took) => `从 ${at} 起，循环等待了 ${took}。`,
  worked: (at, took, line) => `从 ${at} 起，这个线程干了 ${took}${line ? `：是第 ${line} 行交给它的` : ""}。`,
  chart: "什么在什么时候运行。用左右方向键逐段查看。",
  empty: "还没有运行：水面平静。",
};

/** The words of the language that the page is in. */
export function words() {
  return document.documentElement.lang.startsWith("zh") ? zh : en;
}
