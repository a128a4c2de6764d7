/* Drafts save themselves: <form data-autosave="URL"> posts what changed, 0.8 s after the last key.

   Sent: the form as multipart without files, headers HX-Request (a redirect comes back as HX-Redirect, which a script can
   read) and X-Requested-With: autosave. Answer: any 2xx; JSON {"version": 7} is written into the form's field `version`,
   so that the later submit does not look stale; {"said": "已暂存"} is what is told. JSON {"message": "…"} or an error page of ours on a
   4xx is shown. The place [data-saved] in the form says what is true: 已保存 09:42, or why not; nothing typed is thrown away.
   With data-unsent the form is kept as a text and not as a draft (portal/keeping.py): which panel stands open goes along, and
   the submit does not depend on the save before it. */
(function () {
  "use strict";

  const WAIT = 800, RETRY = 5000;
  const states = new WeakMap();
  const open = new Set();

  /* Forms with changes that are on the page; one that an answer has replaced was sent with what it held. */
  function unsaved() {
    open.forEach((form) => { if (!form.isConnected) open.delete(form); });
    return open;
  }

  function stateOf(form) {
    if (!states.has(form)) states.set(form, { dirty: false, sending: false, stopped: false, timer: 0 });
    return states.get(form);
  }

  const unsent = (form) => "unsent" in form.dataset;

  function say(form, text, unsaved) {
    let note = form.querySelector("[data-saved]");
    if (!note) {
      note = document.createElement("span");
      note.dataset.saved = "";
      note.setAttribute("role", "status");
      (form.querySelector(".form-actions") || form).append(note);
    }
    note.textContent = text;
    note.classList.toggle("is-unsaved", Boolean(unsaved));
  }

  function body(form) {
    const data = new FormData(form);
    Array.from(data.entries()).forEach(([name, value]) => { if (value instanceof File) data.delete(name); });
    if (unsent(form)) {
      const panel = form.querySelector("details[data-panel][open]");
      data.set("opened", panel ? panel.id : "");
    }
    return data;
  }

  function later(form, delay) {
    const state = stateOf(form);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => save(form), delay);
  }

  const SIGNED_OUT_KEPT = "登录已失效。您填的内容已暂存，本人重新登录后会放回原处";
  const SIGNED_OUT = "登录已失效，请在新窗口登录后再继续，已填的内容还在这里";
  /* Sent elsewhere instead of answered: to the sign-in page. Sent to the page we are on: an ordinary "done". */
  function signedOut(answer) {
    const target = answer.headers.get("HX-Redirect");
    return answer.status === 401 || answer.type === "opaqueredirect" ||
      Boolean(target && new URL(target, location.href).pathname !== location.pathname);
  }

  async function problem(answer) {
    const text = await answer.text();
    try {
      const data = JSON.parse(text);
      if (data.message) return data.message;
    } catch (_) { /* not JSON: an error page, or nothing of ours */ }
    const told = new DOMParser().parseFromString(text, "text/html").querySelector("[data-error]");
    if (told) return told.textContent.trim();
    if (answer.status === 409) return "这份草稿已在别处更新，请重新打开后再填";
    return "有内容没有通过检查";
  }

  /* A submit that waited for the save. */
  function proceed(form) {
    const state = stateOf(form), button = state.waiting.button;
    state.waiting = null;
    form.requestSubmit(button);
  }
  /* A draft that could not be saved cannot be sent on either; what is only kept aside stops nothing. */
  function failed(form) {
    const state = stateOf(form);
    state.sending = false;
    if (state.waiting && unsent(form)) proceed(form);
    state.waiting = null;
  }

  async function save(form) {
    const state = stateOf(form);
    if (state.sending || state.stopped || !state.dirty || !form.isConnected) return;
    state.sending = true;
    state.dirty = false;
    say(form, "正在保存…");
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: body(form), credentials: "same-origin", redirect: "manual",
        headers: { "HX-Request": "true", "X-Requested-With": "autosave", Accept: "application/json" },
      });
      if (answer.ok && !signedOut(answer)) {
        let said = "已保存";
        if ((answer.headers.get("Content-Type") || "").includes("json")) {
          const data = await answer.json();
          said = data.said || said;
          const version = form.elements.namedItem("version");
          if (version && data.version !== undefined) version.value = data.version;
        }
        const now = new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
        if (!state.dirty) {
          open.delete(form);
          say(form, said + " " + now);
        }
      } else if (answer.status >= 500 || answer.status === 429) {
        throw new Error("server");
      } else if (answer.headers.get("X-Kept")) {
        if (!state.dirty) open.delete(form);
        say(form, SIGNED_OUT_KEPT, true);
        failed(form);
        return;
      } else {
        state.dirty = true; // sending the same again would not help: the next change tries anew
        say(form, "未保存：" + (signedOut(answer) ? SIGNED_OUT : await problem(answer)), true);
        failed(form);
        return;
      }
    } catch (_) {
      state.dirty = true;
      say(form, "未保存：网络不通，会自动再试，请先不要关闭页面", true);
      failed(form);
      later(form, RETRY);
      return;
    }
    state.sending = false;
    if (state.waiting) proceed(form);
    else if (state.dirty) later(form, WAIT);
  }

  function changed(event) {
    const form = event.target.form || (event.target.closest && event.target.closest("form"));
    // While an input method is composing, the field holds pinyin, not what is meant.
    if (!form || !form.dataset.autosave || event.isComposing || event.target.type === "file") return;
    const state = stateOf(form);
    state.dirty = true;
    open.add(form);
    if (!state.sending) say(form, "有改动，即将保存…");
    later(form, WAIT);
  }
  ["input", "change", "compositionend"].forEach((name) => document.addEventListener(name, changed));

  // A panel that was opened is kept with what was typed; opening one alone is nothing to keep. `toggle` does not bubble.
  document.addEventListener("toggle", (event) => {
    const form = event.target.closest && event.target.closest("form[data-unsent]");
    if (!form || !event.target.matches("[data-panel]") || !states.has(form)) return;
    stateOf(form).dirty = true;
    open.add(form);
    later(form, WAIT);
  }, true);

  // A submit while a save is on its way would come with the version before it: it waits for the answer.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset || !form.dataset.autosave || !stateOf(form).sending) return;
    stateOf(form).waiting = { button: event.submitter || undefined };
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // htmx has called preventDefault on the forms that it sends itself.
    if (!form.dataset || !form.dataset.autosave || (event.defaultPrevented && !form.matches("[hx-post]"))) return;
    const state = stateOf(form); // the submit carries everything: a save racing with it would only make it stale
    clearTimeout(state.timer);
    state.dirty = false;
    open.delete(form);
  });
  window.addEventListener("online", () => unsaved().forEach((form) => later(form, 0)));
  window.addEventListener("pagehide", () => unsaved().forEach((form) => {
    if (stateOf(form).dirty) navigator.sendBeacon(form.dataset.autosave, body(form));
  }));
  window.addEventListener("beforeunload", (event) => { if (unsaved().size) event.preventDefault(); });
})();
