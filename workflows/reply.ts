import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ParentClosePolicy,
  setCurrentDetails,
  sleep,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { HandledReply } from '../activities/index.ts';
import { answer, answerStart } from './answer.ts';
import { attributes } from './attributes.ts';
import { replySteps } from './proxies.ts';

export interface ReplyInput {
  inboundMessageId: number;
}

/** When a reply that matches no message yet is matched again (`mayMatchLater`). */
const laterLooks = ['10 seconds', '5 minutes', '1 hour', '1 day'] as const;

/**
 * One incoming message: matches it to a message of ours, applies an opt-out or opt-in, and opens a ticket. It does not
 * depend on whether the campaign is still enabled: replies to sent messages are always handled.
 *
 * It is one step, because it is one transaction: a reply is handled completely and once, whatever is retried. The
 * history has some ten events, four more for each later match, and five for an automatic text, which has a workflow of
 * its own.
 */
export async function reply({ inboundMessageId }: ReplyInput): Promise<HandledReply> {
  let handled = await handle();
  if (handled.answerId !== null) await sendText(handled.answerId, handled.ticketId, inboundMessageId);
  for (const wait of laterLooks) {
    if (!handled.mayMatchLater) break;
    await sleep(wait);
    handled = await handle();
  }
  return handled;

  async function handle(): Promise<HandledReply> {
    const handled = await replySteps.handleReply({ inboundMessageId });
    const { effect, campaignId, runId, ticketId } = handled;
    upsertSearchAttributes([
      { key: attributes.campaign, value: campaignId === null ? null : String(campaignId) },
      { key: attributes.run, value: runId === null ? null : String(runId) },
      { key: attributes.ticket, value: ticketId === null ? null : String(ticketId) },
      { key: attributes.outcome, value: effect },
    ]);
    setCurrentDetails(describe(handled));
    return handled;
  }
}

async function sendText(id: number, ticketId: number | null, inboundMessageId: number): Promise<void> {
  try {
    await startChild(answer, {
      ...answerStart({ id, ticketId, inboundMessageId }),
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

function describe({ effect, messageId, runId, mayMatchLater }: HandledReply): string {
  const answered =
    messageId === null
      ? mayMatchLater
        ? 'It answers no message of ours yet, and is matched again later.'
        : 'It answers no message of ours.'
      : `It answers message ${messageId} of run ${runId}.`;
  switch (effect) {
    case 'none':
      return `**Kept**, nothing else is to be done. ${answered}`;
    case 'ticket':
      return `**Opened a ticket**, or was added to it. ${answered}`;
    case 'opt_out':
      return `**Opted out**: nothing goes to this phone any more. ${answered}`;
    case 'probable_opt_out':
      return `**Held**: it is probably an opt-out. Nothing goes to this phone until a user has decided. ${answered}`;
    case 'opt_in':
      return `**Opted in** again. ${answered}`;
    case 'help':
      return `**Asked for help**. ${answered}`;
  }
}
