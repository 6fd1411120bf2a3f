import type { FastifyPluginAsync } from 'fastify';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  getAutomaticTexts,
  lockAutomaticTexts,
  saveAutomaticTexts,
} from '../../db/replies/automatic-texts.ts';
import { getReplyWords } from '../../db/replies/reply-words.ts';
import { getSetting } from '../../db/settings/settings.ts';
import { type AutomaticTexts, automaticTexts, replyWordsAmong } from '../../domain/automatic-texts.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { addSettingsDocument } from '../http/document.ts';

/** Automatic replies: to an opt-out, to a request for help, and to keywords. */
export const automaticTextSettings: FastifyPluginAsync<{ sql: Database }> = async (app, { sql }) => {
  addSettingsDocument(
    app,
    { sql, url: '' },
    {
      schema: automaticTexts,
      subject: 'automatic_texts',
      access: 'viewer',
      get: getAutomaticTexts,
      lock: lockAutomaticTexts,
      save: saveAutomaticTexts,
      problemsOf: async (tx, before, texts) => [
        ...replyWordsAmong(texts, await getReplyWords(tx)).map(({ field, word }) =>
          problem(field, 'word_is_reply_word', { word }),
        ),
        ...(await referenceProblems(tx, before, texts)),
      ],
      tags: ['settings'],
      read: { summary: 'Get the automatic texts' },
      change: {
        summary: 'Set the automatic texts',
        description:
          'Torpedo sends these texts in response to opt-outs, requests for help and keywords. A text has at most 160 characters and may contain the placeholders of code, name and first name. An empty text is not sent. A keyword matches if it is the whole reply, ignoring case, accents, punctuation and spaces. The department and subcategory of a keyword replace those of the ticket that the reply opens. Applies to replies that are handled from now on.',
      },
    },
  );
};

const references = [
  ['departmentId', 'departments'],
  ['subcategoryId', 'subcategories'],
] as const;

/** Entries have to exist, and must not be archived if they are new here. */
async function referenceProblems(
  tx: Sql,
  before: AutomaticTexts,
  { keywords }: AutomaticTexts,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [field, kind] of references) {
    const known = new Set(before.keywords.map((one) => one[field]));
    for (const [row, keyword] of keywords.entries()) {
      const id = keyword[field];
      if (id === null || known.has(id)) continue;
      const entry = await getSetting(tx, kind, id);
      if (!entry) problems.push(problem(`keywords.${row}.${field}`, 'unknown'));
      else if (entry.archivedAt) problems.push(problem(`keywords.${row}.${field}`, 'archived'));
    }
  }
  return problems;
}
