/** Why a mailing is refused as a whole. Stable: the console words each in the user's language. */
export type MailingRefusal =
  | 'empty'
  | 'no_lines'
  | 'spreadsheet'
  | 'binary'
  | 'encoding_utf16'
  | 'encoding_mixed'
  | 'encoding_unknown'
  | 'line_endings'
  | 'line_too_long'
  | 'quote_not_closed'
  | 'column_missing'
  | 'column_unknown'
  | 'column_repeated';

interface Details {
  /** The line of the file, from 1, where it is known. */
  line?: number;
  expected?: string;
  /** What was there instead. May quote the file's first line: for the person who sent the file, not for a log. */
  found?: string;
}

/** The mailing can't be used at all, in contrast to one bad line in it. The message is a plain sentence. */
export class MailingRefused extends Error {
  override readonly name = 'MailingRefused';
  readonly code: MailingRefusal;
  readonly line: number | null;
  readonly expected: string | null;
  readonly found: string | null;

  constructor(code: MailingRefusal, message: string, { line, expected, found }: Details = {}) {
    super(message);
    this.code = code;
    this.line = line ?? null;
    this.expected = expected ?? null;
    this.found = found ?? null;
  }
}
