import fc from 'fast-check';
import { expect, test } from 'vitest';
import { companyName, readLogo } from '../../domain/company.ts';
import { logos } from '../kit/logos.ts';

test.each(Object.entries(logos))('%s is recognized by its content, with its size', (type, content) => {
  expect(readLogo(content)).toEqual({ type, width: 5, height: 3 });
});

test.each(Object.entries(logos))('a %s that ends before its size is not a logo', (_type, content) => {
  for (const length of [0, 1, 8, 16]) expect(readLogo(content.subarray(0, length))).toBeNull();
});

/** https://developers.google.com/speed/webp/docs/riff_container: 14 bits for each side, stored less one. */
const lossless = (width: number, height: number): Buffer => {
  const bits = Buffer.alloc(4);
  bits.writeUInt32LE(((height - 1) << 14) | (width - 1));
  return Buffer.concat([Buffer.from('RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f', 'latin1'), bits]);
};
const lossy = (width: number, height: number): Buffer => {
  const sides = Buffer.alloc(4);
  sides.writeUInt16LE(width);
  sides.writeUInt16LE(height, 2);
  return Buffer.concat([Buffer.from('RIFF\x1a\0\0\0WEBPVP8 \x0d\0\0\0\0\0\0\x9d\x01\x2a', 'latin1'), sides]);
};
const extended = (width: number, height: number): Buffer => {
  const sides = Buffer.alloc(6);
  sides.writeUIntLE(width - 1, 0, 3);
  sides.writeUIntLE(height - 1, 3, 3);
  return Buffer.concat([Buffer.from('RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0', 'latin1'), sides]);
};

test.each([lossless, lossy, extended])('the size is read from each kind of WebP', (of) => {
  expect(readLogo(of(16_383, 300))).toEqual({ type: 'image/webp', width: 16_383, height: 300 });
});

test.each([
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
  ['a page', '<!doctype html><script>alert(1)</script>'],
  ['GIF', 'GIF89a\x05\0\x03\0'],
  ['a PNG without a header', '\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82\0\0\0\0'],
  ['a JPEG with an image but no size', '\xff\xd8\xff\xda\0\x08\x01\x01\0\0\x3f\0\xff\xd9'],
  ['a PNG of width 0', '\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\x03'],
])('%s is not a logo', (_name, content) => {
  expect(readLogo(Buffer.from(content, 'latin1'))).toBeNull();
});

test('reading a logo never throws and always ends', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', '\xff\xd8', '\x89PNG\r\n\x1a\n', 'RIFF\0\0\0\0WEBP'),
      fc.uint8Array({ maxLength: 60 }),
      (start, rest) => {
        const found = readLogo(Buffer.concat([Buffer.from(start, 'latin1'), rest]));
        if (found) expect(Math.min(found.width, found.height)).toBeGreaterThan(0);
      },
    ),
  );
});

test('the company name is one line, because mails have it in their subject', () => {
  expect(companyName.parse('  Central Saúde ')).toBe('Central Saúde');
  for (const name of ['A\r\nBcc: x@example.com', 'A\u2028B', 'x'.repeat(61)]) {
    expect(companyName.safeParse(name).success).toBe(false);
  }
});
