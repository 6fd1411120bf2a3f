import { askedAgain, hasNewOrigin } from '../../domain/destination.ts';
import { type Changes, changesBetween, fieldsAlsoIn } from '../../domain/changes.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import type { PostingSecrets } from '../../domain/ticket-posting.ts';
import { ApiError } from './errors.ts';

/**
 * The secrets of an address that events are posted to, after a change: an omitted secret stays, and so do headers whose
 * value is null, unless the address has another origin.
 *
 * @throws {ApiError} `invalid_fields`, when a secret has to be entered again
 */
export function changedPostingSecrets(
  before: (PostingSecrets & { url: string }) | null,
  {
    url,
    secret,
    headers,
  }: {
    url: string;
    secret: string | undefined;
    headers: Readonly<Record<string, string | null>> | undefined;
  },
): PostingSecrets {
  const isElsewhere = before !== null && hasNewOrigin([before.url], [url]);
  const stored = isElsewhere ? null : before;
  const known = stored?.headers ?? {};
  const problems: Problem[] = [];
  const key = secret ?? stored?.secret;
  if (key === undefined) problems.push(problem('secret', 'missing', { what: 'signing_secret' }));
  const values: Record<string, string> = {};
  for (const name of Object.keys(headers ?? before?.headers ?? {})) {
    const value = headers?.[name] ?? (Object.hasOwn(known, name) ? known[name] : undefined);
    if (value !== undefined) values[name] = value;
    else problems.push(problem(`headers.${name}`, 'missing_header', { name }));
  }
  if (key === undefined || problems.length > 0) {
    throw new ApiError('invalid_fields', { problems: isElsewhere ? askedAgain(problems) : problems });
  }
  return { secret: key, headers: values };
}

/** What the audit log records of such a change: of an address only that it changed, because it may contain a key. */
export function postingChanges(before: PostingSecrets | null, after: object): Changes {
  const changes = changesBetween(fieldsAlsoIn(after, before), after);
  return 'url' in changes ? { ...changes, url: [null, null] } : changes;
}
