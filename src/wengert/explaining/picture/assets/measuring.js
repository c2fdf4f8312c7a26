// How wide text is, without a browser: the widths of DejaVu Sans, the widest of the fonts in use, in
// hundredths of the font size, so that what fits by these fits in all of them.

const ASCII_WIDTHS = [
  32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
  34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69,
  63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28,
  97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
];
const NARROW = /[\u2070-\u209f\u00b2\u00b3\u00b9\u1d40-\u1d6a\u00b7\u2016]/; // small figures, · and ‖
const COMBINING = /\p{M}/u;
const BOLDER = 1.13;

/** The width of a line of text in pixels, at a font size in pixels. */
function widthOf(text, size, bold = false) {
  let hundredths = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0);
    if (code >= 32 && code < 127) hundredths += ASCII_WIDTHS[code - 32];
    else if (COMBINING.test(letter)) continue;
    else if (NARROW.test(letter)) hundredths += 42;
    else hundredths += code < 0x2e80 ? 78 : 104; // East Asian letters are as wide as they are high
  }
  return ((hundredths * size) / 100) * (bold ? BOLDER : 1);
}

/** The text, or its beginning and an ellipsis where it is longer than so many letters. */
function shortened(text, letters) {
  const all = [...text];
  return all.length <= letters ? text : `${all.slice(0, letters - 1).join("")}…`;
}
