import { type PlannedCampaign, type Plan, refusedEnding } from './plan.ts';
import { createRandom } from './random.ts';

/**
 * The expected outcome of a line of a mailing: `written` to once at most; `refused` by the gateway; left out as a
 * `duplicate`, without a readable phone (`unreadable`), or because its phone has `opted_out` in an earlier round.
 */
export type Fate = 'written' | 'refused' | 'duplicate' | 'unreadable' | 'opted_out';

/** The reply of the customer behind a phone. */
export interface Answer {
  text: string;
  optsOut: boolean;
  /** After the gateway accepted the message. */
  afterMs: number;
  /** How often the provider delivers it. */
  copies: number;
}

export interface Line {
  campaign: string;
  /** Also in the text of the message: the gateway's ledger identifies a message's contact by it. */
  code: string;
  /** The phone as written in the mailing. */
  phone: string;
  fate: Fate;
  answer: Answer | null;
}

const unreadable = ['', '12', 'sem telefone'];
const duplicates = 3;
const answering = 0.12;
const optingOut = 0.02;
const longestThoughtMs = 4_000;
const firstPhone = 10_000_000;

/** The lines of a campaign's mailing; `optedOut` are phones of earlier rounds, which it contains again. */
export function planLines(plan: Plan, campaign: PlannedCampaign, optedOut: readonly string[] = []): Line[] {
  const { key } = campaign;
  const first = firstIndex(plan, campaign);
  // Seeded for each campaign: one more contact in another campaign changes nothing here.
  const random = createRandom(plan.seed ^ Math.imul(first + 1, 0x9e3779b1));
  const lines: Line[] = [];
  const add = (phone: string, fate: Fate, answer: Answer | null = null): void => {
    lines.push({ campaign: key, code: `${key}-${lines.length + 1}`, phone, fate, answer });
  };
  for (let n = 0; n < campaign.contacts; n++) {
    const phone = `+55119${firstPhone + first + n}`;
    const draw = random.next();
    const optsOut = draw < optingOut;
    const answer = {
      text: optsOut ? 'SAIR' : 'Quero saber mais.',
      optsOut,
      afterMs: random.between(0, 10) === 0 ? random.between(0, longestThoughtMs) : random.between(0, 300),
      copies: random.between(1, 3),
    };
    const refused = phone.endsWith(refusedEnding);
    add(phone, refused ? 'refused' : 'written', refused || draw >= answering ? null : answer);
  }
  for (const { phone } of lines.slice(0, duplicates)) add(phone, 'duplicate');
  for (const phone of unreadable) add(phone, 'unreadable');
  for (const phone of optedOut) add(phone, 'opted_out');
  return lines;
}

/** No two campaigns share a phone. */
function firstIndex(plan: Plan, { key }: PlannedCampaign): number {
  let first = 0;
  for (const campaign of plan.rounds.flatMap(({ campaigns }) => campaigns)) {
    if (campaign.key === key) return first;
    first += campaign.contacts;
  }
  throw new Error(`The plan has no campaign ${key}.`);
}

/** The text of each message of a campaign: `codeIn` finds the line's code in it. */
export const template = 'Ola, {nome}! Aviso {codigo} para voce. Responda SAIR para nao receber mais.';

export const codeIn = (text: string): string | null => /Aviso (\S+) para/.exec(text)?.[1] ?? null;

export const csvOf = (lines: readonly Line[]): string =>
  [
    'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem',
    ...lines.map(({ code, phone }) => `${code};Maria;${phone};;;;`),
    '',
  ].join('\n');
