// What happens when the page is opened.

const THEMES = ["auto", "light", "dark"];
const theme = {
  now: kept.get("samsori-theme") || "auto",
  apply() {
    if (this.now === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", this.now);
    const button = document.getElementById("theme");
    button.textContent = { auto: "◐", light: "☀", dark: "☾" }[this.now] || "◐";
    button.setAttribute("aria-label", "Colours: " + (this.now === "auto" ? "as the system" : this.now));
    button.title = button.getAttribute("aria-label");
  },
  next() {
    this.now = THEMES[(THEMES.indexOf(this.now) + 1) % THEMES.length];
    kept.set("samsori-theme", this.now);
    this.apply();
  },
};

async function start() {
  document.documentElement.classList.add("scripted");
  theme.apply();
  document.getElementById("theme").addEventListener("click", () => theme.next());
  players.start();
  const data = await unpack(document.getElementById("packed").textContent);
  const clips = new Clips(data), verdicts = new Verdicts(data, clips);
  new WhatIf(data, new Decider(data)).start();
  verdicts.start();
  new ClipTable(data, clips, verdicts).start();
  document.documentElement.classList.add("ready");
}

start().catch((error) => {
  const told = make("p", { class: "note" }, "The interactive parts could not be started in this browser (" + error.message + "). Everything else on this page holds.");
  document.getElementById("whatif").append(told);
  console.error(error);
});
