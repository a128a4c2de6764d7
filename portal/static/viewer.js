/* The scan viewer of macros/desk.html: one page at a time, moved, zoomed and turned by a CSS transform alone.
   The picture itself is never altered, and nothing but the person's own act changes what is shown. */
(function () {
  "use strict";

  const EDGE = 8, STEP = 1.25, MOST = 8, SETTLED = 120; // pixels, factor, factor, milliseconds

  /* Whole page or page width: the person's last choice holds on the next case. Width first, since it can be read. */
  function preferred() { try { return localStorage.getItem("viewer-mode") === "fit" ? "fit" : "width"; } catch (_) { return "width"; } }
  function prefer(mode) { try { localStorage.setItem("viewer-mode", mode); } catch (_) { /* storage may be off */ } }

  /* Bring a tab into the strip of tabs, and leave the page where it stands: scrollIntoView() would move that too. */
  function intoStrip(tab) {
    const strip = tab.parentElement, room = strip.getBoundingClientRect(), at = tab.getBoundingClientRect();
    strip.scrollLeft += Math.min(0, at.left - room.left) || Math.max(0, at.right - room.right);
  }

  class Viewer {
    constructor(root) {
      this.root = root;
      root.viewer = this; // for marks.js and compare.js
      this.stage = root.querySelector("[data-viewer-stage]");
      this.files = Array.from(root.querySelectorAll("[data-file]"));
      this.views = new WeakMap(); // page -> {x, y, scale, turn, mode}: coming back to a page finds it as it was left
      this.pointers = new Map();
      this.root.classList.add("is-live");
      this.listen();
      const wanted = this.files.find((file) => "#" + file.id === location.hash);
      this.show(wanted || this.files[0], 1);
    }

    get pages() { return Array.from(this.file.querySelectorAll("[data-page]")); }
    get image() { return this.page.querySelector("img"); }
    get view() { return this.views.get(this.page); }
    get size() { return { width: this.image.naturalWidth, height: this.image.naturalHeight }; }
    get turned() { return this.view.turn % 180 !== 0; }

    show(file, number) {
      this.file = file;
      const pages = this.pages;
      this.page = pages[Math.min(Math.max(number, 1), pages.length) - 1];
      if (!this.views.has(this.page)) this.views.set(this.page, { x: 0, y: 0, scale: 0, turn: 0, mode: preferred() });
      this.files.forEach((other) => other.classList.toggle("is-shown", other === file));
      pages.forEach((other) => other.classList.toggle("is-shown", other === this.page));
      this.root.querySelectorAll("[data-viewer-file]").forEach((tab) => {
        if (tab.dataset.viewerFile === file.dataset.file) { tab.setAttribute("aria-current", "true"); intoStrip(tab); }
        else tab.removeAttribute("aria-current");
      });
      this.root.querySelectorAll("[data-foot]").forEach((foot) => { foot.hidden = foot.dataset.foot !== file.dataset.file; });
      this.root.querySelector("[data-viewer-position]").textContent = number > 0 ? pages.indexOf(this.page) + 1 + " / " + pages.length : "";
      const image = this.image;
      image.loading = "eager";
      if (image.complete && image.naturalWidth) this.loaded();
      else image.addEventListener("load", () => this.loaded(), { once: true });
      if (image.complete && !image.naturalWidth) this.failed();
      else image.addEventListener("error", () => this.failed(), { once: true });
    }

    loaded() {
      if (!this.image.naturalWidth) return; // another page was chosen meanwhile
      this.clearFailure();
      if (this.view.mode !== "free" || !this.view.scale) this.fit(this.view.mode);
      else this.draw();
      if (this.pendingBox) { const box = this.pendingBox; this.pendingBox = null; this.frame(box); }
      const after = this.pages[this.pages.indexOf(this.page) + 1]; // only the next page is fetched ahead
      if (after) after.querySelector("img").loading = "eager";
    }

    failed() {
      this.clearFailure();
      const note = document.createElement("p");
      note.className = "viewer-failed";
      note.textContent = "这一页没有显示出来。请检查网络后刷新页面。";
      this.stage.append(note);
    }
    clearFailure() { this.stage.querySelectorAll(".viewer-failed").forEach((note) => note.remove()); }

    /* Width and height that the turned page takes on the stage at a scale. */
    box(scale) {
      const { width, height } = this.size;
      return this.turned ? { width: height * scale, height: width * scale } : { width: width * scale, height: height * scale };
    }

    fit(mode) {
      const flat = this.box(1);
      const byWidth = (this.stage.clientWidth - 2 * EDGE) / flat.width;
      const byHeight = (this.stage.clientHeight - 2 * EDGE) / flat.height;
      Object.assign(this.view, { mode, scale: mode === "width" ? byWidth : Math.min(byWidth, byHeight), x: EDGE, y: EDGE });
      this.draw();
    }

    zoom(factor, at) {
      const view = this.view;
      const point = at || { x: this.stage.clientWidth / 2, y: this.stage.clientHeight / 2 };
      const flat = this.box(1);
      const least = Math.min(this.stage.clientWidth / flat.width, this.stage.clientHeight / flat.height) / 3;
      const scale = Math.min(Math.max(view.scale * factor, least), MOST);
      const real = scale / view.scale;
      Object.assign(view, { mode: "free", scale, x: point.x - (point.x - view.x) * real, y: point.y - (point.y - view.y) * real });
      this.draw();
    }

    turn(degrees) {
      const view = this.view;
      view.turn = (view.turn + degrees + 360) % 360;
      this.fit(view.mode === "width" ? "width" : "fit");
    }

    move(dx, dy) { Object.assign(this.view, { mode: "free", x: this.view.x + dx, y: this.view.y + dy }); this.draw(); }

    /* A page smaller than the stage stands in its middle; a larger one cannot be pushed out of sight. */
    draw() {
      const view = this.view;
      if (!view.scale || !this.size.width) return;
      const box = this.box(view.scale);
      const keep = (place, length, room) => length <= room ? (room - length) / 2 : Math.min(EDGE * 4, Math.max(room - length - EDGE * 4, place));
      view.x = keep(view.x, box.width, this.stage.clientWidth);
      view.y = keep(view.y, box.height, this.stage.clientHeight);
      const width = this.size.width * view.scale, height = this.size.height * view.scale;
      // Rotation is about the upper left corner: bring the turned box back to (x, y).
      const shift = { 0: [0, 0], 90: [height, 0], 180: [width, height], 270: [0, width] }[view.turn];
      this.page.style.width = width + "px";
      this.page.style.height = height + "px";
      this.page.style.transform = `translate(${view.x + shift[0]}px, ${view.y + shift[1]}px) rotate(${view.turn}deg)`;
      this.root.querySelector("[data-viewer-zoom]").textContent = Math.round(view.scale * 100) + "%";
      this.page.dataset.turn = view.turn;
      if (this.drawn) this.drawn();
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.sharpen(), SETTLED);
    }

    /* Browsers make a picture small by leaving pixels out, which costs Chinese characters their thin strokes. A copy that
       is scaled carefully lies over the picture once the person has stopped zooming. */
    async sharpen() {
      const page = this.page, image = this.image;
      const width = Math.round(page.clientWidth * devicePixelRatio), height = Math.round(page.clientHeight * devicePixelRatio);
      let copy = page.querySelector("canvas");
      if (copy && copy.width === width && copy.height === height) return;
      if (width < 1 || height < 1 || width >= image.naturalWidth || !window.createImageBitmap) { if (copy) copy.remove(); return; }
      try {
        const small = await createImageBitmap(image, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
        if (Math.round(page.clientWidth * devicePixelRatio) !== width) return; // zoomed again meanwhile
        copy = page.querySelector("canvas");
        if (!copy) { copy = document.createElement("canvas"); copy.setAttribute("aria-hidden", "true"); image.after(copy); }
        Object.assign(copy, { width, height });
        copy.getContext("2d").drawImage(small, 0, 0);
        small.close();
      } catch (_) { if (copy) copy.remove(); } // the picture itself is there
    }

    /* box: [left, top, width, height] as fractions of the page. The frame is a child of the page: it turns with it. */
    frame(box) {
      this.root.querySelectorAll(".viewer-frame").forEach((old) => old.remove());
      const [left, top, width, height] = box;
      const mark = document.createElement("div");
      mark.className = "viewer-frame";
      Object.assign(mark.style, { left: left * 100 + "%", top: top * 100 + "%", width: width * 100 + "%", height: height * 100 + "%" });
      this.page.append(mark);
      const { width: w, height: h } = this.size;
      const room = { x: this.stage.clientWidth, y: this.stage.clientHeight };
      const [bw, bh] = this.turned ? [height * h, width * w] : [width * w, height * h];
      const scale = Math.min(room.x * 0.8 / bw, room.y * 0.5 / bh, 2);
      const cx = (left + width / 2) * w * scale, cy = (top + height / 2) * h * scale, fw = w * scale, fh = h * scale;
      const centre = { 0: [cx, cy], 90: [fh - cy, cx], 180: [fw - cx, fh - cy], 270: [cy, fw - cx] }[this.view.turn];
      Object.assign(this.view, { mode: "free", scale, x: room.x / 2 - centre[0], y: room.y / 2 - centre[1] });
      this.draw();
    }

    act(name) {
      const pages = this.pages, at = pages.indexOf(this.page), which = this.files.indexOf(this.file);
      if (name === "page-on") { if (at + 1 < pages.length) this.show(this.file, at + 2); else if (this.files[which + 1]) this.show(this.files[which + 1], 1); }
      else if (name === "page-back") { if (at > 0) this.show(this.file, at); else if (which > 0) this.show(this.files[which - 1], Infinity); }
      else if (name === "file-on") { if (this.files[which + 1]) this.show(this.files[which + 1], 1); }
      else if (name === "file-back") { if (which > 0) this.show(this.files[which - 1], 1); }
      else if (!this.size.width) return;
      else if (name === "zoom-in") this.zoom(STEP);
      else if (name === "zoom-out") this.zoom(1 / STEP);
      else if (name === "left") this.turn(-90);
      else if (name === "right") this.turn(90);
      else { this.fit(name); prefer(name); } // "fit" or "width"
    }

    /* A point of the stage in shares of the unturned page, and a direction on the stage as one on the page. */
    shareAt(point) {
      const view = this.view, width = this.size.width * view.scale, height = this.size.height * view.scale;
      const x = point.x - view.x, y = point.y - view.y;
      const at = { 0: [x, y], 90: [y, height - x], 180: [width - x, height - y], 270: [width - y, x] }[view.turn];
      return { x: at[0] / width, y: at[1] / height };
    }
    alongPage(x, y) {
      const way = { 0: [x, y], 90: [y, -x], 180: [-x, -y], 270: [-y, x] }[this.view.turn];
      return { x: way[0], y: way[1] };
    }

    place(event) {
      const edge = this.stage.getBoundingClientRect();
      return { x: event.clientX - edge.left, y: event.clientY - edge.top };
    }

    listen() {
      const stage = this.stage;
      stage.addEventListener("wheel", (event) => {
        event.preventDefault();
        const unit = event.deltaMode ? 30 : 1; // some browsers count lines, not pixels
        // As in a PDF reader: the wheel moves, with Ctrl (which is also a pinch on a touch pad) it zooms.
        if (event.ctrlKey) this.zoom(Math.exp(-event.deltaY * unit * 0.002), this.place(event));
        else if (event.shiftKey) this.move(-event.deltaY * unit, 0);
        else this.move(-event.deltaX * unit, -event.deltaY * unit);
      }, { passive: false });
      stage.addEventListener("dblclick", (event) => { if (this.view.mode !== "free") this.zoom(2, this.place(event)); else this.fit(preferred()); });
      stage.addEventListener("pointerdown", (event) => {
        if (event.button > 0) return;
        stage.setPointerCapture(event.pointerId);
        this.pointers.set(event.pointerId, this.place(event));
        stage.classList.add("is-held");
      });
      stage.addEventListener("pointermove", (event) => this.drag(event));
      ["pointerup", "pointercancel"].forEach((name) => stage.addEventListener(name, (event) => {
        this.pointers.delete(event.pointerId);
        if (!this.pointers.size) stage.classList.remove("is-held");
      }));
      stage.addEventListener("keydown", (event) => {
        const way = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] }[event.key];
        if (!way || event.ctrlKey || event.altKey || event.shiftKey) return;
        event.preventDefault();
        this.move(...way);
      });
      new ResizeObserver(() => { if (this.size.width && this.view.scale) { if (this.view.mode === "free") this.draw(); else this.fit(this.view.mode); } }).observe(stage);
    }

    /* One pointer moves the page; two move, and zoom about their middle. */
    drag(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const now = this.place(event);
      const other = Array.from(this.pointers.entries()).find(([id]) => id !== event.pointerId);
      this.pointers.set(event.pointerId, now);
      if (!other) { this.move(now.x - before.x, now.y - before.y); return; }
      const rest = other[1], reach = (point) => Math.hypot(point.x - rest.x, point.y - rest.y) || 1;
      this.move((now.x - before.x) / 2, (now.y - before.y) / 2);
      this.zoom(reach(now) / reach(before), { x: (now.x + rest.x) / 2, y: (now.y + rest.y) / 2 });
    }
  }

  const viewers = new WeakMap();
  function viewerOf(root) {
    if (root && !viewers.has(root) && root.querySelector("[data-file] [data-page]")) viewers.set(root, new Viewer(root));
    return root && viewers.get(root);
  }
  const start = (scope) => scope.querySelectorAll("[data-viewer]").forEach(viewerOf);
  start(document);
  document.addEventListener("htmx:afterSettle", () => start(document));

  document.addEventListener("click", (event) => {
    const tool = event.target.closest("[data-viewer-act]");
    const tab = event.target.closest("[data-viewer-file]");
    const place = event.target.closest("[data-show-file]");
    const viewer = viewerOf((tool || tab || event.target).closest("[data-viewer]") || (place && document.querySelector("[data-viewer]")));
    if (!viewer) return;
    if (tool) viewer.act(tool.dataset.viewerAct);
    else if (tab) { event.preventDefault(); viewer.show(viewer.files.find((file) => file.dataset.file === tab.dataset.viewerFile), 1); }
    else if (place) {
      const file = viewer.files.find((one) => one.dataset.file === place.dataset.showFile);
      if (!file) return;
      event.preventDefault();
      const box = place.dataset.showBox ? place.dataset.showBox.split(",").map(Number) : null;
      viewer.pendingBox = box;
      viewer.show(file, Number(place.dataset.showPage || 1));
      viewer.root.scrollIntoView({ block: "nearest" });
    }
  });
})();
