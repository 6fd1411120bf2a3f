import { z } from 'zod';
import { canonicalPhone } from './phone.ts';
import { isProbableOptOut } from './probable-opt-out.ts';
import { coded, codedIssue, fault } from './problems/coded.ts';

/** A reply: its intent and its effect. */

/** A reply later than this after our last message answers none, unless the deployment sets another window. */
export const defaultReplyWindowDays = 30;

/**
 * The effect of a reply. `none`: stored and shown; nothing to do. `probable_opt_out`: its phone is held until a user
 * decides; the decision becomes the effect.
 */
export const replyEffects = ['none', 'ticket', 'opt_out', 'probable_opt_out', 'opt_in', 'help'] as const;
export type ReplyEffect = (typeof replyEffects)[number];

/** The intent of a reply; `null`: none that the system recognizes. */
export type ReplyIntent = Extract<ReplyEffect, 'opt_out' | 'probable_opt_out' | 'opt_in' | 'help'> | null;

/**
 * SAIR is the word in Anatel's rules of 2012, PARE the usual word of Brazilian senders; STOP and the words after it are
 * honored by Twilio and the carriers of the USA. Compared without accents and spaces: STOPALL also matches "stop all".
 */
const defaults = {
  optOut: [
    'SAIR',
    'PARE',
    'PAREM',
    'PARAR',
    'CANCELAR',
    'CANCELE',
    'DESCADASTRAR',
    'DESCADASTRE',
    'DESCADASTRO',
    'DESINSCREVER',
    'REMOVER',
    'REMOVA',
    'EXCLUIR',
    'STOP',
    'STOPALL',
    'UNSUBSCRIBE',
    'CANCEL',
    'END',
    'QUIT',
    'OPTOUT',
    'REVOKE',
  ],
  optIn: ['VOLTAR', 'START', 'UNSTOP'],
  help: ['AJUDA', 'HELP', 'INFO'],
};

/** The letters and digits of a text, without case, accents and anything between them: "S.A.I.R!" is `sair`. */
export const bareWord = (text: string): string =>
  text
    // Includes compatibility forms: the letters that keyboards offer as "fonts".
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    // Lower, upper and lower case again, because capitals have more forms: ẞ, ß and SS are equal.
    .toLowerCase()
    .toUpperCase()
    .toLowerCase();

/** A generous maximum, for the number of words and for their length. */
const maxWords = 50;
const maxWordLength = 40;

/** Words that match a whole reply. */
export const wordList = z
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
 * The words that are recognized as a whole reply, as written by the user. Each has one meaning, and at least one opts
 * out.
 */
export const replyWords = z
  .strictObject({
    optOut: wordList.min(1, coded('opt_out_word_missing')).default(defaults.optOut),
    optIn: wordList.default(defaults.optIn),
    help: wordList.default(defaults.help),
    /** A held phone is opted out after this many days without a decision. */
    holdDays: z.int().min(1).max(90).default(7),
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
 * Reads the intent of replies: by whole words, else as a probable opt-out (domain/probable-opt-out.ts); users read all
 * other texts. A word in two lists opts out. A reply from a short code is no person's: only whole words count.
 * `answers`: the answers that the campaign expects; they have no intent.
 */
export function createReplyReader(
  words: ReplyWords,
): (reply: { phone: string; text: string }, answers?: readonly string[]) => ReplyIntent {
  const intents = new Map<string, ReplyIntent>();
  for (const [intent, list] of [
    ['help', words.help],
    ['opt_in', words.optIn],
    ['opt_out', words.optOut],
  ] as const) {
    for (const word of list) intents.set(bareWord(word), intent);
  }
  // Texts without letters or digits: an empty message, a picture, a thumb.
  intents.delete('');
  return ({ phone, text }, answers = []) => {
    const bare = bareWord(text);
    const answering = new Set(answers.map(bareWord));
    if (answering.has(bare)) return null;
    const optOut = words.optOut.filter((word) => !answering.has(bareWord(word)));
    const isProbable = phone.startsWith('+') && isProbableOptOut(text, optOut);
    return intents.get(bare) ?? (isProbable ? 'probable_opt_out' : null);
  };
}

/** The sender's phone in canonical form; otherwise as the provider gave it (a short code, a name). */
export const writerOf = (from: string): string => canonicalPhone(from) ?? from;
