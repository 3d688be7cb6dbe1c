// Asks the server to run a pattern, and reads what it tells as it happens.

/** The server has said no, with a reason for people. */
export class Refused extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

/**
 * Runs a pattern and yields its events as `[name, data]`.
 *
 * A request of its own instead of an EventSource: that one would come again when the stream ends, and run the pattern again.
 */
export async function* events(pattern, args, signal) {
  const response = await fetch(`/run/${pattern}`, {
    method: "POST",
    headers: { accept: "text/event-stream, application/json;q=0.9", "content-type": "application/json" },
    body: JSON.stringify(args),
    signal,
  });
  if (!response.ok) {
    throw new Refused(response.status, await reason(response));
  }
  const aborted = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // Without this an abort while nothing is being read would be told as an error that nobody handles.
  aborted.catch(() => {});
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await Promise.race([reader.read(), aborted]);
    if (done) return;
    const parts = (text + decoder.decode(value, { stream: true })).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const event = parse(part);
      if (event) yield event;
    }
  }
}

async function reason(response) {
  const body = await response.text();
  try {
    const { title, detail } = JSON.parse(body);
    return detail || title;
  } catch {
    return body.trim() || `${response.status} ${response.statusText}`;
  }
}

/** One event out of its fields; none for a comment. */
function parse(part) {
  let name = "message";
  const data = [];
  for (const line of part.split("\n")) {
    const at = line.indexOf(":");
    const field = line.slice(0, at);
    const value = line.slice(at + 1).replace(/^ /, "");
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }
  return data.length ? [name, JSON.parse(data.join("\n"))] : undefined;
}
