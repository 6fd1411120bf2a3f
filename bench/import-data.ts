import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import { parse } from 'csv-parse/sync';
import { generateMailing } from '../examples/make-mailing.ts';

/** A mailing as a file on disk. */
export interface MailingFile {
  path: string;
  lines: number;
  bytes: number;
}

/** Writes the lines of `generateMailing`, as in an upload. */
export async function writeCsv(path: string, lines: number): Promise<MailingFile> {
  await write(path, generateMailing(lines, 1));
  return { path, lines, bytes: (await stat(path)).size };
}

/**
 * Writes the same contacts in the format of a web service: an array of objects inside an object, with attributes that no
 * campaign reads. At least `bytes` long, if given.
 */
export async function writeJson(
  path: string,
  { lines, bytes = 0 }: { lines: number; bytes?: number },
): Promise<MailingFile> {
  let count = 0;
  function* json(): Generator<string> {
    let written = 0;
    yield '{"gerado_em":"2026-01-01T00:00:00Z","contatos":[';
    for (const chunk of generateMailing(bytes > 0 ? Math.ceil(bytes / 100) : lines, 1)) {
      const records: string[][] = parse(chunk, { delimiter: ';', bom: true, from_line: count === 0 ? 2 : 1 });
      let text = '';
      for (const cells of records) {
        if (count > 0) text += ',\n';
        text += recordOf(cells, count++);
      }
      written += Buffer.byteLength(text);
      yield text;
      if (bytes > 0 && written >= bytes) break;
    }
    yield ']}';
  }
  await write(path, json());
  return { path, lines: count, bytes: (await stat(path)).size };
}

const recordOf = (
  [codigo, nome, celular, telefone, telefone2, data_nascimento, mensagem]: string[],
  index: number,
): string =>
  JSON.stringify({
    id: index,
    codigo,
    nome,
    celular,
    telefone,
    telefone2,
    data_nascimento,
    mensagem: mensagem === '' ? null : mensagem,
    atualizado_em: '2026-01-01T00:00:00Z',
    ativo: true,
  });

async function write(path: string, chunks: Iterable<string>): Promise<void> {
  const stream = createWriteStream(path);
  for (const chunk of chunks) if (!stream.write(chunk)) await once(stream, 'drain');
  stream.end();
  await finished(stream);
}

/** A web service on 127.0.0.1 that answers with the current file. */
export async function serveJson(pathOf: () => string): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    createReadStream(pathOf()).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/contatos`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
