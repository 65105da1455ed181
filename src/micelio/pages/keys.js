// Keys for whoever reads differences with a keyboard. Everything they do is a link or scrolling: nothing needs them.
(() => {
  const sheet = document.getElementById("keys");
  const all = (what) => [...document.querySelectorAll(what)];
  // How far an element is below the upper edge of the window.
  const top = (one) => one.getBoundingClientRect().top;
  // The next or last of these from where the reader is; 16 px are where scrolling to one leaves it.
  const go = (these, on) => {
    const found = on > 0 ? these.find((one) => top(one) > 24) : these.reverse().find((one) => top(one) < -8);
    if (!found) return;
    found.scrollIntoView();
    found.tabIndex = -1;
    found.focus({preventScroll: true});
  };
  const follow = (what) => document.querySelector(what)?.click();
  const hunks = () => all(".diff pre").flatMap((one) => {
    const heads = [...one.querySelectorAll(".h")];
    return heads.length ? heads : [one];
  });
  const files = (on, neighbour) => (all("section.file").length > 1 ? go(all("section.file"), on) : follow(neighbour));
  const keys = {
    n: () => files(1, "[data-key=n]"),
    p: () => files(-1, "[data-key=p]"),
    j: () => go(hunks(), 1),
    k: () => go(hunks(), -1),
    s: () => follow("[data-key=s]"),
    w: () => follow("[data-key=w]"),
    "/": () => document.querySelector(".find input")?.focus(),
    "?": () => sheet?.showModal(),
  };
  const shown = document.getElementById("show-keys");
  if (shown) {
    shown.hidden = false;
    shown.addEventListener("click", () => sheet.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || sheet?.open) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
