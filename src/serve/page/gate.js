// The gate and the epoch now, and what somebody ought to look at.
import {at, make, renew} from "./elements.js";
import {fileName, moment} from "./words.js";

// Whom a halt still waits for; empty: everybody has halted.
function missing(status) {
  return status.members.filter(member => ["scorer", "producer"].includes(member.role) && !member.silent
    && member.halted_epoch !== status.begun.epoch).map(member => member.member);
}

function cause(begun) {
  if (begun.dataset) return ["a model is being trained on ", make("b", {}, fileName(begun.dataset.path))];
  return ["model " + begun.rollback_to + " is being put in force again"];
}

function underWay(status) {
  const begun = status.begun;
  const late = begun.type === "halt" ? missing(status) : [];
  return [
    make("p", {}, "Epoch " + begun.epoch + ": ", cause(begun), ", since ", moment(begun.at), "."),
    begun.type !== "halt" ? make("p", {class: "soft"}, "The stream goes on meanwhile.")
      : make("p", {class: "soft"}, late.length ? "Waiting until " + late.join(", ") + (late.length > 1 ? " have" : " has") + " halted. "
        : "Waiting for the model. ", "Records that arrive are kept, and scored once by the next model."),
  ];
}

function nowWords(status) {
  const head = (word, ...rest) => make("div", {class: "state"}, make("strong", {}, word), make("span", {}, rest));
  if (status.model === 0) {
    return [head(status.begun ? "First model under way" : "Waiting for a data set", status.begun ? "" : "no model is in force yet"),
      status.begun ? underWay(status) : make("p", {}, "Drop a CSV file on this page: the stream opens with the model that is trained on it.")].flat();
  }
  const model = ["model ", make("b", {}, String(status.model)), ", epoch " + status.epoch];
  if (status.gate.open) {
    return [head("Open", model, ", since ", moment(status.gate.since)), status.begun ? underWay(status) : null].flat();
  }
  return [head("Halted", "since ", moment(status.gate.since), "; ", model, " until then"), underWay(status)].flat();
}

export function showGate(status) {
  at("gate").className = "card gate " + (status.model > 0 && status.gate.open ? "open" : status.begun ? "halted" : "");
  document.title = (status.gate.open ? "" : status.model ? "halted · " : "") + status.pipeline + " – Weirkeeper";
  at("pipeline").textContent = status.pipeline;
  const late = status.begun ? missing(status) : null;
  renew(at("gate-now"), [status.gate, status.model, status.epoch, status.begun, late], () => nowWords(status));
}

export function showNoGate(words) {
  at("gate").className = "card gate";
  renew(at("gate-now"), words, () => [make("div", {class: "state"}, make("strong", {}, "Not known yet")), make("p", {}, words)]);
}

// alarms: of the watcher, in words.
export function showAlerts(alerts, alarms) {
  const all = [...alerts, ...alarms.map(words => ({name: "watch", urgent: false, words}))];
  renew(at("alerts"), all, () => all.length
    ? make("ul", {class: "alerts", "aria-label": "To look at"}, all.map(alert => make("li", {class: alert.urgent ? "urgent" : null},
      make("span", {}, alert.urgent ? make("b", {}, "Urgent: ") : null, alert.words))))
    : make("p", {class: "soft calm"}, "Nothing wants your attention."));
}
