"use strict";

const pageToken = document.querySelector("meta[name=page-token]").content;
const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);
const keys = { n: "outside", c: "uncertain" };
document.querySelectorAll(".labels button").forEach((button, place) => {
  if (place < 10) keys[String(place)] = button.dataset.label;
});

async function ask(path, method = "GET", body = undefined) {
  const headers = { "X-Trendscope-Token": pageToken };
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body });
  } catch {
    throw new Error("The desk does not answer; is it still running?");
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error || `The desk said no (${answer.status}).`);
  return found;
}

let quiet;
function say(text) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(quiet);
  quiet = setTimeout(() => place.classList.remove("shown"), 4000);
}

const label = (sha256, category) =>
  category
    ? ask(`/api/photos/${sha256}/label`, "PUT", JSON.stringify({ category }))
    : ask(`/api/photos/${sha256}/label`, "DELETE");
const words = { outside: "none of the ten", uncertain: "cannot be told" };
const shown = (category) => words[category] || category.replaceAll("|", " and ");

function showTop(list, top) {
  list.replaceChildren(
    ...top.map(([category, share]) => {
      const line = document.createElement("li");
      const [name, track, number] = ["span", "span", "span"].map((tag) => document.createElement(tag));
      const bar = document.createElement("span");
      track.className = "track";
      number.className = "number";
      name.textContent = category;
      number.textContent = percent(share);
      bar.style.width = `${100 * share}%`;
      bar.style.background = "var(--accent)";
      track.append(bar);
      line.append(name, track, number);
      return line;
    }),
  );
}

// --- Try ---

function setUpTry() {
  const input = document.getElementById("files");
  input.addEventListener("change", () => input.files.length && upload(input.files));
  const holds = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  addEventListener("drop", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    document.body.classList.remove("dragging");
    if (event.dataTransfer.files.length) upload(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) upload(event.clipboardData.files);
  });
}

let current = 0;
async function upload(files) {
  const mine = ++current;
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  document.getElementById("trial").hidden = false;
  document.getElementById("trial-failure").hidden = true;
  document.getElementById("verdicts").replaceChildren();
  progress(0, files.length, "Uploading…");
  try {
    let trial = await ask("/api/try", "POST", form);
    for (let wait = 60; mine === current; wait = Math.min(600, wait * 1.3)) {
      trial = await ask(`/api/try/${trial.id}`);
      showTrial(trial);
      if (trial.state === "done" || trial.state === "failed") break;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  } catch (error) {
    fail(error.message);
  }
  document.getElementById("files").value = "";
}

function progress(done, total, text) {
  const bar = document.getElementById("progress");
  bar.max = total || 1;
  bar.value = done;
  document.getElementById("progress-words").textContent = text;
}

function fail(text) {
  const place = document.getElementById("trial-failure");
  place.textContent = text;
  place.hidden = false;
  progress(0, 1, "");
}

function showTrial(trial) {
  const list = document.getElementById("verdicts");
  const states = { waiting: "Waiting for its turn…", running: `${trial.done} of ${trial.total} looked at` };
  const named = trial.photos.filter((photo) => photo.verdict === "classified").length;
  const seen = trial.photos.filter((photo) => photo.verdict !== "unreadable").length;
  const end = `${seen} ${seen === 1 ? "photo" : "photos"} looked at, ${named} named`;
  progress(trial.done, trial.total, states[trial.state] || end);
  trial.photos.slice(list.children.length).forEach((photo, place) => {
    list.append(verdict(trial.id, list.children.length, photo));
  });
  if (trial.state === "failed") fail(trial.failure);
  if (trial.state === "done") say(end);
}

function verdict(id, number, photo) {
  const card = document.getElementById("verdict").content.firstElementChild.cloneNode(true);
  const part = (name) => card.querySelector(name);
  const garments = photo.garments.map((garment) => garment.category).join(", ");
  const titles = { uncertain: "Not sure", outside: "None of the ten", unreadable: "Not used" };
  part(".word").textContent = garments || titles[photo.verdict];
  part(".detail").textContent = garments ? `${percent(photo.garments[0].confidence)} certain` : photo.detail;
  part(".name").textContent = photo.path;
  part(".name").title = photo.path;
  showTop(part(".top"), photo.top);
  if (photo.verdict === "unreadable") {
    part(".views").remove();
  } else {
    part(".photo").alt = photo.path;
    part(".photo").src = `/api/try/${id}/${number}/photo.jpg`;
    part(".seen img").src = `/api/try/${id}/${number}/seen.jpg`;
  }
  return card;
}

// --- A customer ---

function setUpCustomer() {
  const dialog = document.getElementById("correct");
  if (!dialog) return;
  let shot;
  document.querySelectorAll(".shot").forEach((button) =>
    button.addEventListener("click", () => {
      shot = button;
      dialog.querySelector("img").src = button.querySelector("img").src;
      dialog.querySelectorAll("[data-label]").forEach((choice) =>
        choice.setAttribute("aria-pressed", choice.dataset.label === button.dataset.label),
      );
      dialog.showModal();
    }),
  );
  const choose = async (category) => {
    try {
      await label(shot.dataset.sha256, category);
      location.reload();
    } catch (error) {
      dialog.close();
      say(error.message);
    }
  };
  dialog.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-label]");
    if (choice) choose(choice.dataset.label);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key in keys && plain(event)) choose(keys[event.key]);
  });
}

