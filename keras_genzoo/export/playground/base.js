// What every part of the page uses: elements, texts, data, and work that yields to the person.

const byId = (name) => document.getElementById(name);
const data = JSON.parse(byId("page-data").textContent);
const language = (navigator.language || "en").toLowerCase().startsWith("ja") ? "ja" : "en";

// A text of the page in the person's language; {names} in it are replaced.
function text(name, values = {}) {
  return data.texts[language][name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]"))
    element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", text(element.dataset.label));
}

// A word of a command line as a shell reads it; no name can then begin a command of its own.
const quoted = (word) => /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// The bytes of a part of the page: gzip inside base64.
async function bytesOf(name) {
  const packed = Uint8Array.from(atob(byId(`data-${name}`).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const floatsOf = async (name) => new Float32Array((await bytesOf(name)).buffer);

// Tells screen readers what happened, once a person pauses.
let speaking = 0;
function say(words) {
  clearTimeout(speaking);
  speaking = setTimeout(() => { byId("spoken").textContent = words; }, 400);
}

const pause = () => new Promise((resolve) => setTimeout(resolve));

// Returns a function that asks for the tasks to be done. They are done one after the other; when
// it is called again meanwhile, they begin anew after the first one, which is always finished.
let workers = 0;
function worker(...tasks) {
  let asked = 0, busy = false;
  const setBusy = (value) => {
    busy = value;
    workers += value ? 1 : -1;
    document.querySelector("main").setAttribute("aria-busy", workers > 0);
  };
  async function work() {
    setBusy(true);
    for (let done = -1; done !== asked;) {
      const mine = asked, stale = () => asked !== mine;
      for (const task of tasks) {
        await task(stale);
        await pause();
        if (stale()) break;
      }
      done = mine;
    }
    setBusy(false);
  }
  return () => { asked += 1; if (!busy) work().catch(fail); };
}

function fail(error) {
  const status = byId("status");
  status.hidden = false;
  status.className = "failed";
  status.textContent = text("failed", { reason: error.message || error });
  console.error(error);
}
