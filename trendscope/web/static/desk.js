"use strict";

const pageToken = document.querySelector("meta[name=page-token]").content;
const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);
// As trendscope.text.day has it: 3 May 2026.
const day = (time) => (time ? new Date(time).toUTCString().slice(5, 16).replace(/^0/, "") : "no date");
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
  if (!answer.ok) {
    const error = new Error(found.error || `The desk said no (${answer.status}).`);
    throw Object.assign(error, { status: answer.status });
  }
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

// --- What can be taken back: it is offered on the page that comes after the change ---

let change = JSON.parse(sessionStorage.getItem("change") || "null");
sessionStorage.removeItem("change");

function changed(text, { undo }, address = location.href) {
  sessionStorage.setItem("change", JSON.stringify({ text, undo }));
  if (address === location.href) location.reload();
  else location.assign(address);
}

async function takeBack() {
  if (!change?.undo) return;
  const { undo } = change;
  change = null;
  try {
    await ask(`/api/undo/${undo}`, "POST");
    changed("Taken back.", {});
  } catch (error) {
    say(error.message);
  }
}

function offerUndo(text, undo) {
  change = { text, undo };
  say(text);
  if (!undo) return;
  clearTimeout(quiet); // It stays until another page or another change.
  const button = document.createElement("button");
  const key = document.createElement("kbd");
  key.textContent = "u";
  button.type = "button";
  button.append("Undo ", key);
  button.addEventListener("click", takeBack);
  document.getElementById("said").append(" ", button);
}

// What a person says of a photo: { category }, { garments }, or null to take it back.
const label = (sha256, said) =>
  said
    ? ask(`/api/photos/${sha256}/label`, "PUT", JSON.stringify(said))
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

// --- Boxes over a photo, laid out as trendscope/reports/boxes.py does it for reports ---

const colors = JSON.parse(document.querySelector("meta[name=category-colors]").content);
const TAG = 12;
const LETTER = 6;

function shape(name, attributes, text = "") {
  const it = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => it.setAttribute(key, value));
  it.textContent = text;
  return it;
}

const rectangle = ([x, y, width, height], more) => shape("rect", { x, y, width, height, rx: 2, ...more });
const within = (at, low, high) => Math.max(low, Math.min(at, high));
const overlap = (one, other) =>
  [0, 1].every((axis) => one[axis] < other[axis] + other[axis + 2] && other[axis] < one[axis] + one[axis + 2]);

function tagPlace([x, y, width, height], name, taken, [right, bottom]) {
  const across = Math.min(LETTER * name.length + 6, right);
  const columns = [x, x + width - across].map((at) => within(at, 0, right - across));
  const lowest = bottom - TAG;
  const rows = [y - TAG, y, y + height].filter((at) => at >= 0 && at <= lowest);
  const others = Array.from({ length: Math.max(0, Math.floor(lowest / 2) + 1) }, (_, row) => 2 * row);
  others.sort((one, other) => Math.abs(one - y) - Math.abs(other - y));
  for (const row of [...rows, ...others]) {
    for (const column of columns) {
      const place = [column, row, across, TAG];
      if (!taken.some((other) => overlap(place, other))) return place;
    }
  }
  return [columns[0], 0, across, TAG];
}

