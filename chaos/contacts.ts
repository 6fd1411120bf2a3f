import { type PlannedCampaign, type Plan, refusedEnding } from './plan.ts';
import { createRandom } from './random.ts';

/**
 * The expected outcome of a line of a mailing: `sent` at most once; `refused` by the gateway; or skipped as a
 * `duplicate`, as `unreadable` (no valid phone), or because its phone has `opted_out` in an earlier round.
 */
export type ExpectedOutcome = 'sent' | 'refused' | 'duplicate' | 'unreadable' | 'opted_out';

/** The reply of the customer behind a phone. */
export interface Answer {
  text: string;
  optsOut: boolean;
  /** The delay after the gateway has accepted the message. */
  afterMs: number;
  /** How often the provider delivers it. */
  copies: number;
}

export interface Line {
  campaign: string;
  /** Also in the text of the message, so that the gateway's ledger shows the contact of each message. */
  code: string;
  /** The phone as written in the mailing. */
  phone: string;
  expected: ExpectedOutcome;
  answer: Answer | null;
}

const unreadablePhones = ['', '12', 'sem telefone'];
const duplicateCount = 3;
const replyRate = 0.12;
const optOutRate = 0.02;
const longestReplyDelayMs = 4_000;
const firstPhone = 10_000_000;

/** The lines of a campaign's mailing, including the phones that have opted out in earlier rounds (`optedOut`). */
export function planLines(plan: Plan, campaign: PlannedCampaign, optedOut: readonly string[] = []): Line[] {
  const { key } = campaign;
  const first = firstIndex(plan, campaign);
  // Each campaign has its own seed, so that a change of another campaign does not change its lines.
  const random = createRandom(plan.seed ^ Math.imul(first + 1, 0x9e3779b1));
  const lines: Line[] = [];
  const add = (phone: string, expected: ExpectedOutcome, answer: Answer | null = null): void => {
    lines.push({ campaign: key, code: `${key}-${lines.length + 1}`, phone, expected, answer });
  };
  for (let n = 0; n < campaign.contacts; n++) {
    const phone = `+55119${firstPhone + first + n}`;
    const draw = random.next();
    const optsOut = draw < optOutRate;
    const answer = {
      text: optsOut ? 'SAIR' : 'Quero saber mais.',
      optsOut,
      afterMs: random.between(0, 10) === 0 ? random.between(0, longestReplyDelayMs) : random.between(0, 300),
      copies: random.between(1, 3),
    };
    const refused = phone.endsWith(refusedEnding);
    add(phone, refused ? 'refused' : 'sent', refused || draw >= replyRate ? null : answer);
  }
  for (const { phone } of lines.slice(0, duplicateCount)) add(phone, 'duplicate');
  for (const phone of unreadablePhones) add(phone, 'unreadable');
  for (const phone of optedOut) add(phone, 'opted_out');
  return lines;
}

/** The index of the campaign's first phone: no two campaigns share a phone. */
function firstIndex(plan: Plan, { key }: PlannedCampaign): number {
  let first = 0;
  for (const campaign of plan.rounds.flatMap(({ campaigns }) => campaigns)) {
    if (campaign.key === key) return first;
    first += campaign.contacts;
  }
  throw new Error(`The plan has no campaign ${key}.`);
}

/** The text of all messages; `codeIn` finds the code of the line in it. */
export const template = 'Ola, {nome}! Aviso {codigo} para voce. Responda SAIR para nao receber mais.';

export const codeIn = (text: string): string | null => /Aviso (\S+) para/.exec(text)?.[1] ?? null;

export const csvOf = (lines: readonly Line[]): string =>
  [
    'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem',
    ...lines.map(({ code, phone }) => `${code};Maria;${phone};;;;`),
    '',
  ].join('\n');
