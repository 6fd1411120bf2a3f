import { z } from 'zod';
import { parsePhone } from './phone.ts';
import { coded, codedIssue, fault } from './problems/coded.ts';

/** What a person writes to us: what it asks for, and what became of it. */

/** What became of a reply. `none`: kept and shown; nobody has to do anything. */
export const replyEffects = ['none', 'ticket', 'opt_out', 'opt_in', 'help'] as const;
export type ReplyEffect = (typeof replyEffects)[number];

/** What a reply asks for; `null`: nothing that a machine understands. */
export type ReplyWish = Extract<ReplyEffect, 'opt_out' | 'opt_in' | 'help'> | null;

/**
 * SAIR is what Anatel's rules of 2012 name, PARE what Brazilian senders print, STOP and those behind it what carriers
 * honour in English.
 */
const defaults = {
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

/** Nobody knows more words, and nobody types longer ones. */
const maxWords = 50;
const maxWordLength = 40;

const wordList = z
  .array(
    z
      .string()
      .trim()
      .max(maxWordLength, coded('word_too_long'))
      .refine((word) => !/[\p{Cc}\p{Cs}]/u.test(word), coded('control_character'))
      .refine((word) => bareWord(word) !== '', coded('word_empty')),
  )
  .max(maxWords, coded('too_many_words'));

/**
 * The words that are understood when they are the whole of a reply, as people write them. Each means one thing, and
 * some word opts out.
 */
export const replyWords = z
  .strictObject({
    optOut: wordList.min(1, coded('opt_out_word_missing')).default(defaults.optOut),
    optIn: wordList.default(defaults.optIn),
    help: wordList.default(defaults.help),
  })
  .superRefine((lists, context) => {
    const seen = new Set<string>();
    for (const list of ['optOut', 'optIn', 'help'] as const) {
      for (const [index, word] of lists[list].entries()) {
        const bare = bareWord(word);
        if (bare !== '' && seen.has(bare)) {
          context.addIssue(codedIssue(fault('word_repeated', { word }), [list, index]));
        }
        seen.add(bare);
      }
    }
  });
export type ReplyWords = z.infer<typeof replyWords>;

export const defaultReplyWords: ReplyWords = replyWords.parse({});

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
