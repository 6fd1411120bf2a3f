import { beforeEach, describe, expect, test } from 'vitest';
import { createApi, errorOf } from '../kit/api.ts';
import { logos } from '../kit/logos.ts';

const api = await createApi();
const { app, as, sql } = api;
const admin = as('admin');
const path = '/api/settings/company';

beforeEach(async () => {
  await sql`delete from company`;
});

const getCompany = async () =>
  (await app.inject({ url: path })).json<{ name: string; logo: { url: string } | null }>();
const upload = (content: Buffer, type = 'application/octet-stream') =>
  admin('PUT', `${path}/logo`, content, { 'content-type': type });

test('only an admin can change the name, anyone can read it, and each change is audited', async () => {
  expect(await getCompany()).toEqual({ name: '', logo: null });
  const answer = await admin('PUT', path, { name: ' Central Saúde ' });
  expect([answer.statusCode, answer.json()]).toEqual([200, { name: 'Central Saúde', logo: null }]);
  expect(await getCompany()).toMatchObject({ name: 'Central Saúde' });
  expect((await as('operator')('PUT', path, { name: 'x' })).statusCode).toBe(403);
  const [entry] = await sql`select action, changes from audit_log order by id desc limit 1`;
  expect(entry).toMatchObject({ action: 'company.update', changes: { name: ['', 'Central Saúde'] } });
});

test('a change based on an outdated version is rejected', async () => {
  const { headers } = await app.inject({ url: path });
  await admin('PUT', path, { name: 'A' });
  const late = await admin('PUT', path, { name: 'B' }, { 'if-match': String(headers.etag) });
  expect(errorOf(late).code).toBe('version_conflict');
});

describe.each(Object.entries(logos))('%s', (type, content) => {
  test('is recognized by its content, and is served only as an image', async () => {
    // The content decides, not the type that the client sends.
    const answer = await upload(content, 'image/png');
    expect([answer.statusCode, answer.body]).toMatchObject([200, expect.any(String)]);
    expect(await getCompany()).toMatchObject({ logo: { type, width: 5, height: 3 } });
    const logo = await app.inject({ url: (await getCompany()).logo?.url ?? '' });
    expect(logo.rawPayload.equals(content)).toBe(true);
    expect(logo.headers).toMatchObject({
      'content-type': type,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'cache-control': 'public, max-age=31536000, immutable',
    });
    // The image at a URL without the hash can change.
    const bare = await app.inject({ url: `${path}/logo` });
    expect(bare.headers['cache-control']).toBe('no-cache');
  });
});

test('a new logo gets a new URL, and a removed logo is no longer served', async () => {
  await upload(logos['image/png']);
  const before = (await getCompany()).logo?.url ?? '';
  await upload(logos['image/webp']);
  expect((await getCompany()).logo?.url).not.toBe(before);
  expect((await admin('DELETE', `${path}/logo`)).statusCode).toBe(204);
  expect((await app.inject({ url: `${path}/logo` })).statusCode).toBe(404);
  expect(await getCompany()).toMatchObject({ logo: null });
  const actions =
    await sql`select details from audit_log where action = 'company.logo' order by id desc limit 2`;
  expect(actions.map(({ details }: { details?: unknown }) => details)).toMatchObject([
    { removed: true },
    { type: 'image/webp', bytes: logos['image/webp'].length },
  ]);
});

test.each([
  [
    'an SVG with the type of a PNG',
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    422,
    'logo_type',
  ],
  ['an empty file', Buffer.alloc(0), 422, 'missing'],
  ['an image wider than 2,000 pixels', ofWidth(2_001), 422, 'logo_size'],
  ['a file larger than 256 KiB', Buffer.alloc(256 * 1024 + 1), 413, undefined],
])('%s is rejected, and the logo stays the same', async (_name, content, status, code) => {
  await upload(logos['image/png']);
  const before = await getCompany();
  const answer = await upload(content, 'image/png');
  expect([answer.statusCode, errorOf(answer).problems?.[0]?.code]).toEqual([status, code]);
  expect(await getCompany()).toEqual(before);
});

test('an SVG is rejected by its type', async () => {
  expect(errorOf(await upload(Buffer.from('<svg/>'), 'image/svg+xml')).code).toBe('unsupported_type');
});

function ofWidth(width: number): Buffer {
  const image = Buffer.from(logos['image/png']);
  image.writeUInt32BE(width, 16);
  return image;
}
