/** The parts of split-sms 0.1.7 that segments.test.ts compares with our implementation. The package has no types. */
declare module 'split-sms' {
  interface Result {
    characterSet: 'GSM' | 'Unicode';
    parts: { length: number; bytes: number }[];
    remainingInPart: number;
  }
  const splitSms: { split(message: string, options?: { summary?: boolean }): Result };
  export default splitSms;
}
