/** A quoted text, or the characters between two. */
const parts = /"(?:[^"\\]|\\[\s\S])*"|[^"]+/g;

/**
 * Repairs common mistakes in JSON that programs write by hand: control characters inside texts, a backslash that
 * escapes nothing (`C:\dados`), and the words of Python, JavaScript and .NET for null, true and false. Other mistakes
 * stay.
 */
export const repairJson = (json: string): string =>
  json.replaceAll(parts, (part) => (part.startsWith('"') ? repairText(part) : mendWords(part)));

const repairText = (text: string): string =>
  text
    .replaceAll(/\\(?:["\\/bfnrt]|u[\da-f]{4})|\\/gi, (escape) => (escape === '\\' ? '\\\\' : escape))
    .replaceAll(
      // eslint-disable-next-line no-control-regex -- These are what JSON forbids inside of texts.
      /[\0-\x1f]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );

const words: Readonly<Record<string, string>> = { True: 'true', False: 'false' };
const mendWords = (between: string): string =>
  between.replaceAll(/-?\b(?:NaN|Infinity|undefined|None|True|False)\b/g, (word) => words[word] ?? 'null');
