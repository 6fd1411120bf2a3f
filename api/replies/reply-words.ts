import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { Database } from '../../db/core/client.ts';
import { changesBetween } from '../../domain/changes.ts';
import { getReplyWords, lockReplyWords, saveReplyWords } from '../../db/replies/reply-words.ts';
import { replyWords } from '../../domain/reply.ts';
import { audit } from '../http/auth.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

/** The keywords by which customers opt out, opt in and ask for help. */
export const replyWordSettings: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['settings'];

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The words by which people opt out, opt in and call for help',
        response: { 200: replyWords },
      },
    },
    async (_request, reply) => {
      const words = await getReplyWords(sql);
      nameVersion(reply, words);
      return words;
    },
  );

  app.put(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change the words by which people opt out, opt in and call for help',
        description:
          'Counts for replies that come from now on. A word counts when it is the whole reply; case, accents, punctuation and spaces make no difference.',
        headers: versionHeaders,
        body: replyWords,
        response: { 200: replyWords },
      },
    },
    async (request) => {
      const { body } = request;
      await sql.begin(async (tx) => {
        const before = await lockReplyWords(tx);
        requireVersion(request, before);
        await saveReplyWords(tx, body);
        const subject = { kind: 'reply_words', id: null } as const;
        await audit(tx, request, 'reply_words.update', subject, body, changesBetween(before, body));
      });
      return body;
    },
  );
};
