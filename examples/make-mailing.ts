/**
 * Makes a fictional mailing in the CSV layout, with the flaws of real ones:
 *
 *     npx tsx examples/make-mailing.ts 1000 1 > examples/mailing.csv
 *
 * The same lines and seed give the same file.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ddds } from '../domain/phone.ts';
import { layoutColumns } from '../mailing/layout.ts';

const firstNames = (
  'Ana Antônio Beatriz Caio Cecília César Conceição Débora Estêvão Fátima Flávio Helena Inês João José Júlia Lúcia ' +
  'Luís Márcia Nívea Otávio Patrícia Raimundo Sebastião Sônia Tainá Ubirajara Verônica Zélia'
).split(' ');
const surnames = [
  'Exemplo',
  'Fictício',
  'de Mentira',
  'Inventão',
  'do Faz de Conta',
  'Imaginário',
  'Sem Chão',
];
const areas = [...ddds];

const spellings: readonly ((ddd: string, first: string, last: string) => string)[] = [
  (ddd, first, last) => ddd + first + last,
  (ddd, first, last) => `(${ddd}) ${first}-${last}`,
  (ddd, first, last) => `${ddd} ${first}-${last}`,
  (ddd, first, last) => `+55 ${ddd} ${first}-${last}`,
  (ddd, first, last) => `55${ddd}${first}${last}`,
  (ddd, first, last) => `0${ddd} ${first}${last}`,
  (ddd, first, last) => `(0xx${ddd}) ${first}-${last}`,
  (ddd, first, last) => `${ddd}.${first}.${last}`,
];

const wrongNumbers = [
  '90000-1234',
  '1190000',
  '(20) 90000-1234',
  '5,51199E+12',
  '11 9000-1234',
  'não tem',
  '00000000000',
];

/** The lines of a chunk: a million separate strings would cost more than their content. */
const chunkLines = 500;

/**
 * The file in chunks of text: byte order mark, header, then `lines` lines. About 3 % of them have no usable phone, but
 * a landline, a wrong number, none, or the number of an earlier line. All other numbers differ, up to 670 million lines,
 * and have 90 after the DDD, a range that is not in use.
 */
export function* generateMailing(lines: number, seed: number): Generator<string> {
  const random = randomNumbers(seed);
  const below = (end: number): number => Math.floor(random() * end);
  const pick = <T>(values: readonly T[], otherwise: T): T => values[below(values.length)] ?? otherwise;
  const mobile = (position: number): string => {
    const { ddd, number } = numberOf(position, seed);
    const spell = pick(spellings, (...parts) => parts.join(''));
    return spell(ddd, number.slice(0, 5), number.slice(5));
  };
  const landline = (): string =>
    `(${pick(areas, 11)}) 30${below(100).toString().padStart(2, '0')}-${1000 + below(9000)}`;

  const line = (position: number): string => {
    const cells = {
      codigo: String(100_000 + position),
      nome: `${pick(firstNames, '')} ${pick(surnames, '')}`,
      celular: '',
      telefone: '',
      telefone2: '',
      data_nascimento: '',
      mensagem: '',
    };
    const flaw = random();
    if (flaw < 0.007) cells.telefone = landline();
    else if (flaw < 0.01) cells.celular = landline();
    else if (flaw < 0.018) cells.celular = pick(wrongNumbers, '');
    else if (flaw < 0.024) cells.celular = '';
    else if (flaw < 0.03 && position > 0) cells.celular = mobile(below(position));
    else if (flaw < 0.06) [cells.telefone, cells.telefone2] = [landline(), mobile(position)];
    else if (flaw < 0.3) [cells.celular, cells.telefone] = [mobile(position), landline()];
    else cells.celular = mobile(position);

    const style = random();
    if (style < 0.02) cells.nome = `${pick(surnames, '')}; ${pick(firstNames, '')}`;
    else if (style < 0.025)
      cells.nome = `${pick(firstNames, '')} "${pick(firstNames, '')}" ${pick(surnames, '')}`;
    else if (style < 0.04) cells.nome = cells.nome.toUpperCase();
    if (random() < 0.6) cells.data_nascimento = birthDate(below);
    if (random() < 0.005) cells.mensagem = 'Olá! Temos uma proposta só para você; responda e a gente liga.';
    return Object.values(cells).map(quote).join(';');
  };

  let chunk = `\ufeff${layoutColumns([]).join(';')}\n`;
  for (let position = 0; position < lines; position++) {
    chunk += `${line(position)}\n`;
    if (position % chunkLines === chunkLines - 1) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk !== '') yield chunk;
}

/** A unique number for each position: the step and ten million are coprime, so no number repeats. */
function numberOf(position: number, seed: number): { ddd: string; number: string } {
  const ddd = String(areas[position % areas.length]);
  const counter = Math.floor(position / areas.length);
  const scattered = (counter * 7_654_321 + seed * 1_000_003) % 10_000_000;
  return { ddd, number: `90${String(scattered).padStart(7, '0')}` };
}

function birthDate(below: (end: number) => number): string {
  const day = String(1 + below(28)).padStart(2, '0');
  const month = String(1 + below(12)).padStart(2, '0');
  const year = String(1940 + below(65));
  switch (below(20)) {
    case 0:
      return '00/00/0000';
    case 1:
      return `${year}-${month}-${day}`;
    default:
      return `${day}/${month}/${year}`;
  }
}

function quote(cell: string): string {
  return /[;"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (process.argv[1] === import.meta.filename) {
  const [lines = 1000, seed = 1] = process.argv.slice(2).map(Number);
  await pipeline(Readable.from(generateMailing(lines, seed)), process.stdout);
}
