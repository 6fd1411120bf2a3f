import { gsmBasic, gsmExtension } from '../../domain/segments.ts';

/** SMS texts as hexadecimal digits, as in SMPP: one byte per GSM 03.38 character (3GPP TS 23.038, 6.2.1), or UTF-16. */

const escape = 0x1b;
/** The bytes of `gsmExtension`, after the escape: 3GPP TS 23.038, 6.2.1.1. */
const extensionBytes = [0x0a, 0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65];

const gsmBytes = new Map<string, readonly number[]>([
  // `gsmBasic` omits the escape.
  ...Array.from(gsmBasic, (character, index): [string, number[]] => [
    character,
    [index < escape ? index : index + 1],
  ]),
  ...Array.from(gsmExtension, (character, index): [string, number[]] => [
    character,
    [escape, extensionBytes[index] ?? 0],
  ]),
]);

/** GSM 03.38 if the text fits, else UTF-16. */
export function encodeHex(text: string, encoding: 'GSM-7' | 'UCS-2'): string {
  const bytes =
    encoding === 'GSM-7'
      ? Buffer.from(Array.from(text, (character) => gsmBytes.get(character) ?? []).flat())
      : Buffer.from(text, 'utf16le').swap16();
  return bytes.toString('hex').toUpperCase();
}

/** Decodes by SMPP's data coding (SMPP 3.4, 5.2.19). Null: an operator's own alphabet, or invalid digits. */
export function decodeHex(digits: string, coding: string): string | null {
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(digits)) return null;
  const bytes = Buffer.from(digits, 'hex');
  switch (coding) {
    case '3':
      return bytes.toString('latin1');
    case '8':
      return bytes.length % 2 === 0 ? bytes.swap16().toString('utf16le') : null;
    default:
      return null;
  }
}
