"use strict";
// The order of a listener's items, the same as train/listen/design.py: sorted by sha256(seed, listener, item), and what
// stands in a Latin square. SHA-256 is written out (FIPS 180-4) because browsers offer theirs to https alone.
var Samsori = window.Samsori || {};

(function () {
  var K = [], START = [];

  (function constants() {  // the first 32 bits of the fractions of roots of the first 64 primes
    function fraction(value) { return ((value - Math.floor(value)) * 4294967296) | 0; }
    for (var n = 2; K.length < 64; n++) {
      var prime = true;
      for (var d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
      if (!prime) continue;
      if (START.length < 8) START.push(fraction(Math.sqrt(n)));
      K.push(fraction(Math.cbrt(n)));
    }
  })();

  function rotate(x, by) { return (x >>> by) | (x << (32 - by)); }

  function compress(state, words) {
    var w = words.slice(), i;
    for (i = 16; i < 64; i++) {
      var s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      var s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    var a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (i = 0; i < 64; i++) {
      var big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      var first = (h + big1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      var big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      var second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + first) | 0; d = c; c = b; b = a; a = (first + second) | 0;
    }
    return [a, b, c, d, e, f, g, h].map(function (value, at) { return (value + state[at]) | 0; });
  }

  Samsori.sha256 = function (text) {
    var bytes = Array.prototype.slice.call(new TextEncoder().encode(text)), bits = bytes.length * 8;
    bytes.push(0x80);
    while (bytes.length % 64 !== 56) bytes.push(0);
    for (var shift = 56; shift >= 0; shift -= 8) bytes.push(Math.floor(bits / Math.pow(2, shift)) & 255);
    var state = START;
    for (var at = 0; at < bytes.length; at += 64) {
      var words = [];
      for (var i = at; i < at + 64; i += 4) {
        words.push((bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3]);
      }
      state = compress(state, words);
    }
    return state.map(function (word) { return (word >>> 0).toString(16).padStart(8, "0"); }).join("");
  };

  Samsori.latin = function (square, j, listener) { return square[(j + listener) % square.length]; };

  // Training items first, each part by its hash.
  Samsori.ordered = function (list) {
    var keyed = list.trials.map(function (trial) {
      var hash = Samsori.sha256(list.seed + ":" + list.listener + ":" + trial.id);
      return { key: (trial.practice ? "0" : "1") + hash, trial: trial };
    });
    keyed.sort(function (one, other) { return one.key < other.key ? -1 : 1; });
    return keyed.map(function (each) { return each.trial; });
  };
})();
window.Samsori = Samsori;
