import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../domain/failures.ts';

/** A failure that no further attempt mends. `message` stands in the history: no phone number, name or text in it. */
export const finalFailure = (type: FailureType, message: string, ...details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type, message, details, nonRetryable: true });
