import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { profiles } from '../../domain/segments.ts';
import { compose, parseTemplate, render, type Template } from '../../domain/template.ts';

const contact = { code: '42', name: 'João', customMessage: '', extra: { valor: '1.234,56' } };
const options = { removeAccents: true, profile: profiles.gsm, maxSegments: 1, extraFieldNames: ['valor'] };

function template(text: string, extraFieldNames: readonly string[] = ['valor']): Template {
  const parsed = parseTemplate(text, extraFieldNames);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.template;
}

function problems(text: string): [code: string, at: number][] {
  const parsed = parseTemplate(text, ['valor']);
  return parsed.ok ? [] : parsed.problems.map(({ code, at }) => [code, at]);
}

describe('parseTemplate', () => {
  test.each(['Oi {nome}', 'Oi {name}', 'Oi {NOME}', 'Oi { Nome }'])('knows the placeholder in %j', (text) => {
    expect(render(template(text), contact)).toBe('Oi João');
  });

  test('knows the code with and without its accent, in Portuguese and English', () => {
    expect(render(template('{codigo} {code} {Código} {CODE}'), contact)).toBe('42 42 42 42');
  });

  test('knows the extra fields of the mailing', () => {
    expect(render(template('R$ {valor}, {Valor}'), contact)).toBe('R$ 1.234,56, 1.234,56');
  });

  test('parses a template into plain data', () => {
    expect(template('{nome}{codigo}!')).toEqual({ literals: ['', '', '!'], placeholders: ['name', 'code'] });
    expect(template('Oi')).toEqual({ literals: ['Oi'], placeholders: [] });
  });

  test.each([
    ['', [['template_empty', 0]]],
    [' \n\t', [['template_empty', 0]]],
    ['a'.repeat(161), [['template_too_long', 160]]],
    // Counted like maxlength of an HTML field: each of them is two.
    ['🎉'.repeat(81), [['template_too_long', 160]]],
    ['Oi {cpf}', [['placeholder_unknown', 3]]],
    ['Oi {}', [['placeholder_unknown', 3]]],
    ['Oi {constructor}', [['placeholder_unknown', 3]]],
    ['Oi {nome', [['brace_unbalanced', 3]]],
    ['Oi nome}', [['brace_unbalanced', 7]]],
    [
      '{{nome}}',
      [
        ['brace_unbalanced', 0],
        ['brace_unbalanced', 7],
      ],
    ],
    ['{nome {codigo}', [['brace_unbalanced', 0]]],
    [
      '{a} {b} }',
      [
        ['placeholder_unknown', 0],
        ['placeholder_unknown', 4],
        ['brace_unbalanced', 8],
      ],
    ],
    ['a\u0000b', [['character_forbidden', 1]]],
    ['a\ud83d', [['character_forbidden', 1]]],
  ] as const)('reports all problems of %j', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('allows exactly 160 characters, and line breaks', () => {
    expect(problems('a'.repeat(160))).toEqual([]);
    expect(problems('Oi\r\ntchau')).toEqual([]);
  });

  test('parses or refuses any string, and renders a text without braces unchanged', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', 'nome', 'a', ' ', 'é', '🎉', 'valor') }),
        (text) => {
          const parsed = parseTemplate(text, ['valor']);
          if (!parsed.ok) return;
          expect(parsed.template.literals).toHaveLength(parsed.template.placeholders.length + 1);
          expect(parsed.template.literals.join('')).not.toMatch(/[{}]/);
          if (!text.includes('{')) expect(render(parsed.template, contact)).toBe(text);
        },
      ),
    );
  });
});

describe('render', () => {
  test('renders a missing value as an empty string', () => {
    expect(render(template('Oi {nome}, R$ {valor}'), { code: '', name: '', extra: {} })).toBe('Oi , R$ ');
  });

  test('does not replace placeholders or patterns in values', () => {
    expect(render(template('Oi {nome}'), { ...contact, name: '{codigo} $& $1' })).toBe('Oi {codigo} $& $1');
  });

  test('cleans the values', () => {
    expect(render(template('Oi {nome}!'), { ...contact, name: ' Ana\r\nAcesse\u0007\u202e ' })).toBe(
      'Oi Ana Acesse!',
    );
  });
});

