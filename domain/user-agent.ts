import manifest from '../package.json' with { type: 'json' };

/** The User-Agent of every request that Torpedo sends. */
export const userAgent = `Torpedo/${manifest.version}`;
