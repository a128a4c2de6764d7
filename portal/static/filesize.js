/* Files that are larger than may be, told before they are sent: size, limit, what to do. A file field names its limit in
   data-most-bytes and the way out in data-too-large. Without scripts the server answers the same at the field. */
(function () {
  "use strict";

  const MEGABYTE = 1048576;
  function inWords(bytes) {
    return (bytes % MEGABYTE ? (Math.ceil(bytes / MEGABYTE * 10) / 10).toFixed(1) : bytes / MEGABYTE) + " MB";
  }

  /* Why this file cannot go through this field, "" where it can. */
  function tooLarge(field, file) {
    const most = Number(field && field.dataset.mostBytes);
    if (!most || file.size <= most) return "";
    return "文件 " + inWords(file.size) + "，超过 " + inWords(most) + " 的上限；" + field.dataset.tooLarge;
  }
  window.fileTooLarge = tooLarge;

  function tell(field) {
    const old = field.parentElement.querySelector("[data-size-told]");
    if (old) old.remove();
    const why = Array.from(field.files).map((file) => tooLarge(field, file)).find(Boolean) || "";
    field.classList.toggle("is-invalid", Boolean(why));
    if (!why) { field.removeAttribute("aria-invalid"); return ""; }
    field.setAttribute("aria-invalid", "true");
    const box = document.createElement("div");
    box.className = "field-error";
    box.dataset.sizeTold = "";
    box.setAttribute("role", "alert");
    box.append(Object.assign(document.createElement("p"), { textContent: why }));
    field.insertAdjacentElement("afterend", box);
    return why;
  }

  /* Slots and the camera tell it in their own place. */
  const ours = (field) => field.type === "file" && field.dataset.mostBytes && !field.closest("[data-upload], [data-capture]");
  document.addEventListener("change", (event) => { if (ours(event.target)) tell(event.target); });
  document.addEventListener("submit", (event) => {
    const field = Array.from(event.target.elements).find((one) => ours(one) && one.files.length && tell(one));
    if (!field) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    field.focus();
  }, true);
})();
