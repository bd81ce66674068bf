// Opens the rooms that the model has.

async function main() {
  translate();
  byId("subject").textContent = data.subject;
  for (const [name, words] of data.facts)
    byId("facts").append(make("dt", {}, text(name)), make("dd", {}, words));
  byId("facts").append(make("dt", {}, text("speed")), make("dd", { id: "speed" }));
  await network.start();
  byId("status").hidden = true;
  document.querySelector("main").hidden = false;
  byId("generator").hidden = !data.prior;
  byId("latent").hidden = !data.encode;
  if (data.encode) await openMap();
  if (data.prior) await openGenerator();
  document.documentElement.dataset.ready = "";
}
main().catch(fail);
