/* Files into a slot of macros/evidence.html: chosen, dropped, pasted or photographed.

   One request per file, one after the other within a slot: the answer is the whole slot, and an older answer must not
   overwrite a newer one. A file that fails stays in the list with the reason, and 重试 where another try can end otherwise. XMLHttpRequest, because fetch
   reports no upload progress. */
(function () {
  "use strict";

  const queues = new Map(); // slot id -> {waiting: [row], running: bool}
  let lastTouched = null;

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  }
  function sizeText(bytes) {
    return bytes >= 1048576 ? (bytes / 1048576).toFixed(1) + " MB" : Math.max(1, Math.round(bytes / 1024)) + " KB";
  }

  function rowFor(file) {
    const row = make("li", "file is-pending");
    const body = make("div", "file-body");
    const meter = make("progress");
    meter.max = 1; meter.value = 0;
    meter.setAttribute("aria-label", "上传进度");
    const note = make("p", "file-meta", sizeText(file.size) + " · 等待上传");
    const buttons = make("div", "drop-controls");
    body.append(make("p", "file-name", file.name || "粘贴的图片"), meter, note, buttons);
    row.append(body);
    return { file, row, meter, note, buttons };
  }

  function failed(slotId, entry, why, final) {
    entry.meter.hidden = true;
    entry.note.className = "file-message level-refuse";
    entry.note.textContent = "没有上传：" + why.replace((entry.file.name || "") + "：", "");
    const again = make("button", "btn btn-sm", "重试");
    again.type = "button";
    again.addEventListener("click", () => { reset(entry); enqueue(slotId, entry); });
    const drop = make("button", "btn btn-sm", "不传了");
    drop.type = "button";
    drop.addEventListener("click", () => entry.row.remove());
    entry.buttons.replaceChildren(...(final ? [drop] : [again, drop]));
  }
  function reset(entry) {
    entry.meter.hidden = false;
    entry.meter.value = 0;
    entry.note.className = "file-meta";
    entry.note.textContent = sizeText(entry.file.size) + " · 等待上传";
    entry.buttons.replaceChildren();
  }

  function reason(request, size) {
    const answer = request.responseText || "";
    try {
      const data = JSON.parse(answer);
      if (data.message) return data.message;
    } catch (_) { /* not JSON */ }
    const told = new DOMParser().parseFromString(answer, "text/html").querySelector("[data-error]");
    if (told) return told.textContent.trim();
    if (answer && answer.length < 200 && !answer.includes("<")) return answer;
    if (request.status === 413) return "文件 " + sizeText(size) + "，超过上限，请降低扫描分辨率或分成几个文件";
    if (request.status === 401 || request.getResponseHeader("HX-Redirect")) return "登录已失效，请在新窗口登录后重试";
    if (request.status >= 500) return "系统没有收好这个文件，请重试";
    return "系统没有收下这个文件";
  }

  /* The answer replaces the slot; files still waiting and a reason being typed move over into the new one. */
  function replaceSlot(slot, fresh) {
    const typed = Array.from(slot.querySelectorAll("details[open] textarea")).map((area) => [area.id, area.value, area === document.activeElement]);
    const waiting = slot.querySelector("[data-uploads]");
    const list = fresh.querySelector("[data-uploads]");
    if (waiting && list) list.append(...waiting.children);
    slot.replaceWith(fresh);
    typed.forEach(([id, value, focused]) => {
      const area = document.getElementById(id);
      if (!area) return;
      area.closest("details").open = true;
      area.value = value;
      if (focused) area.focus();
    });
    if (window.htmx) window.htmx.process(fresh);
    fresh.dispatchEvent(new CustomEvent("slot:changed", { bubbles: true }));
  }

  function send(slotId, entry, done) {
    const slot = document.getElementById(slotId);
    const form = slot && slot.querySelector("form[data-upload]");
    if (!form) { failed(slotId, entry, "这个位置已不能再上传"); done(); return; }
    const data = new FormData();
    Array.from(form.elements).forEach((field) => { if (field.type === "hidden" && field.name) data.append(field.name, field.value); });
    data.append("files", entry.file, entry.file.name || "粘贴的图片.png");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true"); // asks for the fragment, and for HX-Redirect in place of a redirect
    request.setRequestHeader("X-Requested-With", "upload");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const share = event.loaded / event.total;
      entry.meter.value = share;
      entry.note.textContent = share < 1 ? sizeText(entry.file.size) + " · 已上传 " + Math.floor(share * 100) + "%" : "已送达，正在检查画面…";
    });
    request.upload.addEventListener("load", () => { entry.meter.removeAttribute("value"); entry.note.textContent = "已送达，正在检查画面…"; });
    request.addEventListener("load", () => {
      const target = request.getResponseHeader("HX-Redirect");
      if (target && new URL(target, location.href).pathname === location.pathname) {
        // "Done, look at this page again": fetch it, so that what is being typed elsewhere on it stays.
        request.open("GET", target);
        request.send();
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const fresh = page.getElementById(slotId);
      if (fresh) {
        // The slot came back, good or with its own message: the row has served its turn.
        entry.row.remove();
        replaceSlot(document.getElementById(slotId), fresh);
        page.querySelectorAll('[hx-swap-oob="true"][id]').forEach((part) => {
          const old = document.getElementById(part.id);
          part.removeAttribute("hx-swap-oob");
          if (old) { old.replaceWith(part); if (window.htmx) window.htmx.process(part); }
        });
      } else failed(slotId, entry, reason(request, entry.file.size), request.status === 422 || request.status === 413);
      done();
    });
    request.addEventListener("error", () => { failed(slotId, entry, "网络断开，文件还在，请重试"); done(); });
    request.addEventListener("timeout", () => { failed(slotId, entry, "等得太久，请重试"); done(); });
    request.timeout = 180000;
    request.send(data);
  }

  function next(slotId) {
    const queue = queues.get(slotId);
    const entry = queue.waiting.shift();
    queue.running = Boolean(entry);
    if (entry) send(slotId, entry, () => next(slotId));
  }
  function enqueue(slotId, entry) {
    if (!queues.has(slotId)) queues.set(slotId, { waiting: [], running: false });
    const queue = queues.get(slotId);
    queue.waiting.push(entry);
    if (!queue.running) next(slotId);
  }

  function take(slot, files) {
    const list = slot.querySelector("[data-uploads]");
    if (!list || !slot.querySelector("form[data-upload]")) return;
    lastTouched = slot.id;
    Array.from(files).forEach((file) => {
      const entry = rowFor(file);
      list.append(entry.row);
      const large = window.fileTooLarge(slot.querySelector("form[data-upload] [data-most-bytes]"), file);
      if (file.size === 0) failed(slot.id, entry, "这个文件是空的");
      else if (large) failed(slot.id, entry, large, true);
      else enqueue(slot.id, entry);
    });
  }

  document.addEventListener("change", (event) => {
    const form = event.target.type === "file" && event.target.closest("form[data-upload]");
    if (!form || !event.target.files.length) return;
    take(form.closest("[data-slot]"), event.target.files);
    event.target.value = ""; // choosing the same file again must count as a change
  });

  /* Dropping beside a slot would make the browser open the picture and leave the page. */
  function over(event) {
    if (!event.dataTransfer || !Array.from(event.dataTransfer.types).includes("Files")) return;
    if (!document.querySelector("[data-slot]")) return;
    event.preventDefault();
    const slot = event.target.closest && event.target.closest("[data-slot]");
    document.querySelectorAll(".drop.is-over").forEach((drop) => { if (!slot || !slot.contains(drop)) drop.classList.remove("is-over"); });
    const drop = slot && slot.querySelector(".drop");
    event.dataTransfer.dropEffect = drop ? "copy" : "none";
    if (drop) drop.classList.add("is-over");
  }
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.querySelectorAll(".drop.is-over").forEach((drop) => drop.classList.remove("is-over")); });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer || !event.dataTransfer.files.length || !document.querySelector("[data-slot]")) return;
    event.preventDefault();
    document.querySelectorAll(".drop.is-over").forEach((drop) => drop.classList.remove("is-over"));
    const slot = event.target.closest("[data-slot]");
    if (slot) take(slot, event.dataTransfer.files);
  });

  /* A pasted picture goes where the person is: the slot with the focus, else the one last pointed at, else the only one. */
  document.addEventListener("pointerover", (event) => {
    const slot = event.target.closest && event.target.closest("[data-slot]");
    if (slot) lastTouched = slot.id;
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData && event.clipboardData.files;
    if (!files || !files.length) return;
    const slots = document.querySelectorAll("[data-slot]");
    const slot = event.target.closest("[data-slot]") || document.getElementById(lastTouched) || (slots.length === 1 ? slots[0] : null);
    if (!slot) return;
    event.preventDefault();
    take(slot, files);
    slot.scrollIntoView({ block: "nearest" });
  });

  window.addEventListener("beforeunload", (event) => {
    if (Array.from(queues.values()).some((queue) => queue.running)) event.preventDefault();
  });
})();
