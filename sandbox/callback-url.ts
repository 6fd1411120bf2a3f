const REFERENCE_MARK = '\0';

/** Removes the client's reference, the query parameter `message`, from a status callback. */
export function splitCallback(url: string | null): { pattern: string | null; reference: string | null } {
  const match = url === null ? null : /[?&]message=([^&#]*)/.exec(url);
  if (url === null || match?.[1] === undefined) return { pattern: url, reference: null };
  const start = match.index + match[0].length - match[1].length;
  return {
    pattern: url.slice(0, start) + REFERENCE_MARK + url.slice(start + match[1].length),
    reference: match[1],
  };
}

export const joinCallback = (pattern: string, reference: string | null): string =>
  pattern.replace(REFERENCE_MARK, () => reference ?? '');
