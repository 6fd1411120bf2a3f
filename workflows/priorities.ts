/**
 * In Temporal's queues the lowest number goes first; 3 is the default, and steps have that of their workflow. Work that
 * a user waits for goes first, and so does an answer to a customer. Campaigns have one step for each occurrence, and delay nothing.
 */
export const priorities = {
  answer: { priorityKey: 1 },
  runOfUser: { priorityKey: 1 },
  campaign: { priorityKey: 2 },
  firstOfRun: { priorityKey: 2 },
  other: { priorityKey: 3 },
} as const;
