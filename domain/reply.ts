import { parsePhone } from './phone.ts';

/** What a person writes to us: what it asks for, and what became of it. */

/** What became of a reply. `none`: kept and shown; nobody has to do anything. */
export const replyEffects = ['none', 'ticket', 'opt_out', 'opt_in', 'help'] as const;
export type ReplyEffect = (typeof replyEffects)[number];

/** What a reply asks for; `null`: nothing that a machine understands. */
export type ReplyWish = Extract<ReplyEffect, 'opt_out' | 'opt_in' | 'help'> | null;

/** The words that are understood when they are the whole of a reply, as people write them. */
export interface ReplyWords {
  optOut: readonly string[];
  optIn: readonly string[];
  help: readonly string[];
}

/**
 * SAIR is what Anatel's rules of 2012 name, PARE what Brazilian senders print, STOP and those behind it what carriers
 * honour in English.
 */
export const defaultReplyWords: ReplyWords = {
  optOut: [
    'SAIR',
    'PARE',
    'PARAR',
    'CANCELAR',
    'DESCADASTRAR',
    'REMOVER',
    'STOP',
    'STOPALL',
    'UNSUBSCRIBE',
    'CANCEL',
    'END',
    'QUIT',
  ],
  optIn: ['VOLTAR', 'START'],
  help: ['AJUDA', 'HELP'],
};

/** The letters and digits of a text, without case, accents and whatever stands between them: "S.A.I.R!" is `sair`. */
export const bareWord = (text: string): string =>
  text
    // Compatibility forms, too: the letters that keyboards offer as "fonts" are the same letters.
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    // Down, up and down again, since capitals have more ways to be written: ẞ, ß and SS are one.
    .toLowerCase()
    .toUpperCase()
    .toLowerCase();

/**
 * Reads replies by whole words: a message that says more than the word is for a person to read. A word in two lists
 * opts out.
 */
export function createReplyReader(words: ReplyWords): (text: string) => ReplyWish {
  const wishes = new Map<string, ReplyWish>();
  for (const [wish, list] of [
    ['help', words.help],
    ['opt_in', words.optIn],
    ['opt_out', words.optOut],
  ] as const) {
    for (const word of list) wishes.set(bareWord(word), wish);
  }
  // What no list means: an empty message, a picture, a thumb.
  wishes.delete('');
  return (text) => wishes.get(bareWord(text)) ?? null;
}

/**
 * Who wrote, in E.164 where the number can be read so; else as the provider gave it (a short code, a name). Providers
 * leave the + out: a number that is none of the default country's is tried with it.
 */
export function writerOf(from: string): string {
  const local = parsePhone(from);
  if (local.ok) return local.e164;
  const international = parsePhone(`+${from.trim()}`);
  return international.ok ? international.e164 : from;
}