describe('compose', () => {
  test('returns text, encoding and segments', () => {
    expect(compose(template('Olá {nome}'), contact, options)).toEqual({
      text: 'Ola Joao',
      encoding: 'GSM-7',
      segments: 1,
    });
    expect(compose(template('Olá {nome}'), contact, { ...options, removeAccents: false })).toEqual({
      text: 'Olá João',
      encoding: 'UCS-2',
      segments: 1,
    });
  });

  test('checks the length after the placeholders are filled in', () => {
    const long = template('a'.repeat(154) + '{nome}');
    expect(compose(long, { ...contact, name: 'Ana' }, options)).toMatchObject({ segments: 1 });
    expect(compose(long, { ...contact, name: 'Mariana' }, options)).toMatchObject({
      skip: 'message_too_long',
    });
    expect(compose(long, { ...contact, name: 'Mariana' }, { ...options, maxSegments: 2 })).toMatchObject({
      segments: 2,
    });
  });

  test('counts segments by the profile', () => {
    const accented = template('é'.repeat(100));
    expect(compose(accented, contact, { ...options, removeAccents: false })).toMatchObject({ segments: 1 });
    expect(
      compose(accented, contact, { ...options, removeAccents: false, profile: profiles.zenvia }),
    ).toMatchObject({
      skip: 'message_too_long',
    });
    expect(compose(accented, contact, { ...options, profile: profiles.zenvia })).toMatchObject({
      text: 'e'.repeat(100),
    });
  });

  test('skips a message that is too long for the provider', () => {
    const many = { ...options, profile: profiles.zenvia, maxSegments: 20 };
    const words = 'abcdefghi '.repeat(152).trimEnd();
    expect(compose(template('x'), { ...contact, customMessage: words }, many)).toMatchObject({
      segments: 11,
    });
    expect(compose(template('x'), { ...contact, customMessage: `${words}xx` }, many)).toMatchObject({
      skip: 'message_too_long',
    });
  });

  test('skips a word that the provider cannot cut, unless the text fits into one segment', () => {
    const long = { ...options, profile: profiles.zenvia, maxSegments: 5 };
    const composed = (customMessage: string, of = long) =>
      compose(template('x'), { ...contact, customMessage }, of);
    const link = `https://loja.example/${'x'.repeat(140)}`;
    expect(composed(`Veja ${link}`)).toMatchObject({ skip: 'word_exceeds_segment', text: `Veja ${link}` });
    expect(composed(`Veja ${link}`, { ...long, profile: profiles.gsm })).toMatchObject({ segments: 2 });
    expect(composed(`Veja ${link}`, { ...long, maxSegments: 1 })).toMatchObject({ skip: 'message_too_long' });
    expect(composed(link.slice(0, 160))).toMatchObject({ segments: 1 });
  });

  test('keeps accents with the Portuguese tables, unless removing them saves a segment', () => {
    const portuguese = { ...options, profile: profiles.portuguese, maxSegments: 2 };
    const composed = (text: string, of = portuguese) => compose(template(text), contact, of);
    expect(composed('ã'.repeat(155))).toMatchObject({ text: 'ã'.repeat(155), segments: 1 });
    expect(composed('ã'.repeat(156))).toMatchObject({ text: 'a'.repeat(156), segments: 1 });
    expect(composed('ã'.repeat(156), { ...portuguese, removeAccents: false })).toMatchObject({
      text: 'ã'.repeat(156),
      segments: 2,
    });
  });

  test('collapses white space after filling, and keeps line breaks', () => {
    expect(
      compose(template('  Oi  {nome} ,\u00a0tudo \r\n bem? '), { ...contact, name: '' }, options),
    ).toMatchObject({
      text: 'Oi ,\u0020tudo\nbem?',
    });
    expect(
      compose(template('a\u00a0b\u2003c\td'), contact, { ...options, removeAccents: false }),
    ).toMatchObject({ text: 'a b c d', encoding: 'GSM-7' });
  });

  test('skips a message that comes out empty', () => {
    expect(compose(template('{nome}'), { ...contact, name: '' }, options)).toMatchObject({
      skip: 'message_empty',
    });
    expect(compose(template('{nome}'), { ...contact, name: ' \u00a0 ' }, options)).toMatchObject({
      skip: 'message_empty',
    });
  });

  describe('a custom message', () => {
    const custom = (customMessage: string, values: Partial<typeof contact> = {}) =>
      compose(template('x'), { ...contact, ...values, customMessage }, options);

    test('replaces the template, and has the same placeholders', () => {
      expect(custom('Só você, {Nome}: R$ {valor}')).toMatchObject({ text: 'So voce, Joao: R$ 1.234,56' });
    });

    test('with an unknown placeholder or an unmatched brace is skipped', () => {
      for (const text of ['Oi {saldo}', 'Oi {nome', 'Oi :}', '{{nome}}', '{}'])
        expect(custom(text), text).toMatchObject({ skip: 'placeholder_unknown' });
    });

    test('is checked with its values filled in', () => {
      const long = `{nome} ${'x'.repeat(154)}`;
      expect(custom(long)).toMatchObject({ segments: 1 });
      expect(custom(long, { name: 'Joaquim Maria' })).toMatchObject({ skip: 'message_too_long' });
    });

    test('does not treat braces in a value as a placeholder', () => {
      expect(custom('Oi {nome}', { name: '{saldo}' })).toMatchObject({ text: 'Oi {saldo}' });
    });
  });

  test('never returns a text with white space other than single spaces and line breaks', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'é', ' ', '  ', '\n', '\r', '\t', '\u00a0', '\u200b', '🎉', '\u3000'),
        }),
        fc.boolean(),
        (customMessage, removeAccents) => {
          const composed = compose(
            template('x'),
            { ...contact, customMessage: `.${customMessage}` },
            {
              ...options,
              removeAccents,
              maxSegments: 100,
            },
          );
          if ('skip' in composed) throw new Error('The message was skipped.');
          expect(composed.text).not.toMatch(/[^\S\n ]| {2}|^\s|\s$| \n|\n /);
        },
      ),
    );
  });
});
