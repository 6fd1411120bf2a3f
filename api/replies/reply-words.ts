import type { FastifyPluginAsync } from 'fastify';
import type { Database } from '../../db/core/client.ts';
import { getReplyWords, lockReplyWords, saveReplyWords } from '../../db/replies/reply-words.ts';
import { replyWords } from '../../domain/reply.ts';
import { addSettingsDocument } from '../http/document.ts';

/** The keywords by which customers opt out, opt in and ask for help. */
export const replyWordSettings: FastifyPluginAsync<{ sql: Database }> = async (app, { sql }) => {
  addSettingsDocument(
    app,
    { sql, url: '' },
    {
      schema: replyWords,
      subject: 'reply_words',
      access: 'viewer',
      get: getReplyWords,
      lock: lockReplyWords,
      save: saveReplyWords,
      tags: ['settings'],
      read: { summary: 'Get the words by which customers opt out, opt in and ask for help' },
      change: {
        summary: 'Set the words by which customers opt out, opt in and ask for help',
        description:
          'Applies to replies that arrive from now on. A word matches if it is the whole reply, ignoring case, accents, punctuation and spaces.',
      },
    },
  );
};
