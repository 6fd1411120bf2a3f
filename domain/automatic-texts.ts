import { z } from 'zod';
import { coded, codedIssue, fault } from './problems/coded.ts';
import { bareWord, type ReplyWords, wordList } from './reply.ts';
import { parseTemplate } from './template.ts';

/**
 * Texts that are sent by themselves ("Textos automáticos"): at an opt-out, a call for help and keywords. Each is off
 * while it is empty.
 */

/** A reply that is older than this gets no automatic text, and no phone gets the same one twice within it. */
export const automaticTextHours = 24;

/** Its placeholders are code, name and first name: a reply may belong to no line with extra fields. */
const automaticText = z
  .string()
  .trim()
  .superRefine((text, context) => {
    if (text === '') return;
    const parsed = parseTemplate(text, []);
    if (!parsed.ok) for (const found of parsed.problems) context.addIssue(codedIssue(found));
  })
  .default('');

const optionalId = z.int().positive().nullable().default(null);

/** Replies that consist of one of the words. */
const keyword = z.strictObject({
  words: wordList.min(1, coded('missing')),
  text: automaticText,
  /** Where the ticket that the reply opens is routed; null: as defined by its campaign. */
  departmentId: optionalId,
  subcategoryId: optionalId,
});
export type Keyword = z.infer<typeof keyword>;

const maxKeywords = 50;

export const automaticTexts = z
  .strictObject({
    /** Confirms an opt-out by a reply word. */
    optOut: automaticText,
    /** Answers a call for help. */
    help: automaticText,
    keywords: z.array(keyword).max(maxKeywords, coded('too_many_words')).default([]),
  })
  .superRefine(({ keywords }, context) => {
    const seen = new Set<string>();
    for (const [row, { words }] of keywords.entries()) {
      for (const [index, word] of words.entries()) {
        const bare = bareWord(word);
        if (bare !== '' && seen.has(bare))
          context.addIssue(codedIssue(fault('word_repeated', { word }), ['keywords', row, 'words', index]));
        seen.add(bare);
      }
    }
  });
export type AutomaticTexts = z.infer<typeof automaticTexts>;

/** The keyword that is the whole reply, and the word in the form in which words are compared; null: none. */
export function keywordOf(
  { keywords }: AutomaticTexts,
  text: string,
): { keyword: Keyword; word: string } | null {
  const word = bareWord(text);
  if (word === '') return null;
  const keyword = keywords.find(({ words }) => words.some((one) => bareWord(one) === word));
  return keyword ? { keyword, word } : null;
}

/** Keywords that are reply words, which have another meaning, with their paths. */
export function replyWordsAmong(
  { keywords }: AutomaticTexts,
  { optOut, optIn, help }: ReplyWords,
): { field: string; word: string }[] {
  const taken = new Set([...optOut, ...optIn, ...help].map(bareWord));
  return keywords.flatMap(({ words }, row) =>
    words.flatMap((word, index) =>
      taken.has(bareWord(word)) ? { field: `keywords.${row}.words.${index}`, word } : [],
    ),
  );
}