// Draws over the picture in `frame`. Garments: category, box, and if wanted sure, chosen, press.
function drawBoxes(frame, size, garments, longest = 168) {
  frame.querySelector("svg")?.remove();
  const boxed = garments.filter((garment) => garment.box);
  if (!size || !boxed.length) return;
  const scale = longest / Math.max(...size);
  const [width, height] = size.map((side) => side * scale);
  const drawing = shape("svg", { viewBox: `0 0 ${width} ${height}` });
  const tags = [];
  const drawn = boxed.map((garment) => {
    const [x0, y0, x1, y1] = garment.box.map((at, axis) => {
      const side = axis % 2 ? height : width;
      const edge = Math.min(2, side) / 2;
      return within(at * scale, edge, side - edge);
    });
    const box = [x0, y0, x1 - x0, y1 - y0];
    const sure = garment.sure !== false;
    const name = garment.category.split("/")[0] + (sure ? "" : "?");
    const tag = tagPlace(box, name, tags, [width, height]);
    tags.push(tag);
    return { ...garment, box, tag, sure, name, color: colors[garment.category] };
  });
  // Small boxes lie over large ones, so that each can be pressed; names lie over all.
  const area = ({ box }) => box[2] * box[3];
  const largestFirst = [...drawn].sort((one, other) => area(other) - area(one));
  const press = (garment) => {
    const it = shape("g", garment.press ? { class: "pressable" } : {});
    if (garment.press) it.addEventListener("click", garment.press);
    drawing.append(it);
    return it;
  };
  for (const garment of largestFirst) {
    const dashes = garment.sure ? {} : { "stroke-dasharray": "5 3" };
    const line = { fill: garment.color, "fill-opacity": garment.chosen ? 0.35 : 0, "pointer-events": "all" };
    press(garment).append(
      rectangle(garment.box, { fill: "none", stroke: "#fff", "stroke-opacity": 0.7, "stroke-width": 3.5 }),
      rectangle(garment.box, { ...line, ...dashes, stroke: garment.color, "stroke-width": 2 }),
    );
  }
  for (const garment of drawn) {
    const [x, y, across] = garment.tag;
    const words = { x: x + across / 2 + 1.5, y: y + 9.3, "font-size": 10, "text-anchor": "middle", fill: "#1d1d1b" };
    press(garment).append(
      rectangle(garment.tag, { fill: "#fff", "fill-opacity": 0.92 }),
      rectangle([x, y, 3, TAG], { rx: 0, fill: garment.color }),
      shape("text", words, garment.name),
    );
  }
  drawing.setAttribute("aria-hidden", "true"); // The garments are listed beside it.
  frame.append(drawing);
}

// Size of a drawing in which its letters can be read, however large it is shown.
const lettering = (frame) => Math.max(240, frame.clientWidth / 1.3);

// Pictures of garments, cut out of their photo.
const crops = (href, [width, height], garments) =>
  garments
    .filter(({ box }) => box)
    .map(({ category, box: [x0, y0, x1, y1] }) => {
      const crop = shape("svg", { viewBox: `${x0} ${y0} ${x1 - x0} ${y1 - y0}`, role: "img", "aria-label": category });
      crop.append(shape("image", { href, width, height }));
      crop.style.borderColor = colors[category];
      return crop;
    });

// Several candidates of one place are one garment of which the first is the likeliest.
const likeliest = (candidates) =>
  candidates.filter((candidate, place) => candidates.findIndex((it) => same(it.box, candidate.box)) === place);
const same = (one, other) => String(one) === String(other);

// --- The garments of a photo, named, renamed, removed and added by a person ---

// `save` stores what the person says: { category } of a photo as a whole, or { garments }.
function garmentEditor(place, frame, save) {
  const list = place.querySelector(".worn");
  const act = Object.fromEntries([...place.querySelectorAll("[data-act]")].map((it) => [it.dataset.act, it]));
  let photo = null;
  let garments = [];
  let chosen = -1;
  let adding = false;
  let changed = false;

  function show(found) {
    photo = found;
    garments = found.garments.map(({ category, box }) => ({ category, box }));
    chosen = -1;
    adding = changed = false;
    draw();
  }

  function change(work) {
    work();
    chosen = -1;
    adding = false;
    changed = true;
    draw();
    act.save.focus();
  }

  const choose = (number) => {
    chosen = chosen === number ? -1 : number;
    adding = false;
    draw();
  };
  const add = (category, box = null) => change(() => garments.push({ category, box }));
  const remove = () => chosen >= 0 && change(() => garments.splice(chosen, 1));

  function draw() {
    const taken = garments.map((garment) => String(garment.box));
    const offered = likeliest([...photo.garments, ...photo.candidates]);
    const free = offered.filter(({ box }) => box && !taken.includes(String(box)));
    drawBoxes(
      frame,
      photo.size,
      [
        ...garments.map((garment, number) => ({ ...garment, chosen: chosen === number, press: () => choose(number) })),
        ...free.map(({ category, box }) => ({ category, box, sure: false, press: () => add(category, box) })),
      ],
      lettering(frame),
    );
    const focused = [...list.querySelectorAll("button")].indexOf(document.activeElement);
    list.replaceChildren(
      ...garments.map(({ category }, number) => chip(category, chosen === number, () => choose(number))),
      ...free.map(({ category, box }) => chip(`${category}?`, false, () => add(category, box), "Add")),
    );
    if (focused >= 0) list.querySelectorAll("button")[focused]?.focus();
    place.querySelectorAll("[data-label]").forEach((button) => {
      const worn = chosen >= 0 ? [garments[chosen]] : garments;
      button.setAttribute("aria-pressed", worn.some(({ category }) => category === button.dataset.label));
    });
    place.querySelector(".how").hidden = !garments.length && !free.length;
    act.remove.hidden = chosen < 0;
    act.save.hidden = !changed || !garments.length;
    act.add.setAttribute("aria-pressed", adding);
    act.add.hidden = !garments.length;
  }

  function chip(name, pressed, press, verb = "") {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const dot = document.createElement("span");
    button.type = "button";
    button.className = "chip";
    button.setAttribute("aria-pressed", pressed);
    dot.className = "dot";
    dot.style.background = colors[name.replace("?", "")];
    button.append(dot, verb ? `${verb} ${name}` : name);
    button.addEventListener("click", press);
    item.append(button);
    return item;
  }

  // A category names the chosen garment, is added beside others, or is the whole photo's.
  function take(category) {
    const whole = category in words;
    if (category === "outside" && chosen >= 0) remove();
    else if (whole) save({ category });
    else if (chosen >= 0) change(() => (garments[chosen].category = category));
    else if (adding || changed || garments.length > 1) add(category);
    else save({ category });
  }

  const store = () => changed && garments.length && save({ garments });
  act.add.addEventListener("click", () => {
    adding = !adding;
    chosen = -1;
    draw();
  });
  act.remove.addEventListener("click", remove);
  act.save.addEventListener("click", store);
  place.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-label]");
    if (choice && choice.dataset.label) take(choice.dataset.label);
  });

  // True where a key was one of the editor's.
  function key(event) {
    const onButton = event.target.closest?.("button, a");
    if (event.key in keys) take(keys[event.key]);
    else if (event.key === "+") act.add.click();
    else if (event.key === "Delete" || event.key === "Backspace") remove();
    else if (event.key === "Enter" && !onButton && changed) store();
    else return false;
    event.preventDefault();
    return true;
  }
  return { show, key };
}

