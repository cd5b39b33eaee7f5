// Types queries into the search of a real window, and prints for each keystroke how long it took until other hits were painted:
// node bench.mjs '{"port": 1, "chromium": FILE, "workspace": DIR, "queries": ["words"], "pace": 120}'
// One JSON object a line: {"text": what was typed by then, "ms": time, or null where the hits stayed the same, "busy": until all was there}.
import { open } from "./window.mjs";

const { queries, pace, ...asked } = JSON.parse(process.argv[2]);
const SEARCH = ".quick-input-widget:visible input";

/** In the page: the time of each key, and the time at which the rows of the list had become others and were painted. */
function watch() {
  // Filters that are offered are there without asking khojd; with them or without, the first hits are in view.
  const rows = () => [...document.querySelectorAll(".quick-input-list .monaco-list-row")]
    .filter((row) => row.querySelector(".codicon-filter") === null)
    .sort((one, other) => Number(one.dataset.index) - Number(other.dataset.index))
    .slice(0, 3)
    .map((row) => row.getAttribute("aria-label"))
    .join("\n");
  const state = { key: 0, before: "", painted: 0, whole: 0 };
  const painted = (then) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => then(performance.now());
    port2.postMessage(null);
  });
  const look = () => {
    if (state.key === 0 || state.painted !== 0 || rows() === state.before) return;
    state.painted = -1;
    painted((now) => (state.painted = now));
  };
  window.khojBench = {
    state,
    busy: () => getComputedStyle(document.querySelector(".quick-input-progress")).display !== "none"
      && document.querySelector(".quick-input-progress").classList.contains("active"),
  };
  document.addEventListener("keydown", (event) => Object.assign(state, { key: event.timeStamp, before: rows(), painted: 0 }), true);
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label"] });
}

const window = await open({ ...asked, tests: undefined });
const { page } = window;
try {
  await page.waitForSelector(".monaco-workbench .part.statusbar");
  await page.evaluate(watch);
  for (const query of queries) {
    for (let tries = 0; !(await page.isVisible(SEARCH)); tries++) {
      if (tries === 40) throw new Error("the search does not open");
      await page.keyboard.press("Control+Alt+k");
      await page.keyboard.press("s");
      await page.waitForSelector(SEARCH, { timeout: 1000 }).catch(() => undefined);
    }
    await page.fill(SEARCH, "");
    for (let end = 1; end <= query.length; end++) {
      const began = Date.now();
      await page.keyboard.press(query[end - 1] === " " ? "Space" : query[end - 1]);
      if (query[end - 1] === " ") continue; // finds what was found before
      const { ms, busy } = await page.evaluate(async () => {
        const { state, busy } = globalThis.khojBench;
        const until = (so) => new Promise((resolve) => {
          const look = () => (so() ? resolve() : setTimeout(look, 5));
          look();
        });
        const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
        await wait(60); // the query is asked by then
        await Promise.race([until(() => !busy()), wait(3000)]);
        await wait(30); // what was set last is painted
        return { ms: state.painted > 0 ? state.painted - state.key : null, busy: performance.now() - state.key };
      });
      console.log(JSON.stringify({ text: query.slice(0, end), ms, busy }));
      await page.waitForTimeout(Math.max(0, pace - (Date.now() - began)));
    }
    await page.keyboard.press("Escape");
    await page.waitForSelector(SEARCH, { state: "hidden" });
  }
  if (asked.picture) await page.screenshot({ path: asked.picture });
} finally {
  await window.close();
}
