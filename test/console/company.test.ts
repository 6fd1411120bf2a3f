import { beforeEach, describe, expect, test } from 'vitest';
import { createConsole, languages, textOf } from '../kit/console.ts';
import { logos } from '../kit/logos.ts';
import { createSmtpServer } from '../kit/smtp.ts';

const ui = await createConsole();
const { sql } = ui;
const admin = await ui.signIn('admin');
const viewer = await ui.signIn('viewer');
const path = '/settings/company';

beforeEach(async () => {
  await sql`delete from company`;
});

/** Sends the logo as a browser submits a file form. */
const sendLogo = (content: Buffer | string, cookie = admin.cookie) => {
  const head = 'content-disposition: form-data; name="file"; filename="logo.png"\r\ncontent-type: image/png';
  return ui.app.inject({
    method: 'POST',
    url: `${path}/logo`,
    headers: {
      cookie,
      'sec-fetch-site': 'same-origin',
      'content-type': 'multipart/form-data; boundary=limit',
    },
    payload: Buffer.concat([
      Buffer.from(`--limit\r\n${head}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n--limit--\r\n'),
    ]),
  });
};

describe.each(languages)('in %s', (locale) => {
  const words = {
    'pt-BR': { name: 'Nome da empresa', kind: 'Escolha um arquivo PNG, JPEG ou WebP', large: '256 KB' },
    en: { name: 'Name of the company', kind: 'Choose a PNG, JPEG or WebP file', large: '256 KB' },
  }[locale];
  const cookieOf = (cookie: string) => `${cookie}; torpedo-language=${locale}`;

  test('the name and the logo are in the header, on the sign-in page, in the title and in print', async () => {
    expect((await admin.post(path, { name: 'Central <Saúde>' })).headers.location).toBe(path);
    expect((await sendLogo(logos['image/png'])).headers.location).toBe(path);
    const own = await admin.get(path, { cookie: cookieOf(admin.cookie) });
    expect(textOf(own)).toContain(words.name);
    const pages = [
      await viewer.get('/reports', { cookie: cookieOf(viewer.cookie) }),
      await ui.app.inject({ url: '/sign-in', headers: { 'accept-language': locale } }),
      await ui.app.inject({ url: '/sign-in', headers: { 'accept-language': locale } }),
    ];
    for (const page of pages) {
      expect(page.body).toMatch(/<title>.+ · Central &lt;Saúde><\/title>/);
      expect(page.body).toMatch(/<img class="logo" src="\/api\/settings\/company\/logo\?v=[0-9a-f]{16}"/);
    }
    expect(pages[0]?.body).toContain('class="print-mark"');
    expect((await admin.post(`${path}/logo/remove`)).headers.location).toBe(path);
    expect((await viewer.get('/reports')).body).not.toContain('class="logo"');
  });

  test('a file that is not an image or is too large is refused with the reason', async () => {
    const refused = await sendLogo('<svg xmlns="http://www.w3.org/2000/svg"/>', cookieOf(admin.cookie));
    expect([refused.statusCode, textOf(refused)]).toEqual([422, expect.stringContaining(words.kind)]);
    const large = await sendLogo(Buffer.alloc(300 * 1024), cookieOf(admin.cookie));
    expect([large.statusCode, textOf(large)]).toEqual([413, expect.stringContaining(words.large)]);
  });
});

test('without a company name, the title is Torpedo', async () => {
  expect((await viewer.get('/reports')).body).toMatch(/<title>.+ · Torpedo<\/title>/);
});

test('a viewer can see the company but not change it', async () => {
  const page = await viewer.get(path);
  expect([page.statusCode, page.body.includes('type="file"')]).toEqual([200, false]);
  expect((await sendLogo(logos['image/png'], viewer.cookie)).statusCode).toBe(403);
});

test('mails carry the name of the company', async () => {
  const smtp = await createSmtpServer();
  await admin.post('/settings/alerts/email', {
    ...{
      enabled: 'on',
      host: 'localhost',
      port: String(smtp.port),
      security: 'none',
      verifyCertificate: 'on',
    },
    ...{ from: 'torpedo@example.com', fromName: 'Torpedo' },
  });
  await admin.post(path, { name: 'Central Saúde' });
  const sent = await admin.post('/settings/alerts/email/test', { to: 'ana@example.com' });
  expect(sent.statusCode).toBe(303);
  expect(smtp.received.at(-1)).toMatchObject({ subject: '[Central Saúde] E-mail de teste' });
  expect(smtp.received.at(-1)?.text).toContain('Central Saúde');
});
