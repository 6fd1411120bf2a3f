import { describe, expect, test } from 'vitest';
import { insertUser } from '../../db/access/users.ts';
import { safePath } from '../../console/kit/responses.tsx';
import { adminPassword } from '../kit/api.ts';
import { createConsole, formOf, textOf } from '../kit/console.ts';
import { cheapHash } from '../kit/password.ts';

const ui = await createConsole();
const { app, sql } = ui;

const fromOurPage = {
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/x-www-form-urlencoded',
};
const signIn = (fields: Record<string, string>, headers: Record<string, string> = fromOurPage) =>
  app.inject({ method: 'POST', url: '/sign-in', payload: formOf(fields), headers });
const cookieOf = (answer: { cookies: { name: string; value: string }[] }, name: string) =>
  answer.cookies.find((cookie) => cookie.name === name)?.value;

describe('signing in', () => {
  test('is required of every visitor, and returns to the requested page', async () => {
    const answer = await app.inject('/profile?a=1');
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/sign-in?next=%2Fprofile%3Fa%3D1']);
    const { headers } = await signIn({ login: 'admin', password: adminPassword, next: '/profile?a=1' });
    expect(headers.location).toBe('/profile?a=1');
  });

  test('explains that the session has expired, and fragment requests redirect there, too', async () => {
    const user = await ui.signIn('viewer');
    await user.post('/sign-out');
    const page = await user.get('/runs?status=paused');
    const signInUrl = page.headers.location ?? '';
    expect(signInUrl).toBe('/sign-in?next=%2Fruns%3Fstatus%3Dpaused&expired=1');
    expect(textOf(await app.inject(signInUrl))).toContain('Sua sessão expirou.');
    expect(textOf(await app.inject('/sign-in'))).not.toContain('expirou');
    const part = await user.get('/runs/7/live', {
      'hx-request': 'true',
      'hx-current-url': 'http://localhost/runs/7?a=1',
      host: 'localhost',
    });
    expect([part.statusCode, part.body]).toEqual([401, '']);
    expect(part.headers['hx-redirect']).toBe('/sign-in?next=%2Fruns%2F7%3Fa%3D1&expired=1');
  });

  test('opens an API session', async () => {
    const answer = await signIn({ login: 'Admin', password: adminPassword });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/']);
    const cookie = `torpedo=${cookieOf(answer, 'torpedo') ?? ''}`;
    const home = await app.inject({ url: '/', headers: { cookie } });
    expect(home.statusCode).toBe(200);
    expect(textOf(home)).toContain('Ana');
  });

  test('with a wrong password shows a sentence and keeps the login but not the password', async () => {
    const answer = await signIn({ login: 'admin', password: 'not the password' });
    expect(answer.statusCode).toBe(401);
    expect(textOf(answer)).toContain('Usuário ou senha incorretos.');
    expect(answer.body).toContain('value="admin"');
    expect(answer.body).not.toContain('not the password');
  });

  test('is refused when the form is on another site', async () => {
    const answer = await signIn(
      { login: 'admin', password: adminPassword },
      { ...fromOurPage, 'sec-fetch-site': 'cross-site' },
    );
    expect(answer.statusCode).toBe(403);
    expect(answer.cookies).toEqual([]);
  });

  test.each([
    ['/campaigns/7?after=2', '/campaigns/7?after=2'],
    ['//evil.example/', null],
    ['/\\evil.example', null],
    ['/\t/evil.example', null],
    ['https://evil.example/', null],
    ['javascript:alert(1)', null],
    ['/..//evil.example', null],
    ['/sign-out', null],
    ['/choose-password?next=/', null],
    ['/api/docs', null],
    ['', null],
  ])('redirects to %j only when it is a console page', (next, path) => {
    expect(safePath(next)).toBe(path);
  });

  test('out ends the session and clears the browser cache', async () => {
    const user = await ui.signIn('viewer');
    const answer = await user.post('/sign-out');
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/sign-in']);
    expect(answer.headers['clear-site-data']).toBe('"cache"');
    expect((await user.get('/')).statusCode).toBe(303);
  });
});

