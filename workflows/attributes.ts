import { defineSearchAttributeKey } from '@temporalio/common';

/** Search attributes are not encrypted: identifiers and words of ours only. */
export const attributes = {
  campaign: defineSearchAttributeKey('TorpedoCampaign', 'KEYWORD'),
  run: defineSearchAttributeKey('TorpedoRun', 'KEYWORD'),
  step: defineSearchAttributeKey('TorpedoStep', 'KEYWORD'),
  outcome: defineSearchAttributeKey('TorpedoOutcome', 'KEYWORD'),
} as const;
