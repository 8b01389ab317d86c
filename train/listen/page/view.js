"use strict";
// The parts that screens are made of: text is set as text, never as HTML.
var Samsori = window.Samsori || {};

(function () {
  Samsori.tongue = "en";

  Samsori.say = function (key, values) {
    var text = Samsori.words[Samsori.tongue][key] || Samsori.words.en[key];
    return text.replace(/\{(\w+)\}/g, function (_, name) { return values && name in values ? values[name] : ""; });
  };

  // An element: h("p.hint", {lang: "km"}, "text", child, ...); functions among the attributes are listeners.
  function h(name, attributes) {
    var parts = name.split("."), element = document.createElement(parts[0]);
    element.className = parts.slice(1).join(" ");
    if (!element.className) element.removeAttribute("class");
    Object.keys(attributes || {}).forEach(function (key) {
      var value = attributes[key];
      if (typeof value === "function") element.addEventListener(key, value);
      else if (value === true) element.setAttribute(key, "");
      else if (value !== false && value !== undefined && value !== null) element.setAttribute(key, value);
    });
    Array.prototype.slice.call(arguments, 2).forEach(function add(child) {
      if (Array.isArray(child)) child.forEach(add);
      else if (child !== null && child !== undefined) element.append(child);
    });
    return element;
  }
  Samsori.h = h;

  // Put a screen in the place of the last one; whoever reads by ear is taken to its heading.
  Samsori.show = function (title) {
    Samsori.quiet();
    var main = document.getElementById("main");
    var heading = h("h1", { tabindex: "-1" }, title);
    var parts = Array.prototype.slice.call(arguments, 1).filter(function (part) { return part !== null; });
    main.replaceChildren.apply(main, [heading].concat(parts)); // a null would be shown as a word
    window.scrollTo(0, 0);
    heading.focus({ preventScroll: true });
    return heading;
  };

  Samsori.button = function (text, action, style) {
    return h("button" + (style ? "." + style : ""), { type: "button", click: action }, text);
  };

  // Radio buttons with a legend; options are [value, text, shown before it].
  Samsori.choice = function (name, legend, options, changed) {
    return h("fieldset", { id: name }, h("legend", {}, legend), options.map(function (option) {
      var id = name + "_" + option[0];
      var input = h("input", { type: "radio", name: name, id: id, value: option[0], change: changed });
      var mark = option[2] === undefined ? null : h("span.value", { "aria-hidden": "true" }, option[2]);
      return h("label.option", { for: id }, input, mark, h("span", {}, option[1]));
    }));
  };

  Samsori.chosen = function (form, name) {
    var input = form.querySelector("input[name=" + name + "]:checked");
    return input ? input.value : null;
  };

  // A notice that readers of the screen hear, empty until `tell` is called.
  Samsori.notice = function () {
    var element = h("p.notice", { role: "status" });
    return { element: element, tell: function (text) { element.textContent = text; element.hidden = !text; } };
  };

  // A recording with its button and how far it is.
  Samsori.player = function (label, url, changed, note) {
    var say = Samsori.say, bar = h("span.bar", { "aria-hidden": "true" }), text = h("span", {}, say("play"));
    var button = h("button.play", { type: "button", "aria-label": label ? label + ": " + say("play") : say("play") }, bar, text);
    var clip = new Samsori.Clip(url, function (state) {
      var word = state === "starting" ? say("starting") : state === "playing" ? say("playing") : state === "heard" ? say("play_again") : say("play");
      text.textContent = word;
      button.setAttribute("aria-label", label ? label + ": " + word : word);
      button.classList.toggle("sounding", state === "playing" || state === "starting");
      button.classList.toggle("heard", clip.heard);
      if (state === "heard") bar.style.width = "100%";
      changed(clip, state);
    }, note);
    button.addEventListener("click", function () {
      if (clip.state !== "starting" && clip.state !== "playing") clip.play();
    });
    (function move() {
      if (clip.state === "playing") bar.style.width = 100 * clip.share() + "%";
      else if (clip.state === "starting") bar.style.width = "0";
      if (button.isConnected || !clip.plays) window.requestAnimationFrame(move);
    })();
    return { clip: clip, button: button, element: h("div.player", {}, label ? h("p.which", {}, label) : null, button) };
  };
})();
window.Samsori = Samsori;