describe('a password set by an admin', () => {
  const given = 'given by an admin';
  async function invite(login: string): Promise<string> {
    await insertUser(sql, {
      login,
      name: 'Convidada',
      role: 'operator',
      passwordHash: cheapHash(given),
      mustChangePassword: true,
    });
    const answer = await signIn({ login, password: given, next: '/runs?a=1' });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/runs?a=1']);
    return `torpedo=${cookieOf(answer, 'torpedo') ?? ''}`;
  }

  test.each([
    ['pt-BR', 'Escolha a sua senha', 'Esta não é a sua senha atual.'],
    ['en', 'Choose your password', 'This is not your current password.'],
  ])(
    'must be changed before any page opens, and then the requested page opens (%s)',
    async (locale, title, wrong) => {
      const cookie = await invite(`invited-${locale.toLowerCase()}`);
      const headers = { cookie: `${cookie}; torpedo-language=${locale}` };
      const page = await app.inject({ url: '/runs?a=1', headers });
      const { location } = page.headers;
      expect([page.statusCode, location]).toEqual([303, '/choose-password?next=%2Fruns%3Fa%3D1']);
      const choice = await app.inject({ url: String(location), headers });
      expect(choice.statusCode).toBe(200);
      expect(choice.body).toContain(`<html lang="${locale}"`);
      expect(textOf(choice)).toContain(title);
      expect((await app.inject({ url: '/nothing/here', headers })).headers.location).toContain(
        '/choose-password',
      );

      const choose = (fields: Record<string, string>) =>
        app.inject({
          method: 'POST',
          url: '/choose-password',
          payload: formOf({ next: '/runs?a=1', ...fields }),
          headers: { ...headers, ...fromOurPage },
        });
      const own = 'a password of my own';
      const refused = await choose({ current: 'not it', password: own });
      expect(refused.statusCode).toBe(422);
      expect(textOf(refused)).toContain(wrong);
      expect(refused.body).not.toContain(own);
      const done = await choose({ current: given, password: own });
      expect([done.statusCode, done.headers.location]).toEqual([303, '/runs?a=1']);
      expect((await app.inject({ url: '/runs?a=1', headers })).statusCode).toBe(200);
      // The page is not offered again.
      expect((await app.inject({ url: '/choose-password', headers })).headers.location).toBe('/profile');
    },
  );

  test('lets its owner sign out, and nobody else has to choose a password', async () => {
    const cookie = await invite('leaver');
    const headers = { cookie, ...fromOurPage };
    const out = await app.inject({ method: 'POST', url: '/sign-out', headers });
    expect([out.statusCode, out.headers.location]).toEqual([303, '/sign-in']);
    const after = await app.inject({ url: '/runs', headers: { cookie } });
    expect(after.headers.location).toBe('/sign-in?next=%2Fruns&expired=1');
    expect((await app.inject('/choose-password')).headers.location).toBe('/profile');
  });
});

