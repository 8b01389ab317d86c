// Sounds: one at a time, at the speed that was chosen; the line over the spectrogram; words that are clicked.

const players = {
  speed: 1,
  setSpeed(speed) {
    this.speed = Math.min(3, Math.max(0.5, Math.round(speed * 100) / 100));
    kept.set("samsori-speed", String(this.speed));
    for (const audio of document.querySelectorAll("audio")) audio.playbackRate = this.speed;
    for (const select of document.querySelectorAll("[data-speed]")) {
      if (![...select.options].some((o) => Number(o.value) === this.speed)) {
        select.append(make("option", { value: this.speed }, this.speed + "×"));
      }
      select.value = String(this.speed);
    }
  },
  start() {
    document.addEventListener("play", (event) => {
      for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
      event.target.playbackRate = this.speed;
      this.follow(event.target);
    }, true);
    document.addEventListener("click", (event) => {
      const word = event.target.closest && event.target.closest("button.word");
      if (word) this.playFrom(word.closest(".sound").querySelector("audio"), Number(word.dataset.from));
    });
    document.addEventListener("error", (event) => {
      if (event.target instanceof HTMLAudioElement) this.missing(event.target);
    }, true);
    document.addEventListener("change", (event) => {
      if (event.target.matches && event.target.matches("[data-speed]")) this.setSpeed(Number(event.target.value));
    });
    this.setSpeed(Number(kept.get("samsori-speed")) || 1);
  },
  playFrom(audio, seconds) {
    audio.currentTime = Math.max(0, seconds);
    audio.play();
  },
  /** The line over the spectrogram, and the word that is being said. */
  follow(audio) {
    const sound = audio.closest(".sound"), head = sound && sound.querySelector(".head");
    if (!head) return;
    const words = [...sound.querySelectorAll("button.word")];
    const step = () => {
      const length = audio.duration || 1;
      head.style.left = (100 * Math.min(1, audio.currentTime / length)).toFixed(2) + "%";
      const now = words.filter((word) => Number(word.dataset.from) <= audio.currentTime).pop();
      words.forEach((word) => word.classList.toggle("now", word === now && !audio.paused));
      if (!audio.paused && !audio.ended && audio.isConnected) requestAnimationFrame(step);
    };
    step();
  },
  missing(audio) {
    if (audio.dataset.missing) return;
    audio.dataset.missing = "1";
    audio.after(make("p", { class: "small soft" },
      "This sound is not where it was: " + (audio.getAttribute("src").startsWith("data:") ? "it cannot be played here" : audio.getAttribute("src"))));
  },
};
