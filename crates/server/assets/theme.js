// Applies the chosen colours before the first paint. Runs in the head, so it is kept this small.
(() => {
  "use strict";
  let chosen = null;
  try {
    chosen = localStorage.getItem("manometer-theme");
  } catch {
    // Storage may be forbidden: then the system decides.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  document.documentElement.classList.add("has-script");
})();
