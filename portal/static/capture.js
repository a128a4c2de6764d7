/* The camera page: live picture with a frame, shutter, look, use or again, and the verdict while the paper still lies there.

   Where scripts can open no camera (no https, no permission, no such thing) the plain form stays, with the phone's own
   camera behind its file field. Pictures are drawn on a canvas: no blob: address, so the page's policy stays as it is. */
(function () {
  "use strict";

  const page = document.querySelector("[data-capture]");
  if (!page) return;
  const part = (name) => page.querySelector("[data-" + name + "]");
  const stage = part("stage"), video = part("video"), frame = part("frame"), shot = part("shot");
  const told = part("told"), form = part("form"), file = part("file"), instead = part("instead");
  const rows = { live: part("live"), review: part("review"), done: part("done") };
  let stream = null, camera = null, picture = null, sending = false;

  function show(which) {
    Object.entries(rows).forEach(([name, row]) => { row.hidden = name !== which; });
    const looking = which === "review" || which === "done";
    shot.hidden = !looking;
    video.hidden = looking;
    frame.hidden = looking;
  }

  function tell(tone, title, lines) {
    const box = document.createElement("div");
    box.className = "notice notice-" + tone;
    const body = document.createElement("div");
    const head = document.createElement("p");
    head.className = "notice-title";
    head.textContent = title;
    body.append(head, ...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    box.append(body);
    told.replaceChildren(box);
  }

  async function open() {
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: { ideal: "environment" }, width: { ideal: 3840 }, height: { ideal: 2160 } },
      });
    } catch (_) { return; }
    part("shutter").disabled = true;
    video.addEventListener("loadeddata", () => { part("shutter").disabled = false; }, { once: true });
    video.srcObject = stream;
    const track = stream.getVideoTracks()[0];
    camera = "ImageCapture" in window ? new ImageCapture(track) : null;
    track.addEventListener("ended", close);
    document.body.classList.add("has-camera");
    stage.hidden = false;
    show("live");
  }
  function close() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = camera = null;
    stage.hidden = true;
    Object.values(rows).forEach((row) => { row.hidden = true; });
    document.body.classList.remove("has-camera");
  }

  /* A still has more pixels than the live picture; not every camera gives one, and some never answer. */
  function still() {
    if (!camera) return Promise.resolve(null);
    const late = new Promise((done) => setTimeout(done, 4000, null));
    return Promise.race([camera.takePhoto().catch(() => null), late]);
  }
  function draw(source, width, height) {
    shot.width = width;
    shot.height = height;
    shot.getContext("2d").drawImage(source, 0, 0, width, height);
  }
  function encoded() {
    return new Promise((done) => shot.toBlob(done, "image/jpeg", 0.92));
  }
  async function take() {
    const button = part("shutter");
    button.disabled = true;
    let taken = await still();
    try {
      if (taken) {
        const drawn = await createImageBitmap(taken);
        draw(drawn, drawn.width, drawn.height);
      }
    } catch (_) { taken = null; }
    if (!taken) {
      draw(video, video.videoWidth, video.videoHeight);
      taken = await encoded();
    }
    picture = taken;
    button.disabled = false;
    told.replaceChildren();
    show("review");
    part("use").focus();
  }

  function answered(status, data) {
    sending = false;
    if (status >= 200 && status < 300) {
      instead.value = data.again ? data.file : "";
      tell(data.tone, data.title, data.messages);
      part("more").querySelector("span").textContent = data.again ? "重拍" : "再拍一张";
      picture = null;
      if (stream) show("done");
      return;
    }
    if (data.over) {
      tell("paused", data.message, ["已传的照片不受影响。还要拍的，请在电脑上重新点“用手机拍”。"]);
      close();
      form.hidden = true;
      return;
    }
    tell("late", "没有收下", [data.message || "没有收下这张照片，请再试一次"]);
    if (stream) show(picture ? "review" : "live");
  }

  async function send(blob, name) {
    if (sending || !blob) return;
    const large = window.fileTooLarge(file, blob);
    if (large) { tell("late", "没有收下", [large]); return; }
    sending = true;
    tell("paused", "正在上传和检查画面…", ["请先不要移开纸张"]);
    const data = new FormData(form);
    data.delete("files");
    data.append("files", blob, name);
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, headers: { "X-Requested-With": "capture" } });
      let body = {};
      try { body = await answer.json(); } catch (_) { body = { message: answer.status === 413 ? "照片超过 25 MB 的上限，请在相机设置里降低照片分辨率后重拍" : "" }; }
      answered(answer.redirected ? 401 : answer.status, answer.redirected ? { message: "登录已失效，请重新登录" } : body);
    } catch (_) {
      answered(0, { message: "网络断开，照片还在，请再点“用这张”" });
    }
  }

  part("shutter").addEventListener("click", take);
  part("again").addEventListener("click", () => { picture = null; show("live"); });
  part("more").addEventListener("click", () => { told.replaceChildren(); show("live"); });
  part("use").addEventListener("click", () => send(picture, "拍照.jpg"));
  part("shape").addEventListener("click", () => {
    const booklet = frame.classList.toggle("is-booklet");
    frame.classList.toggle("is-sheet", !booklet);
    part("shape").querySelector("span").textContent = booklet ? "整页框" : "户口簿框";
  });
  file.addEventListener("change", () => {
    if (!file.files.length) return;
    const chosen = file.files[0];
    file.value = "";
    send(chosen, chosen.name || "照片.jpg");
  });
  window.addEventListener("pagehide", () => { if (stream) stream.getTracks().forEach((track) => track.stop()); });

  /* The time that is left of a handover, counted down here between the server's own words. */
  const left = part("left");
  let seconds = Number(page.dataset.seconds);
  if (left && seconds) {
    const clock = setInterval(() => {
      seconds -= 1;
      if (seconds < 0) {
        clearInterval(clock);
        close();
        form.hidden = true;
        tell("paused", "时间到，拍照已结束", ["还要拍的，请在电脑上重新点“用手机拍”"]);
        return;
      }
      left.textContent = Math.floor(seconds / 60) + " 分 " + String(seconds % 60).padStart(2, "0") + " 秒";
    }, 1000);
  }

  open();
})();
