/**
 * The Windows-1252 characters in place of Latin-1's control characters 80 to 9F; a space for undefined ones. Our own
 * table, because TextDecoder('windows-1252') of Node 20.20 decodes Latin-1 (“ ” and € become control characters).
 */
const codes80To9f = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';

/** The text of bytes that were decoded as Latin-1. */
export const windows1252Of = (latin1: string): string =>
  latin1.replaceAll(/[\u0080-\u009f]/g, (code) => codes80To9f.charAt(code.charCodeAt(0) - 0x80));
