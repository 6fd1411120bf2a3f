/** The part of split-sms 0.1.7, which ships no types, that segments.test.ts holds ours against. */
declare module 'split-sms' {
  interface Result {
    characterSet: 'GSM' | 'Unicode';
    parts: { length: number; bytes: number }[];
    remainingInPart: number;
  }
  const splitSms: { split(message: string, options?: { summary?: boolean }): Result };
  export default splitSms;
}