describe('a form', () => {
  test('on another site cannot change anything', async () => {
    const user = await ui.signIn('viewer');
    const change = { name: 'Changed', locale: 'en', timezone: 'UTC' };
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
      expect((await user.post('/profile', change, headers)).statusCode).toBe(403);
    }
    const [row] = await sql<{ name: string }[]>`select name from users where id = ${user.id}`;
    expect(row?.name).not.toBe('Changed');
  });

  test('with invalid fields is shown again with its values, and each problem is beside its field and at the top', async () => {
    const user = await ui.signIn('viewer');
    const answer = await user.post('/profile', { name: ' ', locale: 'pt-BR', timezone: 'Mars/Olympus' });
    expect(answer.statusCode).toBe(422);
    expect(answer.body).toContain('value="Mars/Olympus"');
    expect(answer.body).toContain('href="#f-timezone"');
    expect(answer.body).toContain('aria-describedby="f-timezone-help f-timezone-problem"');
    const words = 'Fuso horário desconhecido. Informe um nome como America/Sao_Paulo.';
    expect(textOf(answer).split(words)).toHaveLength(3);
  });

  test('that is saved shows a notice once', async () => {
    const user = await ui.signIn('viewer');
    const answer = await user.post('/profile', {
      name: 'Bia',
      locale: 'pt-BR',
      timezone: 'America/Manaus',
    });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/profile']);
    const notice = `torpedo-notice=${encodeURIComponent(cookieOf(answer, 'torpedo-notice') ?? '')}`;
    const page = await user.get('/profile', { cookie: `${user.cookie}; ${notice}` });
    expect(textOf(page)).toContain('Salvo.');
    expect(page.cookies).toMatchObject([{ name: 'torpedo-notice', value: '' }]);
    expect(textOf(page)).toContain('Manaus (GMT-4)');
  });

  test('submitted after the session ended leads to the sign-in and then back to its page', async () => {
    const user = await ui.signIn('viewer');
    await user.post('/sign-out');
    const referer = 'http://localhost/profile';
    const answer = await user.post('/profile', { name: 'Bia' }, { referer, host: 'localhost' });
    expect(answer.headers.location).toBe('/sign-in?next=%2Fprofile&expired=1');
  });
});

describe('pages', () => {
  test('load scripts and styles only from our own files', async () => {
    const user = await ui.signIn('viewer');
    const { headers, body } = await user.get('/');
    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).not.toContain('unsafe');
    expect(body).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
    // With no referrer at all, browsers would send forms with `Origin: null`.
    expect(headers['referrer-policy']).toBe('same-origin');
  });

  test('load less than 300 kB compressed, and their assets are cached forever', async () => {
    const user = await ui.signIn('viewer');
    const accept = { 'accept-encoding': 'gzip, br' };
    const page = await user.get('/', accept);
    let bytes = page.rawPayload.length;
    const { body } = await user.get('/');
    const files = [...body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file]) => file ?? '');
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      const answer = await app.inject({ url: file, headers: accept });
      expect(answer.statusCode, file).toBe(200);
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      bytes += answer.rawPayload.length;
    }
    expect(bytes).toBeLessThan(300_000);
  });

  test('escape user input', async () => {
    const user = await ui.signIn('viewer');
    await user.post('/profile', { name: '<b>"&\'', locale: 'en', timezone: 'UTC' });
    expect((await user.get('/')).body).toContain('&lt;b>&quot;&amp;');
  });

  test.each([
    ['pt-BR', {}],
    ['pt-BR', { 'accept-language': 'fr' }],
    ['pt-BR', { 'accept-language': 'pt-PT,en' }],
    ['en', { 'accept-language': 'fr, en-GB;q=0.8, pt' }],
    ['en', { cookie: 'torpedo-language=en' }],
  ])('are in %s for %j', async (locale, headers) => {
    const { body } = await app.inject({ url: '/sign-in', headers });
    expect(body).toContain(`<html lang="${locale}"`);
  });

  test('use the language of the user until one is chosen on the device', async () => {
    const user = await ui.signIn('viewer');
    await user.post('/profile', { name: 'Bia', locale: 'en', timezone: 'UTC' });
    expect((await user.get('/')).body).toContain('<html lang="en"');
    const answer = await user.post('/preferences', { locale: 'pt-BR', back: '/profile' });
    expect([answer.headers.location, cookieOf(answer, 'torpedo-language')]).toEqual(['/profile', 'pt-BR']);
    expect((await user.get('/')).body).toContain('<html lang="pt-BR"');
  });

  test('that do not exist answer 404, and unknown API, webhook and asset paths answer with JSON', async () => {
    const user = await ui.signIn('viewer');
    const page = await user.get('/nothing/here');
    expect([page.statusCode, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
    for (const url of ['/api/nothing', '/webhooks/nothing', '/assets/nothing.js']) {
      const answer = await user.get(url);
      expect([url, answer.statusCode]).toEqual([url, 404]);
      expect(answer.json()).toMatchObject({ error: { code: 'not_found' } });
    }
    expect((await app.inject('/nothing/here')).statusCode).toBe(303);
  });
});
