/* Keys: whatever carries data-key="a" ("Shift+R", "Ctrl+Enter", "[", "ArrowLeft") is pressed by that key.
   Plain keys are silent while the focus is in a field or an input method is composing Chinese; keys with Ctrl or Alt
   work everywhere. `?` lists what the page in front of us offers, by the names its controls already have. */
(function () {
  "use strict";

  const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
  const NOT_TYPED = new Set(["checkbox", "radio", "button", "submit", "reset", "file", "image", "range"]);

  function inField(target) {
    if (!(target instanceof Element)) return false;
    if (target.closest("textarea, select, [contenteditable]")) return true;
    const input = target.closest("input");
    return Boolean(input) && !NOT_TYPED.has(input.type);
  }

  /* One spelling for the key pressed and for the key declared. Shift is part of the name of letters and of named keys
     only: on another keyboard "?" or "+" may need it or not. */
  function nameOf(event) {
    const letter = /^[a-z]$/i.test(event.key);
    const named = event.key.length > 1;
    return (event.ctrlKey || event.metaKey ? "ctrl+" : "") + (event.altKey ? "alt+" : "") +
      (event.shiftKey && (letter || named) ? "shift+" : "") + event.key.toLowerCase();
  }

  /* "+ =" : either key; the first is the one that is listed. */
  function keysOf(element) { return element.dataset.key.toLowerCase().split(" "); }

  function usable(element) {
    return !element.disabled && element.getAttribute("aria-disabled") !== "true" && element.getClientRects().length > 0;
  }

  function candidates() {
    const modal = document.querySelector("dialog[open]");
    return Array.from((modal || document).querySelectorAll("[data-key]")).filter(usable);
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.key === "Process" || event.key === "Dead") return;
    const name = nameOf(event);
    const plain = !name.startsWith("ctrl+") && !name.startsWith("alt+");
    if (plain && inField(event.target)) return;
    const found = candidates().filter((element) => keysOf(element).includes(name));
    if (!found.length) return;
    // Several forms may take Ctrl+Enter: the one being filled in is meant.
    const form = event.target.closest && event.target.closest("form");
    const chosen = found.find((element) => form && element.form === form) || found[0];
    event.preventDefault();
    // A held key must not decide the next case as well; moving about in a picture may repeat.
    if (event.repeat && !chosen.dataset.viewerAct) return;
    chosen.click();
  });

  /* The help lists controls, not texts written for it: it cannot get out of date. */
  function label(element) {
    return (element.getAttribute("aria-label") || element.textContent).replace(/\s+/g, " ").trim();
  }
  function spell(key) {
    return key.split("+").filter((part) => part !== "").map((part) => NAMES[part] || (part.length === 1 ? part.toUpperCase() : part));
  }
  function fill(list) {
    list.replaceChildren();
    const seen = new Set();
    document.querySelectorAll("[data-key]").forEach((element) => {
      const key = element.dataset.key.split(" ")[0];
      if (seen.has(key) || !usable(element)) return;
      seen.add(key);
      const row = document.createElement("div");
      const what = document.createElement("dt");
      what.textContent = label(element);
      const how = document.createElement("dd");
      const parts = key === "+" ? ["+"] : spell(key);
      parts.forEach((part, index) => {
        if (index) how.append(" + ");
        const cap = document.createElement("kbd");
        cap.textContent = part;
        how.append(cap);
      });
      row.append(what, how);
      list.append(row);
    });
  }
  document.addEventListener("click", (event) => {
    const opener = event.target.closest('[data-open="keyboard-help"]');
    if (opener) fill(document.querySelector("#keyboard-help [data-keys]"));
  }, true);
})();
