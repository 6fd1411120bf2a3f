import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import fc from 'fast-check';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { withoutData } from '../../activities/failure.ts';
import { outcomeCode } from '../../sms/codes.ts';

const phone = '+5511988887777';

describe('the failure that Temporal gets for an error', () => {
  const textOf = (error: unknown): string => {
    const failure = withoutData(error);
    if (!(failure instanceof Error)) throw new Error('Expected an error.');
    return `${failure.message}\n${failure.stack ?? ''}\n${String(failure.cause)}`;
  };
  const thrownBy = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };

  test.each([
    ['of invalid JSON', thrownBy(() => JSON.parse(`Maria ${phone}`) as unknown)],
    ['of PostgreSQL', Object.assign(new postgres.PostgresError(`Maria ${phone}`), { code: '22P02' })],
    ['of our own', new Error(`no answer for ${phone}`)],
    ['with a cause', new Error('no answer', { cause: new Error(`Maria ${phone}`) })],
    ['that is a string', `Maria ${phone}`],
    ['over several lines', new Error(`no\n    answer for ${phone}\nat all`)],
  ])('has no phone and no name, for an error %s', (_, error) => {
    expect(textOf(error)).not.toMatch(/Maria|5511988887777/);
  });

  test('has the type, the place in the code, and the codes of PostgreSQL', () => {
    const broken = Object.assign(new postgres.PostgresError('duplicate key'), {
      code: '23505',
      constraint_name: 'messages_pkey',
      table_name: 'messages',
    });
    const failure = withoutData(broken);
    expect(failure).toMatchObject({
      type: 'PostgresError',
      message: 'PostgreSQL has refused a statement (23505 messages messages_pkey).',
      nonRetryable: false,
    });
    expect(textOf(new TypeError('x is not a function'))).toMatch(/x is not a function[^]*failure\.test\.ts/);
  });

  test('is the error itself if it is an ApplicationFailure or a cancellation', () => {
    const aborted = new DOMException('This operation was aborted', 'AbortError');
    for (const own of [ApplicationFailure.create({ message: 'ours' }), new CancelledFailure('x'), aborted])
      expect(withoutData(own)).toBe(own);
  });
});

describe('a code of a provider', () => {
  test.each([
    ['21610', false, '21610'],
    ['NOT_FOUND', true, 'NOT_FOUND'],
    ['NOT_FOUND', false, 'HTTP_400'],
    [phone, false, 'HTTP_400'],
    ['5511988887777', false, 'HTTP_400'],
    [null, false, 'HTTP_400'],
  ])('%j, listed: %j, is public as %s', (providerCode, isListed, publicCode) => {
    expect(outcomeCode(providerCode, isListed, 'HTTP_400').publicCode).toBe(publicCode);
  });

  test('that is not listed is public only as a short number', () => {
    fc.assert(
      fc.property(fc.string(), (providerCode) => {
        const { code, publicCode } = outcomeCode(providerCode, false, 'HTTP_400');
        expect(publicCode).toMatch(/^(?:HTTP_400|\d{1,6})$/);
        expect(providerCode.startsWith(code)).toBe(true);
      }),
    );
  });
});
