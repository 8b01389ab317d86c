"use strict";
// Are these headphones? Three tones of 200 Hz; one is 6 dB quieter, another has its channels in opposite phase, which
// loudspeakers cancel so that it seems the quietest (Woods and others, Attention, Perception & Psychophysics, 2017).
// The tones are made here: nothing is fetched.
var Samsori = window.Samsori || {};

(function () {
  var SECONDS = 0.8, PAUSE = 0.3, HERTZ = 200, LOUD = 0.25, QUIETER = Math.pow(10, -6 / 20), RAMP = 0.1;
  var SQUARE = ["plain", "quiet", "opposite"];
  Samsori.ROUNDS = 3;  // by chance alone one in 27 passes all

  Samsori.canCheck = function () { return Boolean(window.AudioContext || window.webkitAudioContext); };

  // Which of the three tones of a round is the quiet one, 0 to 2.
  Samsori.tones = function (round, number) {
    return [0, 1, 2].map(function (at) { return Samsori.latin(SQUARE, at + round * 2, number); });
  };

  function fill(buffer, at, kind, rate) {
    var left = buffer.getChannelData(0), right = buffer.getChannelData(1), start = Math.round(at * rate);
    for (var i = 0; i < SECONDS * rate; i++) {
      var time = i / rate, ramp = Math.min(1, time / RAMP, (SECONDS - time) / RAMP);
      var value = LOUD * ramp * Math.sin(2 * Math.PI * HERTZ * time) * (kind === "quiet" ? QUIETER : 1);
      left[start + i] = value;
      right[start + i] = kind === "opposite" ? -value : value;
    }
  }

  // Plays the tones; during(n) is called as tone n begins, done() after the last.
  Samsori.playTones = function (context, tones, during, done) {
    var rate = context.sampleRate, whole = SECONDS + PAUSE;
    var buffer = context.createBuffer(2, Math.ceil(tones.length * whole * rate), rate);
    tones.forEach(function (kind, at) { fill(buffer, at * whole, kind, rate); });
    var source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.onended = done;
    tones.forEach(function (_, at) { window.setTimeout(function () { during(at); }, at * whole * 1000); });
    if (context.state === "suspended") context.resume();
    source.start();
  };
})();
window.Samsori = Samsori;
