// The page's one way to its server: requests with the token, the live stream, uploads, and the
// knowledge whether the server answers at all.
import {setServerTime} from "./words.js";

const kTimeoutMs = 8000;
const kTokenName = "weir.token";

let token = sessionStorage.getItem(kTokenName) || "";

export const hasToken = () => token !== "";
export function setToken(value) {
  token = value;
  if (value) sessionStorage.setItem(kTokenName, value);
  else sessionStorage.removeItem(kTokenName);
}

// An answer that is no success; status 0: there was none.
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}
export const isLoss = error => error instanceof Refusal && error.status === 0;

const headers = () => (token ? {Authorization: "Bearer " + token} : {});

async function refusalOf(response) {
  let detail = response.status + " " + response.statusText;
  try {
    const told = await response.json();
    if (typeof told.detail === "string") detail = told.detail;
  } catch { /* the status alone, then */ }
  return new Refusal(response.status, detail);
}

async function ask(path, options) {
  try {
    return await fetch(path, {headers: headers(), cache: "no-store", credentials: "same-origin", ...options});
  } catch (error) {
    throw new Refusal(0, error.name === "TimeoutError" ? "no answer within " + kTimeoutMs / 1000 + " s" : "no connection");
  }
}

async function jsonOf(response) {
  if (!response.ok) throw await refusalOf(response);
  try {
    return await response.json();
  } catch {
    throw new Refusal(0, "the answer was cut off");
  }
}

export async function get(path) {
  const response = await ask(path, {signal: AbortSignal.timeout(kTimeoutMs)});
  setServerTime(response.headers.get("Date"));
  return jsonOf(response);
}

export async function post(path) {
  return jsonOf(await ask(path, {method: "POST", signal: AbortSignal.timeout(70000)}));
}

// Predictions as they come, `onAnswer` for each, until the stream ends: then the promise is kept.
export async function stream(path, onAnswer, signal) {
  const response = await ask(path, {signal});
  if (!response.ok) throw await refusalOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const {value, done} = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event.split("\n").find(line => line.startsWith("data: "));
        if (data && !event.includes("event: cut-off")) onAnswer(JSON.parse(data.slice(6)));
      }
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw error;  // not what a gateway sends
  }
}

// Browsers digest all bytes at once, in memory, and in a secure context alone (https, this machine):
// else the file goes without.
const kDigestedMax = 256e6;

async function digestOf(file) {
  if (!globalThis.crypto?.subtle || file.size > kDigestedMax) return null;
  const sum = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return `sha-256=:${btoa(String.fromCharCode(...new Uint8Array(sum)))}:`;
}

// fetch() does not tell how far an upload is.
export async function upload(path, file, onProgress) {
  const digest = await digestOf(file);
  return new Promise((keep, refuse) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", "text/csv");
    if (digest) request.setRequestHeader("Content-Digest", digest);
    request.upload.onprogress = event => onProgress(event.loaded, event.lengthComputable ? event.total : file.size);
    request.onerror = () => refuse(new Refusal(0, "the connection was lost before the file was whole; nothing of it was kept"));
    request.onload = () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* the status alone, then */ }
      if (request.status === 201) keep(told);
      else refuse(new Refusal(request.status, told.detail || request.status + " " + request.statusText));
    };
    request.send(file);
  });
}
