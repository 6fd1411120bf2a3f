import { defineSearchAttributeKey } from '@temporalio/common';

/** Search attributes are not encrypted: they contain only identifiers and our own terms. */
export const attributes = {
  campaign: defineSearchAttributeKey('TorpedoCampaign', 'KEYWORD'),
  run: defineSearchAttributeKey('TorpedoRun', 'KEYWORD'),
  ticket: defineSearchAttributeKey('TorpedoTicket', 'KEYWORD'),
  step: defineSearchAttributeKey('TorpedoStep', 'KEYWORD'),
  outcome: defineSearchAttributeKey('TorpedoOutcome', 'KEYWORD'),
} as const;
