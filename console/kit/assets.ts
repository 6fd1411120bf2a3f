import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';

const require = createRequire(import.meta.url);
const own = (name: string): string => fileURLToPath(new URL(`../public/${name}`, import.meta.url));

/** Everything a page may load: from the installed packages, and from public/. */
const files = {
  'tabler.css': require.resolve('@tabler/core/dist/css/tabler.min.css'),
  'uplot.css': require.resolve('uplot/dist/uPlot.min.css'),
  'uplot.js': require.resolve('uplot/dist/uPlot.iife.min.js'),
  'htmx.js': require.resolve('htmx.org/dist/htmx.min.js'),
  'console.css': own('console.css'),
  'charts.js': own('charts.js'),
  'console.js': own('console.js'),
  'drafts.js': own('drafts.js'),
  'forms.js': own('forms.js'),
  'theme.js': own('theme.js'),
  'icon.svg': own('icon.svg'),
} as const;
export type AssetName = keyof typeof files;

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

// Read once for the process: the address contains the hash of the served content.
const addresses = new Map<string, string>();

/** The address of an asset: it contains the content's hash, so that browsers may cache it forever. */
export function asset(name: AssetName): string {
  const address = addresses.get(name);
  if (address === undefined) throw new Error(`The asset ${name} has not been read yet.`);
  return address;
}

/** Serves the assets. Nothing else: the path of a request is never used as a file path. */
export async function addAssets(app: FastifyInstance): Promise<void> {
  const served = new Map<string, { content: Buffer; type: string }>();
  for (const [name, path] of Object.entries(files)) {
    const content = await readFile(path);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
    const [stem = '', extension = ''] = name.split('.');
    const file = `${stem}.${hash}.${extension}`;
    addresses.set(name, `/assets/${file}`);
    served.set(file, { content, type: types[extension] ?? 'application/octet-stream' });
  }
  app.get<{ Params: { file: string } }>(
    '/assets/:file',
    { config: { access: 'open' } },
    async ({ params }, reply) => {
      const found = served.get(params.file);
      if (!found) {
        reply.callNotFound();
        return reply;
      }
      return reply
        .type(found.type)
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('x-content-type-options', 'nosniff')
        .send(found.content);
    },
  );
}
