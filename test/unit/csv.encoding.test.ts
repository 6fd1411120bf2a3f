import { describe, expect, test } from 'vitest';
import { MailingRefused } from '../../mailing/csv.ts';
import { csvFile, csvHeader, csvRefusal, namesOrProblems, readCsvFile } from '../kit/csv.ts';

describe('the encoding of a CSV file', () => {
  const windows1252 = (text: string) =>
    Buffer.from(text.replaceAll('€', '\x80').replaceAll('’', '\x92').replaceAll('Š', '\x8a'), 'latin1');

  test('is detected as Windows-1252, with the characters that ISO-8859-1 does not have', async () => {
    expect(namesOrProblems(await readCsvFile(windows1252(csvFile('1;João D’Ávila Š €;;;;;'))))).toEqual([
      [2, 'João D’Ávila Š €'],
    ]);
  });

  test('is detected from the first non-ASCII line, even at the end of the file', async () => {
    const ascii = csvFile(...Array.from({ length: 5_000 }, (_, i) => `${i};Ana;;;;;`));
    for (const last of [Buffer.from('x;João;;;;;\n'), windows1252('x;João;;;;;\n')]) {
      for (const chunk of [1, 4096, Infinity]) {
        const records = await readCsvFile(Buffer.concat([Buffer.from(ascii), last]), { chunk });
        expect(records).toHaveLength(5_001);
        expect(records.at(-1)).toMatchObject({ line: 5_002, ok: true, contact: { name: 'João' } });
      }
    }
  });

  test('can change from line to line, as in concatenated files', async () => {
    const jose = windows1252('3;José;;;;;\n');
    const names = ['João', 'Ana', 'José'];
    for (const [file, expected] of [
      [Buffer.concat([Buffer.from(csvFile('1;João;;;;;', '2;Ana;;;;;')), jose]), names],
      [Buffer.concat([windows1252(csvFile('1;João;;;;;', '2;Ana;;;;;')), Buffer.from('3;José;;;;;')]), names],
      [Buffer.concat([Buffer.from('\ufeff'), windows1252(csvFile('1;José;;;;;'))]), ['José']],
      [
        Buffer.concat([
          Buffer.from(`${csvHeader}\n`),
          jose,
          Buffer.from('1;João;;;;;\n2;Conceição;;;;;\n4;Luís;;;;;'),
        ]),
        ['José', 'João', 'Conceição', 'Luís'],
      ],
    ] as const) {
      for (const chunk of [1, 7, Infinity])
        expect(namesOrProblems(await readCsvFile(file, { chunk })).map(([, name]) => name)).toEqual(expected);
    }
  });

  test('can be UTF-8 with an invalid byte: only the value with that byte is dropped', async () => {
    const file = Buffer.from(
      csvFile('1;João;11987654321;;;;Olá', '2;Conceição;11987654322;;;;Olá', '3;Zé;1;;;;'),
    );
    file[file.indexOf('Conceição') + 7] = 0x20;
    for (const chunk of [1, 7, Infinity]) {
      const records = await readCsvFile(file, { chunk });
      expect(namesOrProblems(records).map(([, name]) => name)).toEqual(['João', '', 'Zé']);
      expect(records[1]).toMatchObject({
        contact: { code: '2', mobile: '11987654322', customMessage: 'Olá' },
        warnings: [{ code: 'value_damaged', params: { column: 'nome', damage: 'encoding' } }],
      });
    }
  });

  test('is unknown when a byte has no meaning in Windows-1252, and the file is refused', async () => {
    expect(await csvRefusal(Buffer.from(csvFile('1;Ana;;;;;', '2;\x81;;;;;'), 'latin1'))).toMatchObject({
      code: 'encoding_unknown',
      line: 3,
    });
  });

  test.each([
    ['little-endian', Buffer.from(`\ufeff${csvFile('1;João 🎉;;;;;')}`, 'utf16le')],
    ['big-endian', Buffer.from(`\ufeff${csvFile('1;João 🎉;;;;;')}`, 'utf16le').swap16()],
    ['little-endian, without a byte order mark', Buffer.from(csvFile('1;João 🎉;;;;;'), 'utf16le')],
    ['big-endian, without a byte order mark', Buffer.from(csvFile('1;João 🎉;;;;;'), 'utf16le').swap16()],
  ])('is detected as UTF-16 (%s)', async (_, file) => {
    for (const chunk of [1, 3, Infinity])
      expect(namesOrProblems(await readCsvFile(file, { chunk }))).toEqual([[2, 'João 🎉']]);
  });

  const accentedNames =
    'João Conceição Araújo Antônio José Júnior Luís Mônica Patrícia Fátima Lúcia Irmã Avô Itaú Três Ângela Érica Ínês Óscar ação às';
  const codePages = {
    'Mac Roman': {
      á: 0x87,
      à: 0x88,
      â: 0x89,
      ã: 0x8b,
      ç: 0x8d,
      é: 0x8e,
      ê: 0x90,
      í: 0x92,
      ó: 0x97,
      ô: 0x99,
      õ: 0x9b,
      ú: 0x9c,
      É: 0x83,
      Â: 0xe5,
      Í: 0xea,
      Ó: 0xee,
    },
    'DOS (CP850)': {
      á: 0xa0,
      à: 0x85,
      â: 0x83,
      ã: 0xc6,
      ç: 0x87,
      é: 0x82,
      ê: 0x88,
      í: 0xa1,
      ó: 0xa2,
      ô: 0x93,
      õ: 0xe4,
      ú: 0xa3,
      É: 0x90,
      Â: 0xb6,
      Í: 0xd6,
      Ó: 0xe0,
    },
  };
  test.each(Object.entries(codePages))('is detected as %s', async (_, codes) => {
    const table = new Map(Object.entries(codes));
    const names = accentedNames.split(' ');
    const file = Buffer.from(
      Array.from(
        csvFile(...names.map((name, index) => `${index};${name};;;;;`)),
        (char) => table.get(char) ?? char.charCodeAt(0),
      ),
    );
    expect(namesOrProblems(await readCsvFile(file)).map(([, name]) => name)).toEqual(names);
  });

  test('is never guessed wrong: a name is read as written, or the file is refused', async () => {
    for (const [, codes] of Object.entries(codePages)) {
      const table = new Map<string, number>(Object.entries(codes));
      for (const name of accentedNames.split(' ')) {
        if (!/[^\0-\x7f]/.test(name)) continue;
        const file = Buffer.from(
          Array.from(csvFile(`1;${name};;;;;`), (char) => table.get(char) ?? char.charCodeAt(0)),
        );
        const found = await readCsvFile(file).then(
          (records) => namesOrProblems(records)[0]?.[1],
          (error: unknown) => (error instanceof MailingRefused ? error.code : error),
        );
        expect([name, 'encoding_unknown'], name).toContain(found);
      }
    }
    for (const name of accentedNames.split(' ').concat('JOÃO', 'CONCEIÇÃO', 'D’Ávila', 'nº 5')) {
      expect(namesOrProblems(await readCsvFile(windows1252(csvFile(`1;${name};;;;;`)))), name).toEqual([
        [2, name],
      ]);
    }
  });
});
