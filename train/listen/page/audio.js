"use strict";
// One recording: it starts by a tap, is heard from its beginning to its end, and says so when it does not start.
var Samsori = window.Samsori || {};

(function () {
  var SLOW = 4000;    // ms without a sound after a tap, or without progress, until the listener is told
  var MISSED = 0.3;   // seconds of a recording that may lack among the parts played (browsers round)
  var current = null; // one recording sounds at a time

  // tell(state): starting, playing, heard, slow, broken, stopped. note(kind, value): for the record.
  Samsori.Clip = function (url, tell, note) {
    var clip = this, audio = new Audio(), watch = null, since = 0, position = 0;
    clip.state = "idle"; clip.heard = false; clip.plays = 0; clip.audio = audio;
    audio.preload = "auto";
    audio.src = url;

    function become(state) { clip.state = state; tell(state); }

    function rest() {
      if (watch) window.clearInterval(watch);
      watch = null;
      if (current === clip) current = null;
    }

    function fail(state, why) {
      if (!watch) return;  // only what was asked for can fail
      rest();
      note(state, why);
      audio.pause();
      become(state);
    }

    function look() {
      if (audio.currentTime !== position) {
        position = audio.currentTime; since = Date.now();
        if (position > 0 && clip.state !== "playing") { note("playing", Math.round(position * 1000)); become("playing"); }
      } else if (Date.now() - since > SLOW) {
        fail(clip.state === "playing" ? "stopped" : "slow", "no progress");
      }
    }

    function whole() {  // a media key or a headset can jump: what counts is what was played
      var seconds = 0;
      for (var i = 0; i < audio.played.length; i++) seconds += audio.played.end(i) - audio.played.start(i);
      return seconds >= audio.duration - MISSED;
    }

    audio.addEventListener("ended", function () {
      if (!watch) return;
      if (!whole()) { fail("stopped", "jumped"); return; }
      rest();
      clip.heard = true;
      note("ended", clip.plays);
      become("heard");
    });
    audio.addEventListener("error", function () { fail("broken", audio.error ? audio.error.code : 0); });
    audio.addEventListener("pause", function () { if (!audio.ended && watch) fail("stopped", "paused"); });
    audio.addEventListener("seeking", function () { if (watch && clip.state === "playing") note("seek", audio.currentTime); });
    audio.addEventListener("ratechange", function () { if (audio.playbackRate !== 1) audio.playbackRate = 1; });

    clip.play = function () {
      if (current) current.stop();
      current = clip;
      clip.plays += 1;
      if (audio.error || clip.state === "slow" || clip.state === "broken") audio.load();  // a second try asks again
      else if (audio.currentTime) audio.currentTime = 0;
      position = 0; since = Date.now();
      watch = window.setInterval(look, 50);
      become("starting");
      note("play", clip.plays);
      var promise = audio.play();
      if (promise) promise.catch(function (why) { if (why.name !== "AbortError") fail("broken", why.name); });
    };
    clip.stop = function () { if (watch) { rest(); audio.pause(); become(clip.heard ? "heard" : "idle"); } };
    clip.share = function () { return audio.duration ? Math.min(1, audio.currentTime / audio.duration) : 0; };
  };

  Samsori.quiet = function () { if (current) current.stop(); };

  // Have the next recording at hand, so that slow connections do not make listeners wait.
  Samsori.fetchAhead = function (urls) {
    urls.forEach(function (url) { var audio = new Audio(); audio.preload = "auto"; audio.src = url; });
  };
})();
window.Samsori = Samsori;