const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;

// --- Review ---

function setUpReview() {
  const stage = document.getElementById("review");
  if (!Number(stage.dataset.total)) return;
  let waiting = [];
  let left = Number(stage.dataset.total);
  let skipped = 0;
  let busy = false;
  const done = [];

  async function show() {
    if (!waiting.length && left > skipped) {
      const found = await ask(`/api/review?limit=20&offset=${skipped}`);
      waiting = found.photos;
    }
    const photo = waiting[0];
    stage.hidden = !photo;
    document.getElementById("review-done").hidden = Boolean(photo);
    document.getElementById("left").textContent = left;
    document.getElementById("left-word").textContent = left === 1 ? "photo" : "photos";
    document.getElementById("undo").disabled = !done.length;
    if (!photo) return;
    const picture = document.getElementById("review-photo");
    picture.src = `/api/photos/${photo.sha256}.jpg`;
    picture.alt = `A photo of ${photo.customer}, perhaps ${photo.top[0][0]}`;
    document.getElementById("review-who").textContent = photo.customer;
    document.getElementById("review-when").textContent = photo.posted_at ? photo.posted_at.slice(0, 10) : "no date";
    showTop(document.getElementById("review-top"), photo.top);
  }

  const once = (work) => async () => {
    if (busy) return;
    busy = true;
    try {
      await work();
      await show();
    } catch (error) {
      say(error.message);
    }
    busy = false;
  };
  const choose = (category) =>
    once(async () => {
      const photo = waiting[0];
      if (!photo) return;
      await label(photo.sha256, category);
      waiting.shift();
      done.push({ photo, category });
      left -= 1;
      say(`${shown(category)}: noted. u takes it back.`);
    })();
  const skip = once(async () => {
    if (!waiting.length) return;
    done.push({ photo: waiting.shift(), category: "" });
    skipped += 1;
  });
  const undo = once(async () => {
    const last = done.pop();
    if (!last) return;
    if (last.category) {
      await label(last.photo.sha256, "");
      left += 1;
      say("Taken back.");
    } else {
      skipped -= 1;
    }
    waiting.unshift(last.photo);
  });

  stage.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-label]");
    if (choice) choose(choice.dataset.label);
  });
  document.getElementById("skip").addEventListener("click", skip);
  document.getElementById("undo").addEventListener("click", undo);
  document.getElementById("undo-last").addEventListener("click", undo);
  addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    if (event.key in keys) choose(keys[event.key]);
    else if (event.key === "s") skip();
    else if (event.key === "u") undo();
  });
  once(async () => {})();
}

// --- Catalogue ---

function setUpCatalogue() {
  const form = document.getElementById("add");
  const dialog = document.getElementById("decide");
  let sku;
  dialog.querySelector("[data-label=uncertain]").hidden = true;

  const decide = async (category) => {
    try {
      const wanted = category === "outside" ? "none" : category;
      const body = JSON.stringify({ sku, category: wanted });
      await ask("/api/catalog", "PUT", body);
      location.reload();
    } catch (error) {
      dialog.close();
      say(error.message);
    }
  };
  const open = (wanted, picture) => {
    sku = wanted;
    const image = dialog.querySelector("img");
    image.hidden = !picture;
    if (picture) image.src = picture.src;
    dialog.showModal();
  };
  dialog.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-label]");
    if (choice) decide(choice.dataset.label);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key in keys && event.key !== "c" && plain(event)) decide(keys[event.key]);
  });
  document.querySelectorAll(".item .change").forEach((button) => {
    const item = button.closest(".item");
    button.addEventListener("click", () => open(item.dataset.sku, item.querySelector("img")));
  });

  form.files.addEventListener("change", () => {
    const [file] = form.files.files;
    const preview = document.getElementById("preview");
    preview.hidden = !file;
    document.getElementById("choose").hidden = Boolean(file);
    if (file) preview.src = URL.createObjectURL(file);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const [item] = (await ask("/api/catalog", "POST", new FormData(form))).items;
      const place = document.getElementById("added");
      sku = item.sku;
      place.hidden = false;
      document.getElementById("added-word").textContent = `${item.sku}: ${item.category || "not sure"}`;
      document.getElementById("added-why").textContent = item.review || item.because;
      showTop(document.getElementById("added-top"), item.top || []);
      const confirm = document.getElementById("confirm");
      const best = item.category || (item.top && item.top[0][0]);
      confirm.hidden = !best;
      confirm.textContent = `Confirm ${best}`;
      confirm.onclick = () => decide(best);
      confirm.focus();
    } catch (error) {
      say(error.message);
    }
    button.disabled = false;
  });
  document.getElementById("change").addEventListener("click", () => open(sku, document.getElementById("preview").hidden ? null : document.getElementById("preview")));
}

const rooms = { catalogue: setUpCatalogue, try: setUpTry, customer: setUpCustomer, review: setUpReview };
(rooms[document.body.className] || (() => {}))();
