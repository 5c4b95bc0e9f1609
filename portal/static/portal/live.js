// A live part of a page: pause, "stale" and polling around htmx's sse extension. The stream says only that something
// changed; htmx then fetches the part through the ordinary view. Without this file the page simply does not refresh.

const POLL_MS = 30_000;
const GRACE_MS = 5_000; // a stream that ends comes back by itself; only a longer silence is told

for (const root of document.querySelectorAll("[data-live]")) start(root);

function start(root) {
  const part = root.querySelector("#live");
  const pause = root.querySelector("[data-live-pause]");
  const stale = root.querySelector("[data-live-stale]");
  let paused = false;
  let missed = false;
  let late;
  let poll;

  const fetchPart = () => window.htmx.trigger(part, "laad:poll");

  const lost = () => {
    if (late || poll) return;
    late = setTimeout(() => {
      late = undefined;
      stale.hidden = false;
      poll = setInterval(fetchPart, POLL_MS);
    }, GRACE_MS);
  };
  const found = () => {
    clearTimeout(late);
    clearInterval(poll);
    if (poll) fetchPart();
    late = poll = undefined;
    stale.hidden = true;
  };
  root.addEventListener("htmx:sseOpen", found);
  root.addEventListener("htmx:sseError", lost);
  root.addEventListener("htmx:sseClose", lost);
  root.addEventListener("htmx:responseError", lost);
  root.addEventListener("htmx:sendError", lost);

  // Who fills in a filter keeps what was typed: the next change brings the rest.
  const isTyping = () => part.querySelector("input:focus, select:focus, textarea:focus") !== null;
  root.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== part || !(paused || isTyping())) return;
    event.preventDefault();
    missed = true;
  });
  // While it is fetched anew the part says that it is busy; what failed is told by `lost`.
  root.addEventListener("htmx:beforeSend", (event) => { if (event.target === part) part.setAttribute("aria-busy", "true"); });
  root.addEventListener("htmx:afterRequest", (event) => { if (event.target === part) part.removeAttribute("aria-busy"); });

  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      if (!paused && missed) {
        missed = false;
        fetchPart();
      }
    });
  }

  // What people opened stays open, what they ticked stays ticked, and what they read stays where it was.
  // Who walks with the keyboard keeps the place: htmx holds on to what has an id, the rest is found again here.
  let open = [];
  let scrolled = [];
  let ticked = [];
  let focused;
  root.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== part) return;
    if (isTyping()) event.detail.shouldSwap = false; // asked for before the typing began
    open = [...part.querySelectorAll("details[open][id]")].map((details) => details.id);
    scrolled = [...part.querySelectorAll(".laad-scroll")].map((box) => box.scrollLeft);
    ticked = [...part.querySelectorAll("input")].filter((box) => box.checked !== box.defaultChecked);
    focused = placeOf(document.activeElement, part);
  });
  root.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== part) return;
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    part.querySelectorAll(".laad-scroll").forEach((box, number) => {
      box.scrollLeft = scrolled[number] ?? 0;
    });
    for (const box of ticked) {
      const same = [...part.querySelectorAll("input")].find((one) => one.name === box.name && one.value === box.value);
      if (same) same.checked = box.checked;
    }
    focused?.().focus({ preventScroll: true });
  });
}

// How to find `element` again after `part` is drawn anew: the same one by what it says, else the one in its place.
function placeOf(element, part) {
  if (element === part || !part.contains(element)) return undefined;
  const saidBy = (one) => [one.id, one.getAttribute("href"), one.name, one.getAttribute("aria-labelledby"), one.textContent].join("|");
  const alike = () => [...part.querySelectorAll(element.tagName)];
  const said = saidBy(element);
  const twins = alike().filter((one) => saidBy(one) === said);
  const nth = twins.indexOf(element);
  const number = alike().indexOf(element);
  return () => {
    const now = alike();
    const same = now.filter((one) => saidBy(one) === said);
    return same[nth] ?? same[0] ?? now[Math.min(number, now.length - 1)] ?? document.getElementById("main");
  };
}
