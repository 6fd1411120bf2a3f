import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorBody } from '../../api/http/errors.ts';
import { defaultNames } from '../../domain/webservice.ts';
import { webserviceRefusals } from '../../mailing/refused.ts';
import { defaultWebserviceLimits } from '../../mailing/webservice.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

test('the API page lists every error code and no other', () => {
  const listed = all(read('docs/api.md'), /^\| \d{3} \| `(\w+)` \|/gm);
  expect(listed.toSorted()).toEqual(errorBody.shape.error.shape.code.options.toSorted());
});

test('every setting is explained in .env.example, and in the README or the page on operations', () => {
  const settings = all(read('config.ts'), /^ {2}([A-Z_]{3,}): /gm);
  expect(settings).toContain('DATABASE_URL');
  const example = read('.env.example');
  const pages = read('README.md') + read('docs/operations.md');
  expect(settings.filter((name) => !new RegExp(`^#?${name}=`, 'm').test(example))).toEqual([]);
  expect(settings.filter((name) => !pages.includes(`\`${name}\``))).toEqual([]);
});

test('every setting reaches the containers of the compose file', () => {
  const settings = all(read('config.ts'), /^ {2}([A-Z_]{3,}): /gm);
  const passed = new Set(all(read('docker-compose.yml'), /^ {4}([A-Z_]+): \S/gm));
  expect(settings.filter((name) => !passed.has(name))).toEqual([]);
});

const folder = new URL('../../', import.meta.url);
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(new URL('docs/', folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
/** The anchors of a page, as GitHub names its headings. */
const anchorsOf = (page: string): string[] =>
  all(page.replaceAll(/^```.*?^```/gms, ''), /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(pages)('the links of %s have an existing target', (page) => {
  for (const link of all(read(page), /\]\(([^)\s]+)\)/g)) {
    if (/^(https?|mailto):/.test(link)) continue;
    const target = new URL(link, new URL(page, folder));
    const anchor = target.hash.slice(1);
    target.hash = '';
    expect(existsSync(target), `${page}: ${link}`).toBe(true);
    if (anchor !== '') expect(anchorsOf(readFileSync(target, 'utf8')), `${page}: ${link}`).toContain(anchor);
  }
});

test('the page on web services has every code, limit and default name of the code', () => {
  const page = read('docs/webservice.md');
  const codes = new Set(all(page, /`(\w+)`/g));
  expect(webserviceRefusals.filter((code) => !codes.has(code))).toEqual([]);

  const rows = { code: 'code', name: 'name', mobile: 'mobile', phone: 'phone', phone2: 'phone 2' };
  for (const [field, row] of Object.entries({ ...rows, birthDate: 'birth date', customMessage: 'message' })) {
    const names = new RegExp(`^\\| ${row} \\| (.*) \\|$`, 'm').exec(page)?.[1] ?? '';
    expect(all(names, /`(\w+)`/g), field).toEqual(
      Object.entries(defaultNames).find(([name]) => name === field)?.[1],
    );
  }

  const { depth, pages, recordBytes, bytes, redirects, idleMs, totalMs } = defaultWebserviceLimits;
  const flowing = page.replaceAll(/\s+/g, ' ');
  for (const limit of [
    `up to ${bytes / 2 ** 30} GiB`,
    `At most ${recordBytes / 2 ** 20} MiB for one record`,
    `${depth} levels of nesting`,
    `${pages.toLocaleString('en')} pages`,
    `${totalMs / 60_000} minutes for all of it`,
    `${idleMs / 1000} seconds without a byte`,
    `Up to ${redirects} redirects`,
  ])
    expect(flowing).toContain(limit);
});

test('the page on security has all ten OWASP items, and every test that it names exists', () => {
  const page = read('docs/security.md');
  const items = all(page, /^\| API(\d+) [^|]+\|[^|]+\| `test\//gm);
  expect(items).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  const tests = all(page, /`(test\/[^`]+)`/g);
  expect(tests.length).toBeGreaterThan(20);
  for (const name of tests) expect(read(name), name).toMatch(/^\s*test(?:\.each)?[(<]/m);
});
