"use strict";

// A scan at the desk: files are chosen, sent one by one, and looked at. Uses what desk.js defines.
const part = (id) => document.getElementById(id);
const size = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const MOST_AT_ONCE = 3;

let chosen = []; // [path, file] of each
let sending = false;

function choose(files) {
  chosen = files;
  const bytes = files.reduce((sum, [, file]) => sum + file.size, 0);
  part("chosen").textContent = `: ${counted(files.length, "file")}, ${size(bytes)} chosen`;
  part("begin").disabled = !files.length;
}

const named = (files) => [...files].map((file) => [file.webkitRelativePath || file.name, file]);

// All files of what was dropped, folders with all they hold.
async function dropped(items) {
  const files = [];
  async function take(entry) {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      files.push([entry.fullPath.slice(1), file]);
    } else {
      const reader = entry.createReader();
      for (let more = true; more; ) {
        const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        for (const inside of entries) await take(inside);
        more = entries.length; // They come a hundred at a time.
      }
    }
  }
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  for (const entry of entries) await take(entry);
  return files;
}

const loose = () => chosen.find(([path]) => !path.includes("/") && !/\.zip$/i.test(path));

// Scans what was chosen, or a folder of the desk's own computer, which need not be copied.
async function scan(folder = "") {
  const owner = part("owner");
  if (!folder && loose() && !owner.value.trim()) {
    say(`${loose()[0]} lies in no folder: say whose photos these are.`);
    owner.focus();
    return;
  }
  const wanted = JSON.stringify({ folder, customer: owner.value, one_per_name: part("one-per-name").checked, previews: part("previews").checked });
  const refused = [];
  let begun;
  try {
    begun = (await ask("/api/scan", "POST", wanted)).scan;
    sending = !folder;
    show({ ...begun, left_out: [] });
    if (sending) await send(begun.id, refused);
    if (sending) await ask(`/api/scan/${begun.id}/start`, "POST");
  } catch (error) {
    if (sending) await ask("/api/scan", "DELETE").catch(() => {});
    sending = false;
    say(error.message);
    await watch(refused); // Where another scan is under way, it is shown.
    if (begun) fail(error.message);
    return;
  }
  sending = false;
  await watch(refused);
}

// A file that is refused is listed, and the rest goes on.
async function send(id, refused) {
  const waiting = [...chosen];
  const total = waiting.length;
  const sender = async () => {
    while (waiting.length && sending) {
      const [path, file] = waiting.shift();
      try {
        await file.slice(0, 1).arrayBuffer().catch(() => {
          throw new Error("the browser cannot read it; check who may, or copy it elsewhere.");
        });
        await ask(`/api/scan/${id}/file?name=${encodeURIComponent(path)}`, "PUT", file);
      } catch (error) {
        if (!sending) return;
        refused.push({ path, detail: error.message });
        if (refused.length === total) throw error;
      }
      progress(total - waiting.length, total, `${counted(total - waiting.length, "file")} of ${total.toLocaleString("en")} copied`);
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, sender));
}

async function watch(refused = []) {
  for (let wait = 100; !sending; wait = Math.min(1000, wait * 1.3)) {
    const { scan: now } = await ask("/api/scan").catch((error) => fail(error.message) || {});
    if (!now) return;
    show({ ...now, left_out: [...refused, ...now.left_out] });
    if (now.state !== "running" && now.state !== "receiving") return;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function show(now) {
  const active = now.state === "receiving" || now.state === "running";
  const changed = part("scan-form").hidden !== active;
  part("scan-state").hidden = false;
  part("scan-form").hidden = active;
  part("stop").hidden = !active;
  part("stop").disabled = now.stopping;
  part("failure").hidden = true;
  const states = {
    receiving: `${counted(now.files, "file")} copied`,
    running: now.stopping ? "Stopping…" : `${now.done.toLocaleString("en")} of ${now.total.toLocaleString("en")} looked at`,
    stopped: "Stopped. What was looked at is kept; scan the same again to go on.",
    done: "Done",
    failed: "",
  };
  progress(now.state === "done" ? 1 : now.done, now.state === "done" ? 1 : now.total, states[now.state]);
  if (now.state === "failed") fail(now.failure);
  part("scan-end").hidden = now.state !== "done";
  part("scan-words").replaceChildren(...now.words.flatMap((line) => [line, document.createElement("br")]));
  part("open-ones").hidden = !now.result?.verdicts.uncertain;
  const list = part("left-out");
  list.hidden = !now.left_out.length;
  list.querySelector("summary").textContent = `${counted(now.left_out.length, "file")} not used`;
  list.querySelector("ul").replaceChildren(
    ...now.left_out.map(({ path, detail }) => {
      const line = document.createElement("li");
      line.textContent = detail.startsWith(path) ? detail : `${path}: ${detail}`;
      return line;
    }),
  );
  // What had the focus may be hidden now.
  if (changed) (active ? part("stop") : now.state === "done" ? part("scan-end") : part("begin")).focus();
}

part("files").addEventListener("change", (event) => choose(named(event.target.files)));
part("folder").addEventListener("change", (event) => choose(named(event.target.files)));
part("choose-folder").addEventListener("click", () => part("folder").click());
part("scan-form").addEventListener("submit", (event) => {
  event.preventDefault();
  scan();
});
document.querySelectorAll(".ours").forEach((button) =>
  button.addEventListener("click", () => scan(button.dataset.folder)),
);
part("stop").addEventListener("click", async () => {
  sending = false;
  await ask("/api/scan", "DELETE").catch((error) => say(error.message));
  watch();
});
addEventListener("beforeunload", (event) => sending && event.preventDefault());
onDrop(async (data) => choose(await dropped(data.items)));
ask("/api/scan").then(({ scan: now }) => now && (now.state === "running" || now.state === "receiving") && watch());
