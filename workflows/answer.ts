import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { AnswerStatus } from '../domain/answer.ts';
import { answerWorkflowId } from '../domain/ids.ts';
import { attributes } from './attributes.ts';
import { priorities } from './priorities.ts';
import { answering } from './proxies.ts';
import { workflowTaskTimeout } from './queues.ts';

export interface AnswerInput {
  answerId: number;
}

/** How every caller starts the sending of an answer. */
export const answerStart = (key: Parameters<typeof answerWorkflowId>[0]) => {
  const { id, ticketId, inboundMessageId } = key;
  return {
    workflowId: answerWorkflowId(key),
    args: [{ answerId: id }] as [AnswerInput],
    workflowTaskTimeout,
    priority: priorities.answer,
    staticSummary:
      inboundMessageId === null ? `Answer ${id} on ticket ${ticketId ?? 0}` : `Automatic text ${id}`,
    typedSearchAttributes: ticketId === null ? [] : [{ key: attributes.ticket, value: String(ticketId) }],
  };
};

const details: Readonly<Record<AnswerStatus, string>> = {
  queued: '**Waits**: it has not left yet.',
  sending: '**Being sent**.',
  sent: '**Sent**: the provider has taken it.',
  delivered: '**Delivered**.',
  undelivered: '**Not delivered**.',
  failed: '**Failed**: it was not sent.',
  unknown:
    '**Unknown**: the provider may have taken it. It is not sent again; a receipt or a look-up resolves it.',
};

/**
 * Sends one answer to a customer: a user's, on a ticket, or an automatic text. The text and the phone stay in the
 * database. What the provider reports later moves the row, and needs no workflow.
 *
 * One activity, which Temporal retries while the provider does not take the answer: some ten events.
 */
export async function answer({ answerId }: AnswerInput): Promise<AnswerStatus> {
  const { sendAnswer } = answering(workflowInfo().taskQueue);
  const { status } = await sendAnswer.executeWithOptions(
    { summary: 'Send the answer', priority: priorities.answer },
    [{ answerId }],
  );
  upsertSearchAttributes([{ key: attributes.outcome, value: status }]);
  setCurrentDetails(details[status]);
  return status;
}
