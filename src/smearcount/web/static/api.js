// Talks to the server; every answer that is not a success becomes a Refusal with its sentence.

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

async function ask(method, path, body, signal) {
  const options = { method, signal };
  if (body instanceof Blob) {
    options.body = body;
    options.headers = { "Content-Type": "application/octet-stream" };
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const answer = await fetch(path, options);
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const detail = problem.detail;
    throw new Refusal(answer.status, typeof detail === "string" ? detail : answer.statusText);
  }
  if (answer.status === 204) return undefined;
  return answer.headers.get("Content-Type")?.includes("json") ? answer.json() : answer.text();
}

const photographs = "api/photographs";

export const api = {
  session: (since) => ask("GET", `api/session?since=${since}`),
  settings: (settings) => ask("PUT", "api/settings", settings),
  cancel: () => ask("POST", "api/cancel"),
  resume: () => ask("POST", "api/resume"),
  upload: (file, name, signal) =>
    ask("POST", `${photographs}?name=${encodeURIComponent(name)}`, file, signal),
  photograph: (id) => ask("GET", `${photographs}/${id}`),
  remove: (id) => ask("DELETE", `${photographs}/${id}`),
  correct: (id, correction) => ask("POST", `${photographs}/${id}/corrections`, correction),
  command: () => ask("GET", "api/downloads/command.txt"),
};

export const thumbnailOf = (id) => `${photographs}/${id}/thumbnail.jpg`;
export const annotatedOf = (id) => `${photographs}/${id}/annotated.png`;
export const tileOf = (id, level, column, row) =>
  `${photographs}/${id}/tiles/${level}/${column}_${row}.jpg`;
