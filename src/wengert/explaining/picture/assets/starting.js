// What happens when a page is there: its explanations come to life, its own controls work.

/** Brings the explanations on the page to life that are not yet. */
function startAll() {
  for (const root of document.querySelectorAll(".wg-explanation:not([data-state])")) {
    root.dataset.state = "starting";
    const explanation = new Explanation(root);
    latest ??= explanation;
    explanation.start().catch((error) => {
      root.dataset.state = "failed";
      explanation.part.canvas.textContent = `The graph cannot be drawn: ${error.message}`;
      throw error;
    });
  }
}

/** On a page of its own the keys work wherever the focus is, and there is a switch of colours. */
function startPage() {
  document.addEventListener("keydown", (event) => {
    const ownPage = document.querySelector(".wg-page");
    if (ownPage && latest?.sweep && !event.target.closest?.(".wg-explanation")) latest.key(event);
  });
  const button = document.querySelector("[data-theme-switch]");
  if (!button) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const tell = () => button.setAttribute("aria-pressed", isDark());
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  dark.addEventListener("change", tell);
  tell();
}

function start() {
  startPage();
  startAll();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
