// The query console: asks POST /api/v1/sql and shows the answer.
(() => {
  "use strict";
  const form = document.getElementById("question-form");
  const question = document.getElementById("question");
  const runButton = document.getElementById("run");
  const stopButton = document.getElementById("stop");
  const answer = document.getElementById("answer");
  const rowsPlace = document.getElementById("rows");
  const rowsShown = Number(form.dataset.rows);
  let running = null;

  const number = new Intl.NumberFormat("en");
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const say = (text, look = "") => {
    answer.replaceChildren(element("p", { className: `note ${look}`.trim(), textContent: text }));
  };

  async function ask(format, limits) {
    running?.abort();
    const asked = (running = new AbortController());
    runButton.disabled = true;
    stopButton.hidden = false;
    try {
      const response = await fetch("/api/v1/sql", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ sql: question.value, format, limits }),
        signal: asked.signal,
      });
      if (response.status === 401) {
        location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
        return null;
      }
      if (!response.ok) {
        const body = await response.json().catch(() => null);
        say(body?.error?.message ?? `The server answered ${response.status}.`, "bad");
        rowsPlace.replaceChildren();
        return null;
      }
      return format === "json" && limits.rows ? await response.text() : await response.blob();
    } catch (error) {
      say(error.name === "AbortError" ? "Stopped." : `No whole answer came: ${error.message}`, error.name === "AbortError" ? "" : "bad");
      return null;
    } finally {
      if (running === asked) {
        running = null;
        runButton.disabled = false;
        stopButton.hidden = true;
      }
    }
  }

  // Whole numbers beyond 2^53 keep all their digits where the browser gives the source text.
  const exact = (_, value, context) =>
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source
      ? context.source
      : value;

  function cellText(value, type) {
    if (typeof value === "object") return JSON.stringify(value);
    if (type === "time") return String(value).replace("T", " ").replace(/(\.\d*?)0*Z$/, (_, part) => (part === "." ? "" : part)).replace(/Z$/, "");
    if (type === "number" && typeof value === "number") return Number.isInteger(value) ? String(value) : String(+value.toPrecision(9));
    return String(value);
  }

  function show(result) {
    const numeric = result.columns.map(({ type }) => type === "integer" || type === "number");
    const head = element("tr");
    result.columns.forEach(({ name, type }, index) => {
      head.append(element("th", { scope: "col", className: numeric[index] ? "number" : "", title: type }, name, element("small", {}, type)));
    });
    const body = element("tbody");
    for (const row of result.rows) {
      const line = element("tr");
      row.forEach((value, index) => {
        const cell = element("td", { className: numeric[index] ? "number" : "" });
        if (value === null) {
          cell.classList.add("null");
          cell.textContent = "null";
        } else {
          cell.textContent = cellText(value, result.columns[index].type);
        }
        line.append(cell);
      });
      body.append(line);
    }
    const table = element("table", {}, element("thead", {}, head), body);
    const frame = element("div", { className: "scroll", tabIndex: 0 }, table);
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", "Rows of the answer");
    rowsPlace.replaceChildren(frame);
    const count = `${number.format(result.row_count)} ${result.row_count === 1 ? "row" : "rows"} in ${Math.round(result.elapsed_ms)} ms`;
    const cut = result.truncated ? `. Only the first ${number.format(result.row_count)} are shown; a download holds more.` : "";
    answer.replaceChildren(element("p", { className: "quiet-text", textContent: count + cut }));
  }

  async function run() {
    if (!question.value.trim()) return say("Write a question first, or choose one below.");
    const url = new URL(location.href);
    url.searchParams.set("q", question.value);
    history.replaceState(null, "", url);
    say("Running …");
    const text = await ask("json", { rows: rowsShown });
    if (text === null) return;
    try {
      show(JSON.parse(text, exact));
    } catch {
      say("The answer broke off before its end: run it again.", "bad");
    }
  }

  async function download(format) {
    say("Running …");
    const blob = await ask(format, {});
    if (blob === null) return;
    const link = element("a", { href: URL.createObjectURL(blob), download: `answer.${format}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    answer.replaceChildren(element("p", { className: "quiet-text", textContent: `answer.${format}: ${number.format(blob.size)} bytes.` }));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
  stopButton.addEventListener("click", () => running?.abort());
  for (const button of document.querySelectorAll("button[data-format]")) {
    button.addEventListener("click", () => download(button.dataset.format));
  }
})();
