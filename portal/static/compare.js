/* Old beside new: both viewers move, zoom and turn together; on wish they stand in one place and alternate. */
(function () {
  "use strict";

  const desk = document.querySelector("[data-compare]");
  if (!desk) return;
  const [old, fresh] = Array.from(desk.querySelectorAll("[data-viewer]")).map((root) => root.viewer);
  if (!old || !fresh) return;
  let following = false;

  /* The other shows the same part: the page at the same width, at the same place. */
  function follow(leader, other) {
    if (following || !other.size.width || !leader.view.scale) return;
    following = true;
    const page = Number(leader.page.dataset.page);
    if (Number(other.page.dataset.page) !== page && other.pages[page - 1]) other.show(other.file, page);
    const { x, y, scale, turn, mode } = leader.view;
    other.view.turn = turn;
    if (mode === "free") { Object.assign(other.view, { mode, x, y, scale: scale * leader.size.width / other.size.width }); other.draw(); }
    else other.fit(mode);
    following = false;
  }
  old.drawn = () => follow(old, fresh);
  fresh.drawn = () => follow(fresh, old);

  const said = document.querySelector("[data-compare-said]");
  function alternate(top) {
    desk.classList.add("is-flicker");
    [old, fresh].forEach((one) => one.root.classList.toggle("is-under", one !== top));
    said.textContent = "现在看：" + top.root.getAttribute("aria-label");
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-compare-flip]")) alternate(!desk.classList.contains("is-flicker") || fresh.root.classList.contains("is-under") ? fresh : old);
    else if (event.target.closest("[data-compare-beside]")) {
      desk.classList.remove("is-flicker");
      [old, fresh].forEach((one) => one.root.classList.remove("is-under"));
      said.textContent = "";
    }
  });
})();
