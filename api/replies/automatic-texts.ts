import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  getAutomaticTexts,
  lockAutomaticTexts,
  saveAutomaticTexts,
} from '../../db/replies/automatic-texts.ts';
import { getReplyWords } from '../../db/replies/reply-words.ts';
import { getSetting } from '../../db/settings/settings.ts';
import { type AutomaticTexts, automaticTexts, replyWordsAmong } from '../../domain/automatic-texts.ts';
import { changesBetween } from '../../domain/changes.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { audit } from '../http/auth.ts';
import { ApiError } from '../http/errors.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

/** Texts that are sent by themselves: at an opt-out, a call for help and keywords. */
export const automaticTextSettings: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['settings'];

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The texts that are sent by themselves',
        response: { 200: automaticTexts },
      },
    },
    async (_request, reply) => {
      const texts = await getAutomaticTexts(sql);
      nameVersion(reply, texts);
      return texts;
    },
  );

  app.put(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change the texts that are sent by themselves',
        description:
          'Each has at most 160 characters, with the placeholders of code, name and first name, and is off while it is empty. A keyword counts when it is the whole reply; case, accents, punctuation and spaces make no difference. Its department and subcategory replace those of the ticket that the reply opens. Counts for replies that are handled from now on.',
        headers: versionHeaders,
        body: automaticTexts,
        response: { 200: automaticTexts },
      },
    },
    async (request) => {
      const { body } = request;
      await sql.begin(async (tx) => {
        const before = await lockAutomaticTexts(tx);
        requireVersion(request, before);
        const problems = [
          ...replyWordsAmong(body, await getReplyWords(tx)).map(({ field, word }) =>
            problem(field, 'word_is_reply_word', { word }),
          ),
          ...(await referenceProblems(tx, before, body)),
        ];
        if (problems.length > 0) throw new ApiError('invalid_fields', { problems });
        await saveAutomaticTexts(tx, body);
        const { optOut, help, keywords } = body;
        const details = { optOut, help, keywords: keywords.map(({ words }) => words.join(', ')) };
        const subject = { kind: 'automatic_texts', id: null } as const;
        await audit(tx, request, 'automatic_texts.update', subject, details, changesBetween(before, body));
      });
      return body;
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
