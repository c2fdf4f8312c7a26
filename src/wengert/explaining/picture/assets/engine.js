// What V8 lacks when it runs outside a browser and Graphviz's build asks for. Loaded before it.

var performance = { now: () => Date.now() };
var self = globalThis;
self.location = { href: "" };
var WorkerGlobalScope = function () {};
var importScripts = function () {};
var crypto = { getRandomValues: (bytes) => bytes.fill(7) }; // nothing is secret, and pictures are alike

class TextDecoder {
  decode(bytes) {
    let text = "";
    for (let k = 0; k < bytes.length; ++k) text += `%${bytes[k] < 16 ? "0" : ""}${bytes[k].toString(16)}`;
    return decodeURIComponent(text);
  }
}

class TextEncoder {
  encode(text) {
    const encoded = unescape(encodeURIComponent(text));
    return Uint8Array.from(encoded, (letter) => letter.charCodeAt(0));
  }
  encodeInto(text, bytes) {
    const encoded = this.encode(text);
    bytes.set(encoded);
    return { read: text.length, written: encoded.length };
  }
}