const categoriesOf = (said) => said.category || said.garments.map(({ category }) => category).join("|");

// --- Try ---

function setUpTry() {
  const input = document.getElementById("files");
  input.addEventListener("change", () => input.files.length && upload(input.files));
  onDrop((data) => data.files.length && upload(data.files));
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) upload(event.clipboardData.files);
  });
}

// Calls `take` with the files and folders that are dropped on the page.
function onDrop(take) {
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
    take(event.dataTransfer);
  });
}

let current = 0;
let tried = [];
async function upload(files) {
  const mine = ++current;
  tried = [...files];
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  document.getElementById("trial").hidden = false;
  document.getElementById("failure").hidden = true;
  document.getElementById("verdicts").replaceChildren();
  document.getElementById("together").hidden = true;
  progress(0, files.length, "Uploading…");
  try {
    let trial = await ask("/api/try", "POST", form);
    for (let wait = 60; mine === current; wait = Math.min(600, wait * 1.3)) {
      trial = await ask(`/api/try/${trial.id}`);
      showTrial(trial);
      if (trial.state === "done" || trial.state === "failed") break;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    if (mine === current && trial.state === "done" && trial.photos.length > 1) await showTogether(trial.id);
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
  const place = document.getElementById("failure");
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

async function showTogether(id) {
  const place = document.getElementById("together");
  place.innerHTML = await (await fetch(`/try/${id}/profile`)).text();
  place.hidden = false;
}

function verdict(id, number, photo) {
  const card = document.getElementById("verdict").content.firstElementChild.cloneNode(true);
  const part = (name) => card.querySelector(name);
  const garments = photo.garments.map((garment) => garment.category).join(", ");
  const titles = { uncertain: "Not sure", outside: "None of the ten", unreadable: "Not used" };
  part(".word").textContent = garments || titles[photo.verdict];
  const several = photo.garments.length > 1;
  const certain = several ? `${photo.garments.length} garments` : `${percent(photo.garments[0]?.confidence)} certain`;
  part(".detail").textContent = garments ? certain : photo.detail;
  part(".name").textContent = photo.path;
  part(".name").title = photo.path;
  showTop(part(".top"), several ? photo.garments.map((it) => [it.category, it.confidence]) : photo.top);
  if (photo.verdict === "unreadable") {
    part(".views").remove();
  } else {
    part(".photo").alt = photo.path;
    part(".photo").src = `/api/try/${id}/${number}/photo.jpg`;
    const perhaps = likeliest(photo.candidates).map((garment) => ({ ...garment, sure: false }));
    const seen = photo.verdict === "uncertain" ? perhaps : photo.garments;
    drawBoxes(part(".frame"), photo.size, seen);
    part(".seen").replaceChildren(...crops(part(".photo").src, photo.size, seen));
    part(".open").addEventListener("click", () => enlarge(card, photo, seen));
  }
  return card;
}

// Shows a photo from the file that was chosen, if it is known and the browser can, else the small one.
function enlarge(card, photo, seen) {
  const dialog = document.getElementById("large");
  const image = dialog.querySelector("img");
  const [file, another] = tried.filter((it) => it.name === photo.path);
  const small = card.querySelector(".photo").src;
  image.onload = () => URL.revokeObjectURL(image.src);
  image.onerror = () => (image.src = small);
  image.src = file && !another ? URL.createObjectURL(file) : small;
  image.alt = photo.path;
  document.getElementById("large-word").textContent = `${card.querySelector(".word").textContent}: ${photo.path}`;
  dialog.showModal();
  const frame = dialog.querySelector(".frame");
  drawBoxes(frame, photo.size, seen, lettering(frame));
}

// --- A customer ---

function setUpCustomer() {
  const dialog = document.getElementById("correct");
  if (!dialog) return;
  let shot;
  const store = async (said) => {
    try {
      const answer = await label(shot.dataset.sha256, said);
      changed(said ? `${shown(categoriesOf(said))}: noted.` : "What the network said counts again.", answer);
    } catch (error) {
      dialog.close();
      say(error.message);
    }
  };
  const frame = dialog.querySelector(".frame");
  const editor = garmentEditor(dialog, frame, store);
  document.querySelectorAll(".shot").forEach((button) =>
    button.addEventListener("click", async () => {
      try {
        const photo = await ask(`/api/photos/${button.dataset.sha256}/garments`);
        shot = button;
        frame.querySelector("img").src = `/api/photos/${shot.dataset.sha256}/large.jpg`;
        dialog.showModal();
        editor.show(photo);
      } catch (error) {
        say(error.message);
      }
    }),
  );
  document.getElementById("take-back").addEventListener("click", () => store(null));
  addEventListener("keydown", (event) => dialog.open && plain(event) && editor.key(event));
}

const plain = (event) =>
  !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && !event.target.closest?.("input, select");

// --- Review ---

function setUpReview() {
  const stage = document.getElementById("review");
  if (!Number(stage.dataset.total)) return;
  const search = new URLSearchParams({ search: stage.dataset.search });
  let waiting = [];
  let left = Number(stage.dataset.total);
  let skipped = 0;
  let busy = false;
  const done = [];

  async function show() {
    if (!waiting.length && left > skipped) {
      const found = await ask(`/api/review?${search}&limit=20&offset=${skipped}`);
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
    picture.src = `/api/photos/${photo.sha256}/large.jpg`;
    picture.alt = `A photo of ${photo.customer}, perhaps ${photo.top[0][0]}`;
    document.getElementById("review-who").textContent = photo.customer;
    document.getElementById("review-when").textContent = day(photo.posted_at);
    showTop(document.getElementById("review-top"), photo.top);
    const needed = document.getElementById("review-needed");
    needed.hidden = photo.needed === null;
    needed.textContent = `To name it ${photo.top[0][0]}, it would have to be ${percent(photo.needed)} sure.`;
    editor.show(photo);
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
  const choose = (said) =>
    once(async () => {
      const photo = waiting[0];
      if (!photo) return;
      const { undo } = await label(photo.sha256, said);
      waiting.shift();
      done.push({ photo, undo });
      left -= 1;
      say(`${shown(categoriesOf(said))}: noted. u takes it back.`);
    })();
  const editor = garmentEditor(stage, stage.querySelector(".frame"), choose);
  const skip = once(async () => {
    if (!waiting.length) return;
    done.push({ photo: waiting.shift() });
    skipped += 1;
  });
  const undo = once(async () => {
    const last = done.pop();
    if (!last) return;
    if (last.undo) {
      await ask(`/api/undo/${last.undo}`, "POST");
      left += 1;
      say("Taken back.");
    } else {
      skipped -= 1;
    }
    waiting.unshift(last.photo);
  });

  document.getElementById("skip").addEventListener("click", skip);
  document.getElementById("undo").addEventListener("click", undo);
  document.getElementById("undo-last").addEventListener("click", undo);
  addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    if (waiting.length && !busy && editor.key(event)) return;
    if (event.key === "s") skip();
    else if (event.key === "u") undo();
  });
  once(async () => {})();
}

// --- Catalogue ---

const wordsOf = { yes: "in stock again", no: "out of stock" };

// Items on the page: their categories and stock. Gives what opens the dialog of categories.
function setUpItems() {
  const dialog = document.getElementById("decide");
  let sku;
  dialog.querySelector("[data-label=uncertain]").hidden = true;

  const alter = async (facts, text) => {
    try {
      changed(text, await ask("/api/catalog", "PUT", JSON.stringify(facts)));
    } catch (error) {
      dialog.close();
      say(error.message);
    }
  };
  const decide = (label) => {
    const category = label === "outside" ? "none" : label;
    alter({ sku, category }, `${sku}: ${shown(label)}.`);
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
  document.querySelectorAll(".item").forEach((item) => {
    const { sku: own } = item.dataset;
    item.querySelector(".change").addEventListener("click", () => open(own, item.querySelector("img")));
    item.querySelector("[data-stock]")?.addEventListener("click", ({ target }) => {
      alter({ sku: own, in_stock: target.dataset.stock === "yes" }, `${own}: ${wordsOf[target.dataset.stock]}.`);
    });
  });
  return { open, alter };
}

function setUpProduct() {
  const { alter } = setUpItems();
  const { sku } = document.querySelector(".item").dataset;
  const form = document.getElementById("edit");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { title, price, url, in_stock } = Object.fromEntries(new FormData(form));
    alter({ sku, title, price, url, in_stock: JSON.parse(in_stock) }, `${sku}: saved.`);
  });
  document.getElementById("remove").addEventListener("click", async () => {
    try {
      const answer = await ask(`/api/catalog?sku=${encodeURIComponent(sku)}`, "DELETE");
      changed(`${sku}: removed.`, answer, "/catalogue");
    } catch (error) {
      say(error.message);
    }
  });
}

function setUpCatalogue() {
  const form = document.getElementById("add");
  const replace = document.getElementById("replace");
  const { open, alter } = setUpItems();
  let added;

  form.files.addEventListener("change", () => {
    const [file] = form.files.files;
    const preview = document.getElementById("preview");
    preview.hidden = !file;
    document.getElementById("choose").hidden = Boolean(file);
    if (file) preview.src = URL.createObjectURL(file);
  });

  // Adds the item of the form; one that is there already is only changed if a person says so.
  async function add() {
    const content = new FormData(form);
    try {
      return await ask("/api/catalog", "POST", content);
    } catch (error) {
      if (error.status !== 409) throw error;
      document.getElementById("replace-why").textContent = error.message;
      replace.returnValue = "";
      replace.showModal();
      await new Promise((resolve) => replace.addEventListener("close", resolve, { once: true }));
      if (replace.returnValue !== "change") return null;
      content.set("replace", "yes");
      return ask("/api/catalog", "POST", content);
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await add();
      if (answer) showAdded(answer);
    } catch (error) {
      say(error.message);
    }
    button.disabled = false;
  });

  function showAdded({ items: [item], undo }) {
    added = item.sku;
    offerUndo(`${item.sku}: noted.`, undo);
    document.getElementById("added").hidden = false;
    document.getElementById("added-word").textContent = `${item.sku}: ${item.category || "not sure"}`;
    document.getElementById("added-why").textContent = item.review || item.because;
    showTop(document.getElementById("added-top"), item.top || []);
    const confirm = document.getElementById("confirm");
    const best = item.category || (item.top && item.top[0][0]);
    confirm.hidden = !best;
    confirm.textContent = `Confirm ${best}`;
    confirm.onclick = () => alter({ sku: added, category: best }, `${added}: ${best}.`);
    confirm.focus();
  }
  document.getElementById("change").addEventListener("click", () => {
    const preview = document.getElementById("preview");
    open(added, preview.hidden ? null : preview);
  });
}

// --- Every page ---

addEventListener("keydown", (event) => {
  if (!plain(event) || document.querySelector("dialog[open]")) return;
  const search = document.querySelector("input[type=search]");
  if (event.key === "?") document.getElementById("keys").showModal();
  else if (event.key === "/" && search) search.focus();
  else if (event.key === "u" && document.body.className !== "review") takeBack();
  else return;
  event.preventDefault();
});
addEventListener("beforeprint", () => document.querySelectorAll("main details").forEach((part) => (part.open = true)));
document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => print()));
document.getElementById("show-keys").addEventListener("click", () => document.getElementById("keys").showModal());
if (change) offerUndo(change.text, change.undo);

const rooms = { catalogue: setUpCatalogue, product: setUpProduct, try: setUpTry, customer: setUpCustomer, review: setUpReview };
(rooms[document.body.className] || (() => {}))();
