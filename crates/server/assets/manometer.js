// What every page does beyond its HTML: colours, sortable tables, filters, local times, copying.
(() => {
  "use strict";
  const root = document.documentElement;

  // Colours: system → light → dark → system.
  const themeButton = document.querySelector("[data-theme-toggle]");
  const nameTheme = () => {
    const current = root.dataset.theme ?? "system";
    themeButton.querySelector("[data-theme-name]").textContent = current;
    themeButton.setAttribute("aria-label", `Colours: ${current}. Change`);
  };
  if (themeButton) {
    const order = ["system", "light", "dark"];
    themeButton.hidden = false;
    nameTheme();
    themeButton.addEventListener("click", () => {
      const next = order[(order.indexOf(root.dataset.theme ?? "system") + 1) % order.length];
      if (next === "system") delete root.dataset.theme;
      else root.dataset.theme = next;
      try {
        if (next === "system") localStorage.removeItem("manometer-theme");
        else localStorage.setItem("manometer-theme", next);
      } catch {
        // Kept for this page only.
      }
      nameTheme();
      document.dispatchEvent(new CustomEvent("manometer:theme"));
    });
  }

  // Absolute times in tooltips also in the reader's own zone.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!zone || zone === "UTC" || Number.isNaN(at.getTime())) continue;
    time.title += `\n${at.toLocaleString()} (${zone})`;
  }

  // Sorting: <table data-sortable>, <th data-sort="number|text">, cells may carry data-key.
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.dataset.sort) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sorter";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sortBy(table, heads, head, column));
    });
  }

  function sortBy(table, heads, head, column) {
    const numeric = head.dataset.sort === "number";
    const first = numeric ? "descending" : "ascending";
    const second = numeric ? "ascending" : "descending";
    const direction = head.getAttribute("aria-sort") === first ? second : first;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const keyOf = (row) => {
      const cell = row.cells[column];
      const key = cell.dataset.key ?? cell.textContent.trim();
      return numeric ? Number(key) : key;
    };
    const compare = (a, b) => (numeric ? a.key - b.key : a.key.localeCompare(b.key));
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: keyOf(row) }));
    rows.sort((a, b) => sign * compare(a, b));
    body.append(...rows.map(({ row }) => row));
  }

  // Filters: <input data-filter="id of a table"> hides rows without all its words.
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const table = document.getElementById(input.dataset.filter);
    const status = document.querySelector(`[data-filter-status="${input.dataset.filter}"]`);
    if (!table) continue;
    input.closest("[hidden]")?.removeAttribute("hidden");
    const rows = [...table.tBodies[0].rows].map((row) => ({
      row,
      text: (row.dataset.text ?? row.textContent).toLowerCase(),
    }));
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const { row, text } of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown += 1;
      }
      if (status) status.textContent = words.length ? `${shown} of ${rows.length}` : "";
    };
    input.addEventListener("input", apply);
    if (input.value) apply();
  }

  // Open or close every <details> of a group.
  for (const button of document.querySelectorAll("button[data-toggle-all]")) {
    const group = document.getElementById(button.dataset.toggleAll);
    if (!group) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      const all = [...group.querySelectorAll("details")];
      const open = all.some((one) => !one.open);
      for (const one of all) one.open = open;
      button.textContent = open ? "Close all" : "Open all";
    });
  }

  // Copying.
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!source || !navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select and copy by hand";
      }
    });
  }
})();
