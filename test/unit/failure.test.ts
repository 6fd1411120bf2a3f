import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import fc from 'fast-check';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { withoutData } from '../../activities/failure.ts';
import { outcomeCode } from '../../sms/codes.ts';

const phone = '+5511988887777';

describe('what Temporal is told of an error', () => {
  const told = (error: unknown): string => {
    const failure = withoutData(error);
    if (!(failure instanceof Error)) throw new Error('This is no error.');
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
    ['of JSON that is none', thrownBy(() => JSON.parse(`Maria ${phone}`) as unknown)],
    ['of PostgreSQL', Object.assign(new postgres.PostgresError(`Maria ${phone}`), { code: '22P02' })],
    ['of ours', new Error(`no answer for ${phone}`)],
    ['with a cause', new Error('no answer', { cause: new Error(`Maria ${phone}`) })],
    ['that is a text', `Maria ${phone}`],
    ['over several lines', new Error(`no\n    answer for ${phone}\nat all`)],
  ])('holds no phone and no name, with an error %s', (_, error) => {
    expect(told(error)).not.toMatch(/Maria|5511988887777/);
  });

  test('names the type, the place in the code, and what PostgreSQL says by code', () => {
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
    expect(told(new TypeError('x is not a function'))).toMatch(/x is not a function[^]*failure\.test\.ts/);
  });

  test('is what we said ourselves, and what ends an activity that was cancelled', () => {
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
  ])('%j, listed: %j, is public as %s', (said, isListed, publicCode) => {
    expect(outcomeCode(said, isListed, 'HTTP_400').publicCode).toBe(publicCode);
  });

  test('that nobody lists is public only as a short number', () => {
    fc.assert(
      fc.property(fc.string(), (said) => {
        const { code, publicCode } = outcomeCode(said, false, 'HTTP_400');
        expect(publicCode).toMatch(/^(?:HTTP_400|\d{1,6})$/);
        expect(said.startsWith(code)).toBe(true);
      }),
    );
  });
});
