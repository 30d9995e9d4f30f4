// The versions with their figures, who ruled when, and the way back to one of them.
import {at, draw, make, renew, say, table} from "./elements.js";
import {reignStrip} from "./charts.js";
import {post} from "./server.js";
import {count, duration, fileName, moment, number, serverNow} from "./words.js";

const kReignsShown = 12;

// Oldest first: who ruled from when to when, and the halt before.
function reignsOf(epochs) {
  const reigns = [];
  for (const epoch of [...epochs].reverse()) {
    const begun = Date.parse(epoch.begun_at), ended = epoch.ended_at ? Date.parse(epoch.ended_at) : null;
    const halt = epoch.halts ? [begun, ended] : null;
    const last = reigns.at(-1);
    if (last && last.until === null && (halt || ended)) last.until = halt ? begun : ended;
    if (ended !== null && epoch.version > 0) reigns.push({epoch: epoch.epoch, version: epoch.version, from: ended, until: null, halt, outcome: epoch.outcome});
    else if (halt && ended === null) reigns.push({epoch: epoch.epoch, version: null, from: null, until: null, halt});
  }
  return reigns.slice(-kReignsShown);
}

const kOutcomes = {trained: "trained", refused: "data set refused", failed: "training failed", rolled_back: "rolled back to"};

function epochTable(epochs) {
  return table("Epochs, newest first", [
    {title: "Epoch", number: true, cell: epoch => String(epoch.epoch)},
    {title: "About", wrap: true, cell: epoch => (epoch.dataset ? fileName(epoch.dataset) : "rollback to " + epoch.rollback_to)},
    {title: "Begun", cell: epoch => moment(epoch.begun_at)},
    {title: "Took", number: true, cell: epoch => (epoch.ended_at ? duration((Date.parse(epoch.ended_at) - Date.parse(epoch.begun_at)) / 1000) : "under way")},
    {title: "Then ruled", cell: epoch => (epoch.ended_at ? (epoch.version ? "model " + epoch.version : "none yet") : "–")},
    {title: "Why", wrap: true, cell: epoch => (epoch.ended_at ? kOutcomes[epoch.outcome] + (epoch.outcome === "trained" || !epoch.reason ? "" : ": " + epoch.reason) : "–")}], epochs);
}

function confirmRollback(version) {
  const dialog = at("confirm");
  at("confirm-title").textContent = "Put model " + version + " in force again?";
  at("confirm-words").textContent = "The stream halts for a moment; from then on records are scored by model " + version
    + ", in one more epoch. The next data set will train a new model as ever.";
  at("confirm-yes").textContent = "Roll back to model " + version;
  dialog.returnValue = "no";
  dialog.onclose = () => { if (dialog.returnValue === "yes") rollBack(version); };
  dialog.showModal();
}

async function rollBack(version) {
  const said = at("rollback-said");
  said.className = "";
  say(said, "Asking the trainer for model " + version + " …");
  try {
    const told = await post(`v1/models/${version}/rollback?wait=30s`);
    say(said, told.epoch ? `Model ${version} is in force since epoch ${told.epoch}.` : told.detail);
  } catch (error) {
    said.className = "fault";
    say(said, "Not rolled back: " + error.message);
  }
}

const held = (model, name) => (model.held_out ? number(model.held_out[name]) : "–");

// A mark beside the figure where it is worse than the version before by more than a fifth.
function rmseCell(model, models) {
  const parent = models.find(one => one.version === model.parent_version);
  const worse = model.held_out && parent?.held_out && parent.target === model.target && model.held_out.rmse > 1.2 * parent.held_out.rmse;
  return worse ? make("span", {class: "worse", title: "more than a fifth above model " + parent.version}, held(model, "rmse") + " ▲") : held(model, "rmse");
}

// RMSE by version, as a mark on a common scale.
function rmseBar(model, most) {
  if (!model.held_out) return "";
  return draw("svg", {viewBox: "0 0 60 8", width: 60, height: 8, "aria-hidden": "true"},
    draw("rect", {x: 0, y: 1, height: 6, rx: 1, width: Math.max(1, (60 * model.held_out.rmse) / most), class: model.live ? "reign live" : "bar"}));
}

function modelTable(models, more) {
  const most = Math.max(...models.map(model => model.held_out?.rmse || 0)) || 1;
  const all = table("Models, newest first", [
    {title: "Model", number: true, cell: model => String(model.version)},
    {title: make("span", {class: "unseen"}, "Standing"), cell: model => model.live ? make("span", {class: "tag"}, "in force")
      : model.unreadable ? make("span", {class: "tag bad"}, "unreadable")
      : make("button", {type: "button", class: "plain small", "data-key": "back" + model.version, onclick: () => confirmRollback(model.version)},
        "Roll back", make("span", {class: "unseen"}, " to model " + model.version))},
    {title: "RMSE", number: true, cell: model => rmseCell(model, models)},
    {title: make("span", {class: "unseen"}, "RMSE as a bar"), cell: model => rmseBar(model, most)},
    {title: "MAE", number: true, cell: model => held(model, "mae")},
    {title: "R²", number: true, cell: model => held(model, "r2")},
    {title: "Kind", cell: model => model.algorithm ?? "–"},
    {title: "Rows", number: true, cell: model => (model.rows === undefined ? "–" : count(model.rows))},
    {title: "Data set", wrap: true, cell: model => (model.dataset ? fileName(model.dataset) : model.unreadable || "–")},
    {title: "Trained", cell: model => (model.trained_at ? moment(model.trained_at) : "–")},
    {title: "In", number: true, cell: model => (model.training_seconds === undefined ? "–" : duration(model.training_seconds))}],
    models, model => (model.live ? "live" : null));
  return [all, more ? make("p", {class: "soft"}, "Older ones: weir models list.") : null];
}

export function showModels(list, epochs) {
  const models = list.models;
  at("models-about").textContent = models.length ? "figures are those on the rows that were held out of training" : "";
  renew(at("models"), list, () => models.length ? modelTable(models, list.next !== null)
    : make("p", {class: "soft"}, "No model yet. The first data set trains one."));
  const width = Math.max(260, at("reigns").clientWidth || 260);
  const minute = Math.floor(serverNow() / 5000);  // "now" moves on
  renew(at("reigns"), [epochs, width, minute], () => {
    const reigns = reignsOf(epochs);
    if (!reigns.some(reign => reign.from !== null)) return [];
    return [make("h3", {}, "Who ruled when"), reignStrip(reigns, width),
      make("p", {class: "soft"}, make("i", {class: "swatch", "aria-hidden": "true"}), "in force ", make("i", {class: "swatch before", "aria-hidden": "true"}), "before ",
        make("i", {class: "swatch halted", "aria-hidden": "true"}), "halted")];
  });
  renew(at("epochs"), epochs, () => epochs.length
    ? make("details", {class: "aside", "data-key": "epochs"}, make("summary", {"data-key": "epochs-summary"}, "Each epoch, and why it ended as it did"), epochTable(epochs)) : []);
}
