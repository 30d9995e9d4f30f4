// Data sets: what waits, what was used or refused and why; and one dropped here, from the first
// byte to the model that it trains.
import {at, make, renew, say} from "./elements.js";
import {get, isLoss, post, upload} from "./server.js";
import {bytes, count, duration, fileName, moment, number} from "./words.js";

const kShown = 6;
const kLookEveryMs = 400;

// ---- the lists ----

function files(title, entries, about) {
  const shown = entries.slice(0, kShown);
  return [make("h3", {}, title + (entries.length ? " (" + count(entries.length) + (entries.length >= 100 ? " or more" : "") + ")" : "")),
    entries.length ? make("ul", {class: "files"}, shown.map(entry => make("li", {}, entry.name, " ", about(entry))),
      entries.length > kShown ? make("li", {class: "soft"}, count(entries.length - kShown) + " older") : null)
      : make("p", {class: "soft"}, "none")];
}

export function showDatasets(list) {
  at("datasets-folder").textContent = list.folder;
  const size = entry => (entry.folder ? "a folder" : bytes(entry.bytes));
  renew(at("waiting"), list.waiting, () => files("Waiting", list.waiting, entry => make("span", {class: "soft"}, size(entry), ", there since ", moment(entry.modified_at))));
  renew(at("past"), [list.used, list.rejected], () => [
    ...files("Refused", list.rejected, entry => make("span", {class: "soft"}, entry.reason || "no reason was written")),
    ...files("Used", list.used, entry => make("span", {class: "soft"}, size(entry), ", ", moment(entry.modified_at)))]);
}

export function showNoDatasets(words) {
  renew(at("waiting"), words, () => make("p", {class: "fault"}, "Data sets cannot be listed now: " + words));
}

// ---- one that is dropped here ----

const pause = ms => new Promise(keep => setTimeout(keep, ms));
const queue = [];  // files to upload
let busy = false;

class Steps {
  constructor(name) {
    this.list = make("ol", {class: "steps"});
    this.bar = make("progress", {max: 1, value: 0, "aria-label": "Upload of " + name});
    this.steps = {};
    for (const [key, words] of [["sent", "Uploading " + name], ["begun", "Taken up by the trainer"], ["ended", "Trained, and in force"]]) {
      this.steps[key] = make("li", {}, make("span", {}, words));
      this.list.append(this.steps[key]);
    }
    at("upload").replaceChildren(this.list, this.bar);
  }

  set(key, state, words) {
    this.steps[key].className = state;
    say(this.steps[key].firstChild, words);
  }

  progress(done, total) {
    this.bar.value = total ? done / total : 0;
    this.set("sent", "now", `Uploading: ${bytes(done)} of ${bytes(total)}`);
  }
}

// The answer of a path, waited for while the server is away.
async function look(path) {
  for (;;) {
    try {
      return await get(path);
    } catch (error) {
      if (!isLoss(error) && error.status !== 503) throw error;
    }
    await pause(1000);
  }
}

async function followTraining(steps, name, knownEpoch, refusedBefore) {
  steps.set("begun", "now", "Waiting until the trainer takes it up");
  const begunAt = Date.now();
  for (;;) {
    const {epochs} = await look("v1/epochs?limit=20");
    const epoch = epochs.find(one => one.epoch > knownEpoch && one.dataset && fileName(one.dataset) === name);
    if (epoch) {
      steps.set("begun", "done", `Taken up as epoch ${epoch.epoch}` + (epoch.halts ? "; the stream is halted" : "; the stream goes on meanwhile"));
      if (!epoch.ended_at) steps.set("ended", "now", "Training");
      else return epoch;
    } else {
      const list = await look("v1/datasets");
      const aside = list.rejected.find(one => !refusedBefore.has(one.name + one.modified_at) && one.name.startsWith(name.replace(/\.[^.]*$/, "")));
      if (aside) return {aside};
      if (Date.now() - begunAt > 20000) {
        steps.set("begun", "now", "It waits in the drop folder: no trainer has taken it up for " + duration((Date.now() - begunAt) / 1000)
          + ". Is one running, or does a schedule say when?");
      }
    }
    await pause(kLookEveryMs);
  }
}

async function showEnd(steps, epoch) {
  if (epoch.aside) {
    steps.set("begun", "failed", "Set aside without a training: " + (epoch.aside.reason || "no reason was written"));
    return steps.set("ended", "", "No new model");
  }
  const took = duration((Date.parse(epoch.ended_at) - Date.parse(epoch.begun_at)) / 1000);
  if (epoch.halts) steps.set("begun", "done", `Taken up as epoch ${epoch.epoch}; the stream was halted for ${took}`);
  if (epoch.outcome !== "trained") {
    return steps.set("ended", "failed", `No new model: ${epoch.reason} ` + (epoch.version ? `Model ${epoch.version} goes on.` : ""));
  }
  const model = await look("v1/models/" + epoch.version);
  const figures = model.held_out ? `: RMSE ${number(model.held_out.rmse)} on the held-out rows` : "";
  steps.set("ended", "done", `Model ${epoch.version} is in force after ${took}${figures}`);
}

async function train(file) {
  const steps = new Steps(file.name);
  steps.progress(0, file.size);
  try {
    const known = (await get("v1/epochs?limit=1")).epochs[0]?.epoch || 0;
    const refused = new Set((await get("v1/datasets")).rejected.map(one => one.name + one.modified_at));
    const told = await upload("v1/datasets/" + encodeURIComponent(file.name), file, (done, total) => steps.progress(done, total));
    steps.bar.remove();
    steps.set("sent", "done", `Uploaded ${file.name}: ${bytes(told.bytes)}, whole`);
    await showEnd(steps, await followTraining(steps, file.name, known, refused));
  } catch (error) {
    steps.bar.remove();
    const [key] = Object.entries(steps.steps).find(([, step]) => step.className !== "done");
    steps.set(key, "failed", (key === "sent" ? "Not uploaded: " : "Not followed any more: ") + error.message);
  }
}

// One after the other; what comes meanwhile waits its turn. No button is disabled, as one that is loses the focus.
async function trainAll(list) {
  queue.push(...list);
  showQueue();
  if (busy) return;
  busy = true;
  while (queue.length) {
    const file = queue.shift();
    showQueue();
    await train(file);
  }
  busy = false;
}

function showQueue() {
  say(at("queue"), queue.length ? `After it: ${queue.map(file => file.name).join(", ")}` : "");
}

async function trainNow() {
  const said = at("train-said");
  said.className = "";
  say(said, "Asking the trainer …");
  try {
    const told = await post("v1/train?wait=30s");
    say(said, `Epoch ${told.epoch} has begun, with ${fileName(told.dataset)}.`);
  } catch (error) {
    said.className = "fault";
    say(said, error.message);
  }
}

export function listenForFiles() {
  at("choose").onclick = () => at("file").click();
  at("file").onchange = () => {
    trainAll([...at("file").files]);
    at("file").value = "";
  };
  at("train").onclick = trainNow;
  const hasFiles = event => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  const mark = change => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dragging", depth > 0);
  };
  addEventListener("dragenter", event => { if (hasFiles(event)) mark(1); });
  addEventListener("dragleave", event => { if (hasFiles(event)) mark(-1); });
  addEventListener("dragover", event => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark(0);
    trainAll([...event.dataTransfer.files]);
  });
}
