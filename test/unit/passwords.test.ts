import { describe, expect, test } from 'vitest';
import { createPasswords, generatePassword } from '../../api/access/passwords.ts';

const passwords = createPasswords();

describe('a password', () => {
  test('is hashed with the cost that OWASP recommends and a new salt', async () => {
    const [one, two] = await Promise.all([passwords.hash('same'), passwords.hash('same')]);
    expect(one).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$/);
    expect(one).not.toBe(two);
    expect(await passwords.verify('same', one)).toBe(true);
    expect(await passwords.verify('other', one)).toBe(false);
  });

  test('is verified in either Unicode form of its accents', async () => {
    expect(await passwords.verify('ac\u0327a\u0303o', await passwords.hash('ação'))).toBe(true);
  });

  test('is unique when generated', () => {
    expect(new Set(Array.from({ length: 1000 }, generatePassword)).size).toBe(1000);
  });
});
