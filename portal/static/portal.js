/* What every page shares: questions before a form goes, no double sending, dialogs, panels.
   Everything listens on the document, so that a fragment put in by htmx or by upload.js needs no set-up of its own. */
(function () {
  "use strict";

  document.documentElement.classList.add("has-js");

  /* A question before sending: data-confirm="ID" on the submit button or on the form names a <dialog>.
     Capture phase: htmx listens on the form itself and must not see the submit before the answer. */
  let confirmed = null;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    const id = (button && button.dataset.confirm) || form.dataset.confirm;
    if (!id) return;
    if (confirmed === form) { confirmed = null; return; }
    const dialog = document.getElementById(id);
    if (!dialog) return;
    if (!tellPicked(dialog, form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    dialog.showModal();
    const yes = dialog.querySelector("[data-confirm-yes]");
    const go = () => { confirmed = form; dialog.close(); form.requestSubmit(button || undefined); };
    yes.addEventListener("click", go, { once: true });
    dialog.addEventListener("close", () => yes.removeEventListener("click", go), { once: true });
    yes.focus();
  }, true);

  /* Says in a dialog what was ticked: <p data-picked="NAME"> takes how many boxes of that name there are in the form, and
     the first of them by their data-says. False where nothing is ticked: then there is nothing to ask, and the server says so. */
  const MOST_NAMED = 5;
  function tellPicked(dialog, form) {
    const place = dialog.querySelector("[data-picked]");
    if (!place) return true;
    const picked = Array.from(form.elements).filter((box) => box.name === place.dataset.picked && box.checked);
    const names = picked.slice(0, MOST_NAMED).map((box) => box.dataset.says).join("、");
    place.textContent = "共 " + picked.length + " 行：" + names + (picked.length > MOST_NAMED ? " 等" : "") + "。";
    return picked.length > 0;
  }

  /* No double sending. The button is not disabled: a disabled submit button would drop its own name and value. */
  const sent = new Map(); // form -> {button, label, timer}
  const looks = (button) => button && button.closest("[data-steers]");
  let waiting = ""; // the button that was pressed meanwhile
  function busy(form, button) {
    const shown = button && button.dataset.busy ? (button.querySelector("span") || button) : null;
    const label = shown ? shown.textContent : "";
    if (shown) { shown.textContent = button.dataset.busy; button.setAttribute("aria-busy", "true"); }
    // An answer that is a download leaves the page where it is: give the form back after a while.
    const stays = "download" in form.dataset || (button && button.dataset.leavesPage === "no");
    const timer = setTimeout(() => idle(form), stays ? 500 : 20000);
    sent.set(form, { button, shown, label, timer });
  }
  function idle(form) {
    const state = sent.get(form);
    if (!state) return;
    clearTimeout(state.timer);
    if (state.shown) { state.shown.textContent = state.label; state.button.removeAttribute("aria-busy"); }
    sent.delete(form);
  }
  document.addEventListener("submit", (event) => {
    const form = event.target, state = sent.get(form);
    if (!state) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // Pressed while the page was only being shown anew: it goes as soon as that is over.
    if (looks(state.button) && event.submitter && !looks(event.submitter)) waiting = `#${form.id} .form-actions button[type=submit]`;
  }, true);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog" || form.method === "get") return;
    // htmx has called preventDefault on the forms that it sends itself; those are given back in afterRequest.
    if (event.defaultPrevented && !form.matches("[hx-post],[data-hx-post]")) return;
    busy(form, event.submitter);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    idle(event.target.closest("form"));
    const pressed = waiting;
    waiting = "";
    if (pressed) setTimeout(() => { const button = document.querySelector(pressed); if (button) button.click(); }, 60);
  });
  // Coming back with the browser's back button shows the page as it was left: nothing is being sent any more.
  window.addEventListener("pageshow", (event) => { if (event.persisted) Array.from(sent.keys()).forEach(idle); });

  /* htmx cannot show an answer that never came, and does not swap a 5xx: say so. */
  function tell(text) {
    const place = document.getElementById("flashes");
    if (!place) return;
    const box = document.createElement("div");
    box.className = "notice notice-late";
    box.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = text;
    box.append(words);
    place.replaceChildren(box);
    box.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("htmx:sendError", () => tell("网络不通，刚才的操作没有送到。内容还在，请稍后再试。"));
  document.addEventListener("htmx:responseError", () => tell("系统没有完成这次操作，没有写入。请稍后再试。"));

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.open);
      if (dialog && !dialog.open) dialog.showModal();
      return;
    }
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
  });

  /* Panels of the action bar: one at a time, what was typed stays in the closed ones. `toggle` does not bubble. */
  document.addEventListener("toggle", (event) => {
    const panel = event.target;
    if (!panel.matches || !panel.matches("details[data-panel]") || !panel.open) return;
    document.querySelectorAll("details[data-panel][open]").forEach((other) => { if (other !== panel) other.open = false; });
    const first = panel.querySelector("input:not([type=hidden]), select, textarea, button");
    if (first) first.focus();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    const panel = event.target.closest("details[data-panel][open]") || document.querySelector("details[data-panel][open]");
    if (panel && !document.querySelector("dialog[open]")) { panel.open = false; panel.querySelector("summary").focus(); }
  });

  /* An error summary takes the focus, so that a screen reader reads it and a keyboard starts there. */
  function focusMarked(root) {
    const marked = root.querySelector && root.querySelector("[data-focus]");
    if (marked) marked.focus();
  }
  focusMarked(document);
  document.addEventListener("htmx:afterSettle", (event) => focusMarked(event.target));

  /* A choice by which the rest of the page is asked: <div data-steers> holds it, the first also the button that shows the page anew.
     A moment later: autosave hears of the change first and leaves the rest to the submit, and arrow keys pass over choices. */
  let steering = 0, entered = 0, sentAt = 0, composing = false;
  const steered = (element) => element && element.querySelector && element.querySelector("[data-steers] button");
  function showAnew(button, wait) {
    clearTimeout(steering);
    steering = setTimeout(() => {
      steering = 0;
      if (composing) showAnew(button, 800);
      else if (button.isConnected) button.click();
    }, wait);
  }
  document.addEventListener("change", (event) => {
    const holder = event.target.closest("[data-steers]");
    if (holder) showAnew(steered(holder.closest("form")), 150);
  });
  document.addEventListener("compositionstart", () => { composing = true; });
  document.addEventListener("compositionend", () => { composing = false; });

  /* What is entered while the page is on its way is not put back by it: of such an answer only the version is taken, and the page
     is shown anew once the hands rest. */
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form");
    if (!steered(form)) return;
    entered += 1;
    if (steering) showAnew(steered(form), 800);
  });
  document.addEventListener("htmx:beforeRequest", (event) => { if (steered(event.target)) sentAt = entered; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = event.target, { xhr } = event.detail;
    if (!steered(form) || xhr.status !== 200 || (sentAt === entered && !composing)) return;
    const version = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector(`#${form.id} input[name=version]`);
    if (!version) return;
    form.querySelector("input[name=version]").value = version.value;
    event.detail.shouldSwap = false;
    showAnew(steered(form), 800);
  });

  /* 全选 in a table head: <input type="checkbox" data-check-all="NAME"> ticks every box of that name in its form or table. */
  document.addEventListener("change", (event) => {
    const all = event.target;
    if (!all.matches("[data-check-all]")) return;
    const scope = all.closest("form, table");
    scope.querySelectorAll("input[type=checkbox]").forEach((box) => {
      if (box.name === all.dataset.checkAll && !box.disabled) box.checked = all.checked;
    });
  });
})();
