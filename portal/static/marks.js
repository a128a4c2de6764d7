/* Places marked on a scan: a box drawn with a mouse, a finger or the arrow keys becomes a line of the reasons of a return.
   What is kept stands in hidden fields (data-mark, "file/page/x,y,width,height" in shares of the unturned page); this
   script only writes and draws them, so that a page that comes back with an error shows every box again. */
(function () {
  "use strict";

  const LEAST = 10;         // pixels on the screen: less is a slip of the hand
  const FIRST = 0.3;        // of the stage: the box that the keyboard starts from
  const STEP = 0.02, FINE = 0.005;
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  let marking = null;       // {viewer, a, b, element, pointer, from}: a and b are opposite corners in shares

  const list = () => document.getElementById("reasons");
  const root = () => document.querySelector("[data-viewer][data-marking]");
  const clamp = (share) => Math.min(1, Math.max(0, share));

  function boxOf(a, b) {
    const x = clamp(Math.min(a.x, b.x)), y = clamp(Math.min(a.y, b.y));
    return [x, y, clamp(Math.max(a.x, b.x)) - x, clamp(Math.max(a.y, b.y)) - y];
  }
  function read(text) {
    const [file, page, box] = text.split("/");
    const numbers = (box || "").split(",").map(Number);
    return numbers.length === 4 && numbers.every(Number.isFinite) ? { file, page: Number(page), box: numbers } : null;
  }
  function put(element, box) {
    ["left", "top", "width", "height"].forEach((side, index) => { element.style[side] = box[index] * 100 + "%"; });
  }
  function frame(number) {
    const element = document.createElement("div");
    element.className = "mark-drawn";
    const cap = document.createElement("span");
    cap.className = "mark-number";
    cap.textContent = number;
    element.append(cap);
    return element;
  }
  function fileOf(mark) { return document.querySelector(`[data-viewer] [data-file="${CSS.escape(mark.file)}"]`); }

  /* --- the boxes that the lines hold, on the scan and beside the line ------------------------------------------------ */
  function draw() {
    document.querySelectorAll(".mark-drawn:not(.is-draft)").forEach((old) => old.remove());
    if (!list()) return;
    list().querySelectorAll("[data-mark]").forEach((input, index) => {
      const mark = input.value ? read(input.value) : null;
      const file = mark && fileOf(mark);
      const page = file && file.querySelector(`[data-page="${mark.page}"]`);
      if (page) {
        const element = frame(index + 1);
        put(element, mark.box);
        page.append(element);
      }
      chip(input, mark, file, index + 1);
    });
  }
  function chip(input, mark, file, number) {
    const place = input.closest(".reason").querySelector("[data-mark-chip]");
    place.replaceChildren();
    place.hidden = !input.value;
    if (!input.value) return;
    if (file) {
      const show = document.createElement("button");
      show.type = "button";
      show.className = "btn btn-sm";
      Object.assign(show.dataset, { showFile: mark.file, showPage: mark.page, showBox: mark.box.join(",") });
      show.textContent = `影像上的框 ${number}：${file.dataset.title} 第 ${mark.page} 页`;
      place.append(show);
    } else place.append("框出的图片已不在本件材料中");
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "btn btn-sm";
    drop.textContent = "去掉这个框";
    drop.addEventListener("click", () => { input.value = ""; changed(input); draw(); });
    place.append(" ", drop);
  }

  /* --- drawing ------------------------------------------------------------------------------------------------------ */
  function say(text) {
    const hint = root() && root().querySelector("[data-mark-hint]");
    if (hint) { hint.textContent = text; hint.hidden = !text; }
  }
  function press(on) {
    document.querySelectorAll("[data-mark-start]").forEach((button) => button.setAttribute("aria-pressed", String(on)));
  }
  function begin() {
    const viewer = root() && root().viewer;
    if (!viewer || !viewer.size.width || !viewer.view.scale) return;
    if (marking) { end(); return; }
    const panel = document.querySelector("details[data-panel][open]");
    if (panel) panel.open = false;
    const room = { x: viewer.stage.clientWidth, y: viewer.stage.clientHeight };
    const corner = (side) => viewer.shareAt({ x: room.x * (0.5 + side * FIRST / 2), y: room.y * (0.5 + side * FIRST / 4) });
    marking = { viewer, page: viewer.page, a: corner(-1), b: corner(1), element: frame(""), pointer: null };
    marking.element.classList.add("is-draft");
    marking.page.append(marking.element);
    viewer.root.classList.add("is-marking");
    press(true);
    say("拖动框出有问题的地方。用键盘：方向键移动，Shift+方向键改大小，Enter 确定，Esc 取消。");
    shape();
    viewer.root.scrollIntoView({ block: "nearest" });
    viewer.stage.focus({ preventScroll: true });
  }
  function shape() { put(marking.element, boxOf(marking.a, marking.b)); }
  function end() {
    if (!marking) return;
    marking.element.remove();
    marking.viewer.root.classList.remove("is-marking");
    marking = null;
    press(false);
    say("");
  }
  function accept() {
    const { viewer, page, a, b } = marking;
    const box = boxOf(a, b);
    const wide = box[2] * page.clientWidth, high = box[3] * page.clientHeight;
    if (wide < LEAST || high < LEAST) { say("框太小了，请框大一些。"); return; }
    const file = page.closest("[data-file]");
    end();
    const row = freeRow();
    if (!row) { say("一次最多 20 条，请先去掉不需要的。"); return; }
    row.querySelector("[data-mark]").value = `${file.dataset.file}/${page.dataset.page}/${box.map((share) => share.toFixed(4)).join(",")}`;
    const about = row.querySelector("select[name$=-about]");
    if (about) about.value = "evidence:" + file.dataset.slot;
    changed(row.querySelector("[data-mark]"));
    draw();
    openAt(row.querySelector("select"), viewer);
  }
  /* A hidden field that a script writes says so itself: what was marked is kept like what was typed (autosave.js). */
  function changed(input) { input.dispatchEvent(new Event("change", { bubbles: true })); }
  function openAt(field) {
    const panel = list().closest("details");
    if (!panel || panel.open) { field.focus(); return; }
    panel.addEventListener("toggle", () => field.focus(), { once: true });
    panel.open = true;
  }
  function blank(row) { return Array.from(row.querySelectorAll("select, input")).every((field) => !field.value.trim()); }
  function freeRow() {
    const rows = Array.from(list().querySelectorAll(".reason"));
    return rows.find(blank) || (rows.length < 20 ? another(rows) : null);
  }
  function another(rows) {
    const last = rows[rows.length - 1], number = rows.length, copy = last.cloneNode(true);
    [copy, ...copy.querySelectorAll("*")].forEach((element) => {
      ["id", "name", "for"].forEach((name) => {
        if (element.hasAttribute(name)) element.setAttribute(name, element.getAttribute(name).replace(/^reason-\d+-/, `reason-${number}-`));
      });
      if (element.matches("select, input")) element.value = "";
      if (element.matches("label")) element.textContent = element.textContent.replace(/第 \d+ 条/, `第 ${number + 1} 条`);
    });
    copy.setAttribute("aria-label", `第 ${number + 1} 条`);
    copy.querySelector(".reason-number").textContent = number + 1;
    last.after(copy);
    return copy;
  }

  /* --- mouse, finger, keys -------------------------------------------------------------------------------------------- */
  const onStage = (event) => marking && marking.viewer.stage.contains(event.target);
  document.addEventListener("pointerdown", (event) => {
    if (!onStage(event) || event.button > 0) return;
    const { viewer } = marking;
    if (marking.page !== viewer.page) { end(); return; }
    if (marking.pointer !== null) { // a second finger means to move and zoom: the viewer takes over both
      viewer.pointers.set(marking.pointer, marking.from);
      marking.pointer = null;
      return;
    }
    if (viewer.pointers.size) return;
    event.preventDefault();
    event.stopPropagation();
    viewer.stage.setPointerCapture(event.pointerId);
    marking.pointer = event.pointerId;
    marking.from = viewer.place(event);
    marking.a = marking.b = viewer.shareAt(marking.from);
    shape();
  }, true);
  document.addEventListener("pointermove", (event) => {
    if (!marking || marking.pointer !== event.pointerId) return;
    event.stopPropagation();
    marking.b = marking.viewer.shareAt(marking.viewer.place(event));
    shape();
  }, true);
  document.addEventListener("pointerup", (event) => {
    if (!marking || marking.pointer !== event.pointerId) return;
    event.stopPropagation();
    marking.pointer = null;
    accept();
  }, true);
  document.addEventListener("pointercancel", (event) => { if (marking && marking.pointer === event.pointerId) marking.pointer = null; }, true);
  document.addEventListener("keydown", (event) => {
    if (!marking || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target !== document.body && !marking.viewer.stage.contains(event.target)) return;
    const way = KEYS[event.key];
    if (marking.page !== marking.viewer.page) { end(); return; }
    if (!way && event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.key === "Escape") { end(); return; }
    if (event.key === "Enter") { accept(); return; }
    const by = marking.viewer.alongPage(way[0], way[1]), step = event.shiftKey ? STEP : event.repeat ? STEP : FINE * 2;
    const moved = (corner) => ({ x: clamp(corner.x + by.x * step), y: clamp(corner.y + by.y * step) });
    if (!event.shiftKey) marking.a = moved(marking.a);
    marking.b = moved(marking.b);
    shape();
  }, true);
  document.addEventListener("click", (event) => { if (event.target.closest("[data-mark-start]")) begin(); });
  document.addEventListener("htmx:afterSettle", draw);
  draw();
})();
