import { setCurrentDetails, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import type { HandledReply } from '../activities/index.ts';
import { attributes } from './attributes.ts';
import { replySteps } from './proxies.ts';

export interface ReplyInput {
  inboundMessageId: number;
}

/** When a reply that answers no message yet is matched again (`mayMatchLater`). */
const laterLooks = ['10 seconds', '5 minutes', '1 hour', '1 day'] as const;

/**
 * One message of a person to us: which message of ours it answers, whether it opts out or in, the ticket it opens. It
 * does not ask whether the campaign is still enabled: who was written to is answered for.
 *
 * All of it is one step, because it is one transaction: a reply is handled as a whole, once, whatever is repeated. The
 * history has some ten events, and four more for each later look.
 */
export async function reply({ inboundMessageId }: ReplyInput): Promise<HandledReply> {
  let handled = await handle();
  for (const wait of laterLooks) {
    if (!handled.mayMatchLater) break;
    await sleep(wait);
    handled = await handle();
  }
  return handled;

  async function handle(): Promise<HandledReply> {
    const handled = await replySteps.handleReply({ inboundMessageId });
    const { effect, campaignId, runId } = handled;
    upsertSearchAttributes([
      { key: attributes.campaign, value: campaignId === null ? null : String(campaignId) },
      { key: attributes.run, value: runId === null ? null : String(runId) },
      { key: attributes.outcome, value: effect },
    ]);
    setCurrentDetails(describe(handled));
    return handled;
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
    case 'opt_in':
      return `**Opted in** again. ${answered}`;
    case 'help':
      return `**Asked for help**. ${answered}`;
  }
}
