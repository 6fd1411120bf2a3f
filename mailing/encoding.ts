import { windows1252Of } from './windows-1252.ts';

/**
 * Detects the single-byte encoding of a text. Windows-1252, Mac Roman and DOS (code page 850) all decode any bytes to
 * some text; only one of them yields Portuguese.
 */

const high = {
  'Mac Roman':
    'ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ',
  'DOS (CP850)':
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
} as const;

export type SingleByte = 'Windows-1252' | keyof typeof high;

/** The text of bytes that were decoded as Latin-1. */
export const decodeSingleByte = (latin1: string, encoding: SingleByte): string =>
  encoding === 'Windows-1252'
    ? windows1252Of(latin1)
    : latin1.replaceAll(/[\u0080-\u00ff]/g, (code) => high[encoding].charAt(code.charCodeAt(0) - 0x80));

const lower = 'áâãàäçéêèëíîïóôõòöúûüñ';
const upper = lower.toUpperCase();
const letter = `A-Za-z${lower}${upper}`;
/**
 * A character beyond ASCII in Portuguese usage: a letter in the case of its neighbors, an ordinal after a number or its
 * n, a mark between words.
 */
const usual = new RegExp(
  [
    `(?<![${letter}])[àáéóÀÁÉÓ](?![${letter}])`,
    `(?<=[a-z${lower}]|(?<![${letter}])[A-Z${upper}])[${lower}](?![A-Z${upper}])`,
    `(?<![${letter}])(?:[áâéêíóôú](?=[a-z${lower}])|à(?=s\\b|quel))`,
    `(?<=[A-Z${upper}])[${upper}](?![a-z${lower}])`,
    `(?<![${letter}])[${upper}]`,
    '(?<=[0-9]|\\b[nN])[ºª°]',
    '(?<=^|[\\s;,(])[“‘](?=[A-Za-z0-9])|(?<=[A-Za-z0-9.,!?])[”](?![A-Za-z])',
    `(?<=(?<![${letter}])[dDlLoO])’(?=[${letter}])`,
    '(?<=^|\\s)[–—•](?=\\s)|(?<=[0-9])[–](?=[0-9])',
    `(?<![${letter}])[§£©®]`,
    '…(?=\\s|$)|€(?=\\s?[0-9])|(?<=[0-9]\\s?)€|(?<=[^A-Za-z])\u00a0|\u00a0(?![A-Za-z])',
  ].join('|'),
  'gu',
);
/** Every Portuguese text soon contains one of them, and false matches are rare. */
const frequent = /[ãÃ][oOeE]|[õÕ][eE]|[çÇ][ãÃõÕ]/gu;

/**
 * The encoding of a text that is not UTF-8, from a part of it (decoded as Latin-1); null if it is not certain.
 * Windows-1252 unless that yields no Portuguese, because it is by far the most common.
 */
export function singleByteOf(latin1: string): SingleByte | null {
  const scores = (['Windows-1252', 'Mac Roman', 'DOS (CP850)'] as const).map((encoding) => {
    const text = decodeSingleByte(latin1, encoding);
    const beyond = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
    return {
      encoding,
      share: beyond === 0 ? 1 : (text.match(usual)?.length ?? 0) / beyond,
      frequent: text.match(frequent)?.length ?? 0,
    };
  });
  const [windows, ...others] = scores;
  const best = others.toSorted((a, b) => b.share - a.share || b.frequent - a.frequent);
  const [first, second] = best;
  if (windows === undefined || first === undefined || second === undefined) return null;
  const isUnassigned = /[\u0081\u008d\u008f\u0090\u009d]/.test(latin1);
  if (!isUnassigned && windows.share >= first.share) {
    return windows.share > 0 || first.share === 0 ? windows.encoding : null;
  }
  const isClear = first.share > second.share || first.frequent > second.frequent;
  if (first.share >= 0.9 && isClear && first.share - (isUnassigned ? 0 : windows.share) >= 0.2)
    return first.encoding;
  return !isUnassigned && windows.share >= 0.8 ? windows.encoding : null;
}

/**
 * Decodes bytes that should be UTF-8. If they are invalid, and no character beyond ASCII in them is valid UTF-8, they
 * are decoded as single bytes if that is certain. Otherwise U+FFFD replaces each invalid byte.
 */
export function decodeAlone(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd') || /[^\0-\x7f\ufffd]/.test(text)) return text;
  const latin1 = bytes.toString('latin1');
  const found = singleByteOf(latin1);
  return found === null ? text : decodeSingleByte(latin1, found);
}
