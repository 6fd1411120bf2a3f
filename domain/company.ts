import { z } from 'zod';
import { coded } from './problems/coded.ts';

/** What a deployment shows as its own: the company's name, and a logo. */

export const maxLogoBytes = 256 * 1024;
/** A compressed image of 256 KiB may unfold to gigabytes in a browser: its sides are limited, too. */
export const maxLogoPixels = 2_000;

/** Empty: the console shows its own name. In the subject of mails, so on one line. */
export const companyName = z
  .string()
  .trim()
  .max(60)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, coded('control_character'))
  .default('');

/** Not SVG: it may contain scripts, and would run them when opened by its address. */
export const logoTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;

const logoFacts = z.object({ type: z.enum(logoTypes), width: z.int(), height: z.int() });
type LogoFacts = z.infer<typeof logoFacts>;

/** With the hash of its content, which is part of its address. */
export const keptLogo = logoFacts.extend({ hash: z.string() });
export type KeptLogo = z.infer<typeof keptLogo>;

/** The type and size of an image by its content, whatever it is called; null: none of `logoTypes`. */
export function readLogo(bytes: Uint8Array): LogoFacts | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const found = readPng(view) ?? readWebp(view) ?? readJpeg(view);
    return found && found.width > 0 && found.height > 0 ? found : null;
  } catch (error) {
    // The file ends before its size.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Each character is one byte. */
const matches = (view: DataView, at: number, bytes: string): boolean =>
  Array.from(bytes).every((character, index) => view.getUint8(at + index) === character.charCodeAt(0));

/** W3C PNG, 5.2 and 11.2.1: the signature, then the chunk IHDR. */
function readPng(view: DataView): LogoFacts | null {
  if (!matches(view, 0, '\x89PNG\r\n\x1a\n') || !matches(view, 12, 'IHDR')) return null;
  return { type: 'image/png', width: view.getUint32(16), height: view.getUint32(20) };
}

/** RFC 9649, 2: a RIFF file whose first chunk is VP8 (lossy), VP8L (lossless) or VP8X (extended). */
function readWebp(view: DataView): LogoFacts | null {
  if (!matches(view, 0, 'RIFF') || !matches(view, 8, 'WEBP')) return null;
  const type = 'image/webp';
  if (matches(view, 12, 'VP8X')) {
    const side = (at: number): number => 1 + view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_00_00;
    return { type, width: side(24), height: side(27) };
  }
  if (matches(view, 12, 'VP8L')) {
    if (view.getUint8(20) !== 0x2f) return null;
    const bits = view.getUint32(21, true);
    return { type, width: 1 + (bits & 0x3f_ff), height: 1 + ((bits >>> 14) & 0x3f_ff) };
  }
  if (!matches(view, 12, 'VP8 ') || !matches(view, 23, '\x9d\x01\x2a')) return null;
  return { type, width: view.getUint16(26, true) & 0x3f_ff, height: view.getUint16(28, true) & 0x3f_ff };
}

/** ITU-T T.81, B.1.1: markers, of which the start of frame (C0 to CF, without C4, C8 and CC) has the size. */
function readJpeg(view: DataView): LogoFacts | null {
  if (view.getUint16(0) !== 0xff_d8) return null;
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    // Fill bytes.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { type: 'image/jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    // The data of the image, or its end: no size came before.
    if (marker === 0xda || marker === 0xd9) return null;
    at += 2 + view.getUint16(at + 2);
  }
}
