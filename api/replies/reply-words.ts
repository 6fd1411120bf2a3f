import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { Database } from '../../db/core/client.ts';
import { getReplyWords, saveReplyWords } from '../../db/replies/reply-words.ts';
import { replyWords } from '../../domain/reply.ts';
import { audit } from '../http/auth.ts';

/** The words by which people opt out, opt in and call for help. */
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
    async () => getReplyWords(sql),
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
        body: replyWords,
        response: { 200: replyWords },
      },
    },
    async (request) => {
      const { body } = request;
      await sql.begin(async (tx) => {
        await saveReplyWords(tx, body);
        await audit(tx, request, 'reply_words.update', { kind: 'reply_words', id: null }, body);
      });
      return body;
    },
  );
};
